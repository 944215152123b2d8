//! Runs a component against cases, for whoever writes it: in the engine that a
//! host has, with the same limits, and only with the rights it asks for.
//!
//! A case is a folder. Its `input.json` is what the component is called with:
//! an action for a policy or a scorer, the tool's input for a skill, a
//! framework's message for an adapter. `expected.json` is what it answers; of
//! an object only what stands there is compared. `config.toml` (or any other
//! `config.*`) is its configuration, and `host.json` what the host answers.
//!
//! ```
//! use vak_workbench::{Case, CaseError};
//!
//! let folder = std::path::Path::new("no-such-folder");
//! assert!(matches!(Case::read_all(folder), Err(CaseError::Io { .. })));
//! ```

#![forbid(unsafe_code)]

mod answer;
mod case;
mod compare;
mod pace;
mod workbench;

pub use case::{Case, CaseError};
pub use compare::Difference;
pub use pace::Pace;
pub use workbench::{COMPILED, Workbench, WorkbenchError, described};
