//! Keys, manifests and signatures: package bytes go in, a
//! [`Verified`]`<`[`Component`]`>` comes out.
//!
//! A package is three files beside each other: `NAME.wasm`, what it says of
//! itself in `NAME.manifest.json`, and in `NAME.sigstore.json` one Ed25519
//! signature over the digests of both. The signature is a DSSE envelope around
//! an in-toto statement in a Sigstore bundle v0.3, so other tools can check it.
//!
//! The only way to a `Verified` value is [`TrustPolicy::verify`], and what it
//! holds are the very bytes whose digest was checked. Nothing here touches the
//! network.
//!
//! ```
//! use vak_trust::{Manifest, Package, PrivateKey, TrustPolicy, Unsigned};
//!
//! let manifest = Manifest::from_toml(
//!     "name = 'rules'\nversion = '0.1.0'\nkind = 'policy'\ndescription = 'Rules.'\nlicense = 'Apache-2.0'",
//! )?;
//! let key = PrivateKey::generate()?;
//! let package = Package::unsigned(b"\0asm".to_vec(), &manifest).sign(&key);
//!
//! let trust = TrustPolicy::new([key.public()]);
//! let verified = trust.verify(package, Unsigned::Refuse)?;
//! assert_eq!(verified.signer(), Some(key.public().id()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod bundle;
mod key;
mod manifest;
mod package;
mod verify;

pub use bundle::BundleError;
pub use key::{KeyError, PrivateKey, PublicKey};
pub use manifest::{Manifest, ManifestError};
pub use package::{Package, PackageError};
pub use verify::{Component, TrustError, TrustPolicy, Unsigned, Verified};
