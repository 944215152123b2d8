//! The decision path: limits, then guards, then the ledger, in one direction.
//!
//! Everything it needs from the world is a port ([`Limiter`], [`Guard`],
//! [`Ledger`]); it knows neither WebAssembly nor storage, reads no clock and
//! runs on any executor. The time of a decision is the time in its action.
//!
//! Invariants, each driven from a seed by `tests/simulation`:
//!
//! * An action is allowed only when every limit has room, at least one guard
//!   that may permit is for it, no guard is against it, no guard failed, and
//!   the ledger has acknowledged the verdict.
//! * What an allow obliges to is met by whoever asked, or the action is denied;
//!   arguments that an obligation changes are judged like those that were asked.
//! * A verdict that is not an allow consumes nothing; one that is carries what
//!   its limits hold until the outcome ([`Decided::held`]).
//! * A person's yes takes away the escalations that the person saw, and nothing
//!   else: it is no permit, and no forbid, limit or failure yields to it.
//! * A guard can make a verdict looser only by permitting, and only when it
//!   [may permit](Standing::MayPermit).
//!
//! ```
//! use std::sync::Arc;
//! use vak_pipeline::{Finding, Guard, Join, Standing};
//! use vak_types::{Action, ComponentRef, Decision, Effect, Failure, Past};
//!
//! struct Always(Effect, Arc<ComponentRef>);
//!
//! impl Guard for Always {
//!     fn component(&self) -> &Arc<ComponentRef> { &self.1 }
//!     fn standing(&self) -> Standing { Standing::RestrictOnly }
//!     fn evaluate(&self, _: &Action, _: Option<&Arc<Past>>) -> Result<Finding, Failure> {
//!         Ok(Finding { effect: self.0, rule: None, reason: "always".into(), obligations: vec![], approvals: vec![] })
//!     }
//! }
//!
//! # let component = Arc::new(ComponentRef { name: "a".parse()?, digest: vak_types::Digest::of(b""), config: None, signer: None });
//! # let request: vak_types::ActionRequest = serde_json::from_str(r#"{"agent":"a","session":"s","operation":"o","resource":"r"}"#)?;
//! # let action = request.at("1".parse()?, vak_types::Timestamp::default());
//! // A permit from a guard that may only restrict is not enough.
//! let guard = Always(Effect::Permit, component);
//! let mut join = Join::new(false);
//! join.hear(&guard, guard.evaluate(&action, None));
//! assert_eq!(join.finish().decision, Decision::Deny);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod approval;
mod join;
mod judge;
mod pipeline;
mod ports;

pub use approval::Approval;
pub use join::{Join, alone};
pub use judge::{Asked, Judged, judge};
pub use pipeline::{Decided, HeldBy, Pipeline};
pub use ports::{Able, Exceeded, Finding, Guard, Ledger, LedgerError, Limiter, Reservation, Sessions, Standing};
