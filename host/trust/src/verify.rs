//! From bytes to a component that those who count vouch for.

use std::fmt;

use vak_types::{Digest, KeyId, Timestamp};

use crate::bundle::{Bundle, BundleError, QUOTE_BYTES_MAX};
use crate::manifest::{Manifest, ManifestError};
use crate::package::Package;
use crate::policy::{TrustPolicy, TrustedKey};
use crate::requirement::{Requirement, Role};
use crate::statement::Subjects;
use crate::validity::OutOfTime;

/// Why a package is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// There is no signature file.
    #[error(
        "the component has no signature; sign it with `vak sign`, or, while you develop it, set \
         `trust.development = true` and `allow_unsigned = true` for it"
    )]
    Unsigned,
    /// A component may be unsigned, and the host may not load such.
    #[error("`allow_unsigned` is for development; set `trust.development = true`, or sign the component")]
    NotInDevelopment,
    /// The signature file is malformed.
    #[error(transparent)]
    Bundle(#[from] BundleError),
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
    /// The component or its manifest was revoked.
    #[error("`{0}` is revoked; choose another version")]
    Revoked(Digest),
    /// The manifest is not valid.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The signatures that count are not those it takes.
    #[error("it needs a signature by {needed}{}", told(.dismissed))]
    Unmet {
        /// Whose signatures it takes.
        needed: Requirement,
        /// Why those that are there don't count.
        dismissed: Vec<Dismissed>,
    },
}

/// A signature that doesn't count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dismissed {
    signer: String,
    why: Why,
}

impl Dismissed {
    /// The key of `signer` is not for components of this name.
    pub(crate) fn by_name(signer: &TrustedKey) -> Self {
        Self { signer: signer.name.to_string(), why: Why::Name }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Why {
    Untrusted,
    Revoked,
    OutOfTime(OutOfTime),
    Name,
}

impl fmt::Display for Dismissed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signer, why } = self;
        match why {
            Why::Untrusted => {
                write!(f, "no trusted key made the signature that names `{signer}`; add its key under [[trust.keys]]")
            }
            Why::Revoked => write!(f, "the key of `{signer}` is revoked"),
            Why::OutOfTime(error) => write!(f, "the signature by `{signer}` {error}"),
            Why::Name => write!(f, "`{signer}` may not sign components of this name"),
        }
    }
}

fn told(dismissed: &[Dismissed]) -> String {
    dismissed.iter().map(|dismissed| format!("; {dismissed}")).collect()
}

/// What to do with a package that has no signature at all. A signature that is
/// there and does not verify is refused either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsigned {
    /// The default.
    Refuse,
    /// The configuration asks for it, and every verdict will say so. Counts only
    /// with a policy for development.
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
    signers: Vec<KeyId>,
    may_permit: bool,
}

impl<T> Verified<T> {
    /// What was verified.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// Who signed it, the publisher if there is one; `None` when it was allowed
    /// unsigned.
    pub fn signer(&self) -> Option<KeyId> {
        self.signers.first().copied()
    }

    /// All whose signatures counted, publishers first.
    pub fn signers(&self) -> &[KeyId] {
        &self.signers
    }

    /// Whether its publisher's policies may permit. What is unsigned may, because
    /// whoever lets it be loaded says what it may do.
    pub fn may_permit(&self) -> bool {
        self.may_permit
    }
}

impl TrustPolicy {
    /// Checks a package: signatures, both digests, revocations, and its manifest.
    /// `now` decides which signatures count.
    ///
    /// # Errors
    /// Anything is missing, malformed, or not vouched for by those it takes.
    pub fn verify(
        &self,
        package: Package,
        unsigned: Unsigned,
        now: Timestamp,
    ) -> Result<Verified<Component>, TrustError> {
        let found = package.subjects();
        for digest in [found.component, found.manifest] {
            if self.settings().revoked_digests.contains(&digest) {
                return Err(TrustError::Revoked(digest));
            }
        }
        let (manifest, signers) = match (&package.bundle, unsigned) {
            (None, Unsigned::Refuse) => return Err(TrustError::Unsigned),
            (None, Unsigned::Allow) if !self.settings().development => return Err(TrustError::NotInDevelopment),
            (None, Unsigned::Allow) => (Manifest::from_packed(&package.manifest)?, Vec::new()),
            (Some(bytes), _) => {
                let (genuine, mut dismissed) = self.genuine(&Bundle::parse_all(bytes)?, found, now)?;
                // Which signatures it takes stands in the manifest, so that is
                // read only when somebody who is known has signed it.
                let needed = || Requirement::Role(Role::Publisher);
                if genuine.is_empty() {
                    return Err(TrustError::Unmet { needed: needed(), dismissed });
                }
                let manifest = Manifest::from_packed(&package.manifest)?;
                let (counting, others): (Vec<_>, Vec<_>) =
                    genuine.into_iter().partition(|key| key.may_sign(&manifest.name));
                dismissed.extend(others.into_iter().map(Dismissed::by_name));
                let needed = self.requirement(&manifest.name, manifest.kind);
                if !needed.holds(&counting) {
                    return Err(TrustError::Unmet { needed, dismissed });
                }
                (manifest, counting)
            }
        };
        Ok(Verified {
            may_permit: package.bundle.is_none() || signers.iter().any(|key| key.is_permitting_publisher()),
            signers: publishers_first(&signers),
            value: Component { bytes: package.component, digest: found.component, manifest },
        })
    }

    /// Keys that are known and signed these very subjects, each once, and why
    /// other signatures don't count.
    pub(crate) fn genuine(
        &self,
        bundles: &[Bundle],
        found: Subjects,
        now: Timestamp,
    ) -> Result<(Vec<&TrustedKey>, Vec<Dismissed>), TrustError> {
        let (mut genuine, mut dismissed): (Vec<&TrustedKey>, _) = (Vec::new(), Vec::new());
        for bundle in bundles {
            // The hint only says where to look first; each key is tried.
            let made = self.settings().keys.iter().find_map(|key| Some((key, bundle.signed_by(&key.public)?)));
            let Some((key, signed)) = made else {
                let signer = vak_types::printable(&bundle.hint, QUOTE_BYTES_MAX);
                dismissed.push(Dismissed { signer, why: Why::Untrusted });
                continue;
            };
            let signed = signed?;
            // A signature over something else does not get here by chance.
            if signed.subjects.component != found.component {
                return Err(TrustError::OtherComponent { signed: signed.subjects.component, found: found.component });
            }
            if signed.subjects.manifest != found.manifest {
                return Err(TrustError::OtherManifest { signed: signed.subjects.manifest, found: found.manifest });
            }
            let dismiss = |why| Dismissed { signer: key.name.to_string(), why };
            if self.settings().revoked_keys.contains(&key.public.id()) {
                dismissed.push(dismiss(Why::Revoked));
            } else if let Err(error) = signed.validity.check(now) {
                dismissed.push(dismiss(Why::OutOfTime(error)));
            } else if !genuine.iter().any(|other| other.name == key.name) {
                genuine.push(key);
            }
        }
        Ok((genuine, dismissed))
    }
}

impl TrustedKey {
    fn is_publisher(&self) -> bool {
        self.roles.contains(&Role::Publisher)
    }

    pub(crate) fn is_permitting_publisher(&self) -> bool {
        self.is_publisher() && self.may_permit
    }
}

fn publishers_first(signers: &[&TrustedKey]) -> Vec<KeyId> {
    let mut signers = signers.to_vec();
    signers.sort_by_key(|key| !key.is_publisher());
    signers.iter().map(|key| key.public.id()).collect()
}
