//! Components as text, for this crate's tests.

#![allow(clippy::unwrap_used)]

use vak_trust::{Manifest, Package, TrustPolicy, Unsigned};
use vak_types::{Granted, Kind, Timestamp};

use crate::{CallLimits, Engine, LoadError, Prepared, Request};

/// A component with `fields` that exports what the engine knows a policy by.
pub(crate) fn policy(fields: &str) -> Vec<u8> {
    let export = r#"(instance $none) (export "vak:policy/policy@0.1.0" (instance $none))"#;
    wat::parse_str(format!("(component {fields} {export})")).unwrap()
}

/// Prepares an unsigned policy that asks for nothing.
pub(crate) fn prepare(engine: &Engine, component: &[u8], limits: CallLimits) -> Result<Prepared, LoadError> {
    let manifest = "name = 'p'\nversion = '0.1.0'\nkind = 'policy'\ndescription = ''\nlicense = 'MIT'";
    let package = Package::unsigned(component.to_vec(), &Manifest::from_toml(manifest).unwrap());
    let component = &TrustPolicy::development([]).verify(package, Unsigned::Allow, Timestamp::from_nanos(0)).unwrap();
    let (name, grants) = ("p".parse().unwrap(), Granted::default());
    let request = Request { name: &name, kind: Kind::Policy, component, config: None, grants: &grants, limits };
    engine.prepare(&request, &|_, _| Ok(()))
}
