//! What the session of the action that is judged did before, for policies that
//! say so with [`asking_for_session`](crate::policy::Description::asking_for_session).
//!
//! ```no_run
//! use vak_sdk::session::{self, SessionError};
//!
//! # fn main() -> Result<(), SessionError> {
//! // Whether three payments were allowed within the last hour.
//! let enough = session::count("payments/*", 3_600_000)?.allowed >= 3;
//! // Whether anything from the web was looked at today.
//! let tainted = session::labels(86_400_000)?.iter().any(|origin| origin.label == "web");
//! # Ok(()) }
//! ```

pub use crate::bindings::policy::vak::host::session::{Origin, SessionError, Step, Tally};

use crate::bindings::policy::vak::host::session;

/// The actions of the last `within_ms` milliseconds, newest first, 64 at the
/// most.
///
/// # Errors
/// The host does not remember all of that time.
pub fn recent(within_ms: u64) -> Result<Vec<Step>, SessionError> {
    session::recent(within_ms)
}

/// How many actions of the last `within_ms` milliseconds there were of these
/// operations: one (`files/read`), those that begin with what is before a `*` at
/// the end (`files/*`), or all (`*`).
///
/// # Errors
/// The host does not remember all of that time, or `operations` is no pattern.
pub fn count(operations: &str, within_ms: u64) -> Result<Tally, SessionError> {
    session::count(operations, within_ms)
}

/// The labels that actions of the last `within_ms` milliseconds had, each with
/// the first of them.
///
/// # Errors
/// The host does not remember all of that time.
pub fn labels(within_ms: u64) -> Result<Vec<Origin>, SessionError> {
    session::labels(within_ms)
}
