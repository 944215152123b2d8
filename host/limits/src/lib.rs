//! Rate limits of the decision path. [`Limits::reserve`] takes one action out
//! of every limit that covers it, or out of none and says which limit and for
//! how long ([`Exceeded`]). What was taken is a [`Reservation`]: committed when
//! the action is allowed, given back exactly when it is dropped instead, so
//! that a denied, failed or cancelled action consumes nothing.
//!
//! Counts live in this process's memory and start afresh with it. Time comes
//! with the action: there is no clock and no I/O in this crate.
//!
//! ```
//! use std::time::Duration;
//! use vak_limits::{Limit, Limits, Per, Rate};
//! use vak_types::{ActionRequest, Timestamp};
//!
//! let limits = Limits::new(vec![Limit {
//!     name: "writes".parse()?,
//!     per: Per::Agent,
//!     operations: "files/*".parse()?,
//!     rate: Rate::new(1, 10, Duration::from_secs(60))?,
//! }])?;
//!
//! let request: ActionRequest = serde_json::from_str(
//!     r#"{"agent": "ada", "session": "s1", "operation": "files/write_file", "resource": "mcp:files/write_file"}"#,
//! )?;
//! let action = request.at("a-1".parse()?, Timestamp::from_nanos(1_700_000_000_000_000_000));
//!
//! let denied = limits.reserve(&action)?;
//! drop(denied); // costs nothing
//! limits.reserve(&action)?.commit();
//!
//! let exceeded = limits.reserve(&action).unwrap_err();
//! assert_eq!(exceeded.limit.as_str(), "writes");
//! assert_eq!(exceeded.retry_after, Some(Duration::from_secs(6)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod bucket;
mod clock;
mod counts;
mod error;
mod limit;
mod limits;
mod pattern;
mod rate;
mod reservation;
mod room;
mod subject;
mod table;

pub use error::{Error, Exceeded};
pub use limit::{Limit, Per};
pub use limits::Limits;
pub use pattern::OperationPattern;
pub use rate::Rate;
pub use reservation::Reservation;
