//! Installed packages on this machine.
//!
//! A [`Store`] is a folder. Components, manifests and signature files lie in it
//! under their SHA-256, and each installed name has a small record that says
//! which three belong together. A package is verified before anything is
//! written and again by whoever loads it: the store adds nothing to what is
//! trusted, it only keeps bytes and gives back the same ones.
//!
//! The record is written last, by a rename, so whatever happens a name has its
//! old version or its new one, whole. Nothing in the folder is reached through
//! a link.
//!
//! Beside packages a store keeps what marketplaces [withdrew](Withdrawals), which
//! a host neither loads nor goes on with, wherever its bytes come from. A
//! marketplace can only stop things so, never allow them.
//!
//! ```
//! use vak_registry::{Outcome, Store};
//! use vak_trust::{Manifest, Package, PrivateKey, TrustPolicy, Validity};
//! use vak_types::Timestamp;
//!
//! let manifest = Manifest::from_toml(
//!     "name = 'rules'\nversion = '0.1.0'\nkind = 'policy'\ndescription = 'Rules.'\nlicense = 'Apache-2.0'",
//! )?;
//! let key = PrivateKey::generate()?;
//! let now = Timestamp::from_nanos(1_800_000_000_000_000_000);
//! let package = Package::unsigned(b"\0asm".to_vec(), &manifest).sign(&key, Validity::since(now));
//! let trust = TrustPolicy::of_publishers([key.public()]);
//!
//! # let folder = tempfile::tempdir()?;
//! let store = Store::at(folder.path().join("store"));
//! // Nothing is there yet that could be widened, so nobody is asked.
//! let outcome = store.install(package, &trust, now, &mut |_| false)?;
//! assert_eq!(outcome, Outcome::New);
//! assert_eq!(store.get(&"rules".parse()?)?.component, b"\0asm");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod change;
mod error;
mod fault;
mod folder;
#[cfg(test)]
mod interrupted;
mod locked;
mod lookalike;
mod record;
mod store;
mod withdrawals;
mod withdrawn;

pub use change::{Change, Concern};
pub use error::{Damage, InstallError, StoreError};
pub use lookalike::reads_like;
pub use store::{Outcome, Store};
pub use withdrawals::{Revoked, Withdrawal, WithdrawalKind, Withdrawals};
pub use withdrawn::{By, Withdrawn};
