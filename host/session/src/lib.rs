//! What sessions did before, for policies that judge an action by it.
//!
//! [`Sessions`] remembers a day, bounded in sessions, steps and bytes, and knows
//! since when it remembers everything: what was evicted is never mistaken for
//! what did not happen. [`Replay`] finds the same pasts again in a log.
//!
//! ```
//! use vak_session::Sessions;
//! use vak_types::{ActionRequest, Timestamp};
//!
//! let request: ActionRequest = serde_json::from_str(
//!     r#"{"agent": "ada", "session": "s1", "operation": "files/read", "resource": "a"}"#,
//! )?;
//! let sessions = Sessions::new(Timestamp::from_nanos(0));
//! for id in ["1", "2", "3"] {
//!     let action = request.clone().at(id.parse()?, Timestamp::from_nanos(1_700_000_000_000_000_000));
//!     let mark = sessions.turn(&action, &mut |past| past.mark().steps < 2);
//!     println!("{id} was judged upon {} steps", mark.steps);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod replay;
mod sessions;
mod table;

pub use replay::{Replay, Unlike};
pub use sessions::Sessions;

use std::time::Duration;

/// How far back a past reaches.
pub const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);
