//! WASI for components: exactly as granted, or a stand-in that gives nothing.
//!
//! What people write with the standard library of their language imports WASI,
//! whether it uses it or not. [`link`] gives each such import what the component
//! is granted: to a skill with a right to the clock, chance, the environment,
//! directories or HTTP, wasmtime's own implementation of that and of nothing
//! else, out of what [`Reach`] opened when the skill was loaded; to everybody
//! else stand-ins, so that it loads and runs and its answers depend on its input
//! alone: time stands still, chance is the same in every call, there are no files
//! and no environment, and what it prints are lines of the log. There are no
//! sockets, whatever is granted. Calls that may wait are bounded by [`wait`].
//!
//! ```
//! use std::time::Duration;
//!
//! use vak_types::{Granted, Requested};
//! use vak_wasi::{Reach, WaitError, may_wait, wait};
//!
//! let asked: Requested = serde_json::from_str(r#"{"clock": true, "directories": {"/notes": "read"}}"#)?;
//! let granted: Granted = serde_json::from_str(r#"{"directories": {"/notes": {"host": "/nowhere"}}}"#)?;
//! let effective = granted.to(&asked);
//! assert!(may_wait(&effective.capabilities()));
//! let error = Reach::open(&"notes".parse()?, &effective, None).err();
//! assert!(error.is_some_and(|error| error.to_string().starts_with("`/nowhere`, its `/notes`, cannot be opened")));
//!
//! let ten_years = std::future::pending::<()>();
//! assert!(matches!(wait(Duration::from_millis(10), ten_years), Err(WaitError::TimedOut)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod granted;
mod http;
mod link;
mod output;
mod stand_in;
mod wait;

pub use granted::{DirectoryError, GrantError, Reach};
pub use link::{link, link_to_configure, may_wait};
pub use output::{Output, Sink, Stream};
pub use wait::{WaitError, wait};
