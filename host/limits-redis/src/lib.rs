//! Quotas and budgets that several hosts share. How much all of them used is
//! counted in Redis; a host *leases* a slice of it, a twentieth or what an
//! action costs, and spends that by itself until a twelfth of the window is
//! over. Then it gives back what is left, and leases anew.
//!
//! ```
//! use std::time::Duration;
//! use vak_limits::{Kind, Limit, Per};
//! use vak_limits_redis::{Shared, Sharing};
//! use vak_types::{ActionRequest, Timestamp};
//!
//! let quota = Kind::Quota { actions: 100, window: Duration::from_secs(60), refund: false };
//! let limit = Limit::new("calls".parse()?, Per::Agent, "*".parse()?, quota);
//! let request: ActionRequest =
//!     serde_json::from_str(r#"{"agent": "ada", "session": "s1", "operation": "pay", "resource": "r"}"#)?;
//! let action = request.at("a-1".parse()?, Timestamp::from_nanos(0));
//!
//! // Nobody listens on this port: what nobody counts is not allowed.
//! let shared = Shared::new(&Sharing::new("redis://127.0.0.1:1/0", "vak", 50)?, vec![limit])?;
//! let exceeded = shared.reserve(&action).unwrap_err();
//! assert_eq!(exceeded.limit.as_str(), "calls");
//! assert_eq!(exceeded.retry_after, Some(Duration::from_secs(1)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What holds
//!
//! **Never more than the amount in any window**, all hosts together: a lease
//! counts as used from its first moment on, in the slot that Redis's clock says,
//! and until the whole slot is older than the window. No host's clock has a part
//! in it but for the end of a slot, and of that only how fast it goes: a host
//! counts from before it asked, and stops a thousandth early. What it depends on
//! is that Redis forgets nothing. A restart without persistence, `FLUSHALL`, an
//! eviction or a failover that loses writes makes it forget leases, and up to
//! once more the amount can be admitted then; so use `noeviction`. A clock of
//! Redis that is set back makes leases count longer, and may have each host give
//! back a slice too much.
//!
//! **At most a slice less**, for each host and subject, and what came back to it
//! from actions that were denied, failed or cost less: what one has leased others
//! can't use, until it gives it back with its next lease or it has left the
//! window. What a host has when it ends is lost for as long.
//!
//! **No decision waits longer than the time-out**, which one thread of its own
//! makes sure of: it connects, asks and reads, and whoever waits for it gives up
//! in time. After a failure Redis is not asked for a second. While it is away
//! what is leased is spent, and the rest is denied.
//!
//! **What was spent beyond what was reserved** is taken out of the lease, then
//! booked at Redis; while that is away the host remembers it, and forgets it when
//! it ends. A question whose answer got lost may book it twice, and never gives
//! anything back twice.
//!
//! Redis 5 or newer, over TCP without TLS. Keys expire by themselves.

#![forbid(unsafe_code)]

mod accounts;
mod away;
mod error;
mod lessor;
mod link;
mod part;
mod reservation;
mod script;
mod shared;
mod sharing;
mod terms;
mod until;
mod worker;

pub use error::Error;
pub use reservation::{Held, Reservation};
pub use shared::Shared;
pub use sharing::Sharing;
