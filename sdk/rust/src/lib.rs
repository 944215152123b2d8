//! Write VAK components in Rust.
//!
//! A component is a library crate of type `cdylib` that depends on this crate
//! with exactly one feature: `policy`, `scorer`, `adapter` or `skill`, or the same
//! after `configurable-` when it takes configuration. A whole policy:
//!
//! ```
//! # #[cfg(feature = "policy")] mod example {
//! use vak_sdk::policy::{Action, Description, Effect, Finding, JudgeError, Policy};
//!
//! #[derive(Default)]
//! struct NoShell;
//!
//! impl Policy for NoShell {
//!     fn evaluate(&self, action: &Action) -> Result<Finding, JudgeError> {
//!         match action.operation.ends_with("/shell") {
//!             true => Ok(Finding::forbid("no-shell", "agents may not open a shell")),
//!             false => Ok(Finding::abstain()),
//!         }
//!     }
//!
//!     fn describe(&self) -> Description {
//!         Description::of("Keeps agents out of shells.").rule("no-shell", Effect::Forbid, "No shells.")
//!     }
//! }
//!
//! vak_sdk::export_policy!(NoShell);
//! # }
//! ```
//!
//! There is no clock, no randomness and no I/O in a policy or scorer: its answer
//! depends on the action and its configuration alone. A panic is a deny.

#[cfg(any(feature = "policy", feature = "scorer"))]
#[doc(hidden)]
pub mod arena;
#[doc(hidden)]
pub mod bindings;
#[cfg(feature = "configure")]
mod configure;
#[cfg(any(feature = "policy", feature = "scorer", feature = "adapter", feature = "skill"))]
pub mod log;

#[cfg(feature = "adapter")]
pub mod adapter;
#[cfg(feature = "skill")]
pub mod memory;
#[cfg(feature = "policy")]
pub mod policy;
#[cfg(feature = "scorer")]
pub mod scorer;
#[cfg(feature = "skill")]
pub mod secrets;
#[cfg(feature = "policy")]
pub mod session;
#[cfg(feature = "skill")]
pub mod skill;
