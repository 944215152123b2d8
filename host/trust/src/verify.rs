//! From bytes to a component that somebody trusted vouches for.

use vak_types::{Digest, KeyId};

use crate::bundle::{Bundle, BundleError};
use crate::key::PublicKey;
use crate::manifest::{Manifest, ManifestError};
use crate::package::Package;

/// Why a package is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// There is no signature file.
    #[error("the component has no signature; sign it with `vak sign`, or set `allow_unsigned = true` for it")]
    Unsigned,
    /// The signature file is malformed.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// No trusted key made the signature.
    #[error("no trusted key made this signature (it names `{hint}`); add the publisher's key under [[trust.keys]]")]
    Untrusted {
        /// The key the signature claims, which proves nothing.
        hint: String,
    },
    /// A genuine signature over another component.
    #[error("the signature is over another component (`{signed}`, this one is `{found}`)")]
    OtherComponent {
        /// The digest that was signed.
        signed: Digest,
        /// The digest of the bytes at hand.
        found: Digest,
    },
    /// A genuine signature over this component with another manifest.
    #[error("the signature is over another manifest (`{signed}`, this one is `{found}`)")]
    OtherManifest {
        /// The digest that was signed.
        signed: Digest,
        /// The digest of the bytes at hand.
        found: Digest,
    },
    /// The manifest is not valid.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

/// What to do with a package that has no signature at all. A signature that is
/// there and does not verify is refused either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsigned {
    /// The default.
    Refuse,
    /// The configuration asks for it, and every verdict will say so.
    Allow,
}

/// A component's bytes and what they say of themselves.
#[derive(Debug, Clone)]
pub struct Component {
    /// The bytes whose digest was checked; these are what gets compiled.
    pub bytes: Vec<u8>,
    /// Their SHA-256.
    pub digest: Digest,
    /// The manifest that was signed with them.
    pub manifest: Manifest,
}

/// Something that was verified. Only [`TrustPolicy::verify`] makes one.
#[derive(Debug, Clone)]
pub struct Verified<T> {
    value: T,
    signer: Option<KeyId>,
}

impl<T> Verified<T> {
    /// What was verified.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// Who signed it; `None` when it was allowed unsigned.
    pub fn signer(&self) -> Option<KeyId> {
        self.signer
    }
}

/// Whose signatures count.
#[derive(Debug, Clone)]
pub struct TrustPolicy {
    keys: Vec<PublicKey>,
}

impl TrustPolicy {
    /// Trusts `keys` and nobody else.
    pub fn new(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        Self { keys: keys.into_iter().collect() }
    }

    /// Checks a package: its signature, both digests, and its manifest.
    ///
    /// # Errors
    /// Anything is missing, malformed or not vouched for.
    pub fn verify(&self, package: Package, unsigned: Unsigned) -> Result<Verified<Component>, TrustError> {
        let found = package.subjects();
        let signer = match (&package.bundle, unsigned) {
            (None, Unsigned::Refuse) => return Err(TrustError::Unsigned),
            (None, Unsigned::Allow) => None,
            (Some(bytes), _) => {
                let bundle = Bundle::parse(bytes)?;
                // The hint only says where to look first; each key is tried.
                let (key, signed) = self
                    .keys
                    .iter()
                    .find_map(|key| Some((key, bundle.subjects(key)?)))
                    .ok_or_else(|| TrustError::Untrusted { hint: bundle.hint.chars().take(100).collect() })?;
                let signed = signed?;
                if signed.component != found.component {
                    return Err(TrustError::OtherComponent { signed: signed.component, found: found.component });
                }
                if signed.manifest != found.manifest {
                    return Err(TrustError::OtherManifest { signed: signed.manifest, found: found.manifest });
                }
                Some(key.id())
            }
        };
        let manifest = Manifest::from_packed(&package.manifest)?;
        let component = Component { bytes: package.component, digest: found.component, manifest };
        Ok(Verified { value: component, signer })
    }
}
