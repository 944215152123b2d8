//! The compiler and what comes before the first call.

use std::sync::LazyLock;

use vak_engine::{CallLimits, Engine, Request};
use vak_plugin::load;
use vak_trust::{Manifest, Package, TrustPolicy, Unsigned};
use vak_types::{Granted, Kind, Timestamp};

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(None).unwrap());

/// Any bytes that an operator allows without a signature are loaded or refused,
/// and what is loaded is what the manifest says.
///
/// # Panics
/// It is not so.
pub fn engine(bytes: &[u8]) {
    let text = "name = 'a'\nversion = '1.0.0'\nkind = 'policy'\ndescription = ''\nlicense = 'MIT'";
    let package = Package::unsigned(bytes.to_vec(), &Manifest::from_toml(text).unwrap());
    let now = Timestamp::from_nanos(0);
    let verified = TrustPolicy::development([]).verify(package, Unsigned::Allow, now).unwrap();
    let request = Request {
        name: &"any".parse().unwrap(),
        kind: Kind::Policy,
        component: &verified,
        config: None,
        grants: &Granted::default(),
        limits: CallLimits::POLICY,
    };
    if let Ok(loaded) = load(&ENGINE, &request, None) {
        assert_eq!((loaded.component().digest, loaded.component().signer), (verified.get().digest, None));
    }
}
