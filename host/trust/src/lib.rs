//! Keys, manifests and signatures: package bytes go in, a
//! [`Verified`]`<`[`Component`]`>` comes out.
//!
//! A package is three files beside each other: `NAME.wasm`, what it says of
//! itself in `NAME.manifest.json`, and in `NAME.sigstore.json` the Ed25519
//! signatures over the digests of both. Each is a DSSE envelope around an
//! in-toto statement in a Sigstore bundle v0.3, so other tools can check it.
//!
//! The only way to a `Verified` value is [`TrustPolicy::verify`], and what it
//! holds are the very bytes whose digest was checked. Nothing here touches the
//! network.
//!
//! ```
//! use vak_trust::{Manifest, Package, PrivateKey, TrustPolicy, Unsigned, Validity};
//! use vak_types::Timestamp;
//!
//! let manifest = Manifest::from_toml(
//!     "name = 'rules'\nversion = '0.1.0'\nkind = 'policy'\ndescription = 'Rules.'\nlicense = 'Apache-2.0'",
//! )?;
//! let key = PrivateKey::generate()?;
//! let now = Timestamp::from_nanos(1_800_000_000_000_000_000);
//! let package = Package::unsigned(b"\0asm".to_vec(), &manifest).sign(&key, Validity::since(now));
//!
//! let trust = TrustPolicy::of_publishers([key.public()]);
//! let verified = trust.verify(package, Unsigned::Refuse, now)?;
//! assert_eq!(verified.signer(), Some(key.public().id()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod aside;
mod bundle;
mod key;
mod key_file;
mod manifest;
mod object;
mod package;
mod policy;
mod requirement;
mod signature;
mod statement;
mod validity;
mod verify;

pub use aside::write as write_aside;
pub use bundle::BundleError;
pub use key::{KeyError, PrivateKey, PublicKey};
pub use key_file::{KeyFormat, Passphrase};
pub use manifest::{Manifest, ManifestError, Tool};
pub use package::{Claim, Package, PackageError};
pub use policy::{Rule, SettingsError, TrustPolicy, TrustSettings, TrustedKey};
pub use requirement::{Requirement, RequirementError, Role, Signer};
pub use signature::{Signature, Standing};
pub use validity::{OutOfTime, Validity};
pub use verify::{Component, Dismissed, TrustError, Unsigned, Verified};
