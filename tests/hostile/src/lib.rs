//! Hosts with hostile components in them, for the tests beside this crate.
//!
//! What Rust guests can do wrong is in `policy/` and `skill/`; what they can't
//! is [`WatPolicy`]. Either way the component is signed by a publisher that the
//! host trusts: what stops it is the sandbox.
//!
//! ```
//! use vak_hostile::{decide, install};
//! use vak_test_support::Site;
//! use vak_types::FailureKind;
//!
//! let site = install(Site::new(), "hostile-policy", "", "");
//! let host = site.host();
//! let decided = decide(&host, "hostile/panic");
//! assert_eq!(decided.verdict.reasons[0].failure, Some(FailureKind::Trap));
//! assert!(decide(&host, "good/act").verdict.is_allow());
//! ```

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc)]

mod check;
mod site;
mod wat_policy;

pub use check::{decide, denied, entry, verified};
pub use site::{PATIENT, install, manifest, publish, section};
pub use wat_policy::WatPolicy;
