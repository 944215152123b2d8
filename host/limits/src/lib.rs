//! Limits and budgets of the decision path: token buckets, quotas over sliding
//! windows, concurrency limits, and budgets of money or tokens.
//!
//! [`Limits::reserve`] takes one action out of every limit that covers it, or
//! out of none and says which limit and for how long ([`Exceeded`]). What was
//! taken is a [`Reservation`]. Dropped, it is given back, so that a denied,
//! failed or cancelled action consumes nothing. An action that is allowed
//! [holds](Reservation::hold) it until its outcome: [`Held::succeed`] spends it,
//! [`Held::fail`] gives back what the limit refunds, and what nobody ends
//! returns by itself.
//!
//! Counts live in memory and can be [exported](Limits::export). Time comes with
//! the action: there is no clock and no I/O in this crate.
//!
//! ```
//! use std::time::Duration;
//! use vak_limits::{Kind, Limit, Limits, Per, Rate};
//! use vak_types::{ActionRequest, Timestamp};
//!
//! let rate = Kind::rate(Rate::new(1, 10, Duration::from_secs(60))?);
//! let money = Kind::Budget {
//!     amount: 5_000_000,
//!     window: Some(Duration::from_secs(86_400)),
//!     cost: "cost_micros".to_owned(),
//!     refund: true,
//! };
//! let limits = Limits::new(vec![
//!     Limit::new("writes".parse()?, Per::Agent, "files/*".parse()?, rate),
//!     Limit::new("money".parse()?, Per::Agent, "*".parse()?, money),
//! ])?;
//!
//! let request: ActionRequest = serde_json::from_str(
//!     r#"{"agent": "ada", "session": "s1", "operation": "files/write_file", "resource": "mcp:files/write_file",
//!         "attributes": {"cost_micros": 2000000}}"#,
//! )?;
//! let now = Timestamp::from_nanos(1_700_000_000_000_000_000);
//! let action = request.at("a-1".parse()?, now);
//!
//! let denied = limits.reserve(&action)?;
//! drop(denied); // costs nothing
//! let held = limits.reserve(&action)?.hold();
//! held.succeed(&[("cost_micros", 1_500_000)], now);
//!
//! let exceeded = limits.reserve(&action).unwrap_err();
//! assert_eq!(exceeded.limit.as_str(), "writes");
//! assert!(exceeded.retry_after <= Some(Duration::from_secs(6)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod attempt;
mod bytes;
mod counts;
mod error;
mod hash;
mod limit;
mod limits;
mod lines;
mod meter;
#[cfg(all(loom, test))]
mod model;
mod rate;
mod refusal;
mod replace;
mod reservation;
mod ring;
mod room;
mod set;
mod settle;
mod shard;
mod share;
mod snapshot;
mod subject;
mod sync;
mod take;
mod time;
mod took;
mod wanted;
mod word;

pub use error::{Error, Exceeded, Signal};
pub use limit::{Kind, Limit, Mode, Per};
pub use limits::Limits;
pub use rate::Rate;
pub use reservation::{Held, Reservation};
pub use share::Share;
