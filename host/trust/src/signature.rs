//! A package's signatures one by one, for people who want to know why it does
//! or does not verify.

use std::slice;

use vak_types::{Name, Timestamp};

use crate::bundle::{Bundle, BundleError};
use crate::manifest::Manifest;
use crate::package::Package;
use crate::policy::{TrustPolicy, TrustedKey};
use crate::validity::Validity;
use crate::verify::Dismissed;

/// A signature in a signature file.
#[derive(Debug)]
pub enum Signature<'a> {
    /// Made by a key of the settings.
    Known {
        /// The key.
        key: &'a TrustedKey,
        /// From when to when it counts, where what was signed can be read.
        validity: Option<Validity>,
        /// Whether it counts.
        standing: Standing,
    },
    /// Made by nobody who is known. What it says of itself was checked by
    /// nobody, so nothing of it is given but the key that it names.
    Unknown(String),
}

/// Whether a signature counts.
#[derive(Debug)]
pub enum Standing {
    /// It does.
    Counts,
    /// It does not, for this reason.
    Dismissed(String),
}

impl TrustPolicy {
    /// Every signature of `package` and whether it counts at `now`. Only tells:
    /// what may be loaded is what [`verify`](Self::verify) verifies.
    ///
    /// # Errors
    /// The signature file is not one.
    pub fn signatures(&self, package: &Package, now: Timestamp) -> Result<Vec<Signature<'_>>, BundleError> {
        let Some(bytes) = &package.bundle else { return Ok(Vec::new()) };
        let name = Manifest::from_packed(&package.manifest).ok().map(|manifest| manifest.name);
        let bundles = Bundle::parse_all(bytes)?;
        Ok(bundles.iter().map(|bundle| self.signature(bundle, package, name.as_ref(), now)).collect())
    }

    fn signature(&self, bundle: &Bundle, package: &Package, name: Option<&Name>, now: Timestamp) -> Signature<'_> {
        let made = self.settings().keys.iter().find_map(|key| Some((key, bundle.signed_by(&key.public)?)));
        let Some((key, signed)) = made else { return Signature::Unknown(bundle.hint.clone()) };
        let standing = match self.genuine(slice::from_ref(bundle), package.subjects(), now) {
            Err(error) => Standing::Dismissed(error.to_string()),
            Ok((_, dismissed)) if !dismissed.is_empty() => {
                Standing::Dismissed(dismissed.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
            }
            Ok(_) if name.is_some_and(|name| !key.may_sign(name)) => {
                Standing::Dismissed(Dismissed::by_name(key).to_string())
            }
            Ok(_) => Standing::Counts,
        };
        Signature::Known { key, validity: signed.ok().map(|signed| signed.validity), standing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PrivateKey, TrustSettings};

    const NOW: Timestamp = Timestamp::from_nanos(1_800_000_000_000_000_000);

    #[test]
    fn each_signature_is_told_with_its_reason() {
        let keys: Vec<_> = (0..5).map(|_| PrivateKey::generate().unwrap()).collect();
        let [good, revoked, others, late, stranger] = &keys[..] else { panic!() };
        let settings = format!(
            "keys = [\n\
               {{ name = 'good', public = '{}', roles = ['publisher', 'reviewer'] }},\n\
               {{ name = 'revoked', public = '{}' }},\n\
               {{ name = 'others', public = '{}', names = ['other-*'] }},\n\
               {{ name = 'late', public = '{}' }},\n\
             ]\nrevoked_keys = ['{}']",
            good.public(),
            revoked.public(),
            others.public(),
            late.public(),
            revoked.public().id()
        );
        let trust = TrustPolicy::new(toml::from_str::<TrustSettings>(&settings).unwrap()).unwrap();
        let manifest = "name = 'rules'\nversion = '1.0.0'\nkind = 'policy'\ndescription = ''\nlicense = 'MIT'";
        let package = Package::unsigned(b"one".to_vec(), &Manifest::from_toml(manifest).unwrap());
        assert!(trust.signatures(&package, NOW).unwrap().is_empty());
        let since = |seconds: u64| Validity::since(Timestamp::from_nanos(NOW.as_nanos() + seconds * 1_000_000_000));
        let signed = [(good, 0), (revoked, 0), (others, 0), (late, 3_600), (stranger, 0)]
            .into_iter()
            .fold(package, |package, (key, seconds)| package.countersign(key, since(seconds)).unwrap());
        let told = |package: &Package| -> Vec<String> {
            let told = |signature: &Signature<'_>| match signature {
                Signature::Known { key, standing: Standing::Counts, .. } => format!("{} counts", key.name),
                Signature::Known { key, standing: Standing::Dismissed(why), .. } => format!("{}: {why}", key.name),
                Signature::Unknown(hint) => format!("unknown {hint}"),
            };
            trust.signatures(package, NOW).unwrap().iter().map(told).collect()
        };
        let unknown = format!("unknown {}", stranger.public().id());
        assert_eq!(
            told(&signed),
            [
                "good counts",
                "revoked: the key of `revoked` is revoked",
                "others: `others` may not sign components of this name",
                "late: the signature by `late` says it was made at 2027-01-15T09:00:00Z, which is still to come; is \
                 this machine's clock right?",
                &unknown,
            ]
        );
        let other = Package { component: b"two".to_vec(), ..signed.clone() };
        assert!(told(&other)[0].starts_with("good: the signature is over another component"), "{:?}", told(&other));
        let cut = Package { bundle: Some(b"{".to_vec()), ..signed };
        assert!(trust.signatures(&cut, NOW).unwrap_err().to_string().contains("is not a bundle"));
    }
}
