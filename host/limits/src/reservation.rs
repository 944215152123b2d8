//! What an action took, until it is known what becomes of it.

use std::sync::Arc;

use vak_types::{Action, Timestamp};

use crate::attempt::Stop;
use crate::limits::Handle;
use crate::settle::Settle;
use crate::took::Reserved;
use crate::{Exceeded, Signal};

/// An action's share of its limits, until it is decided. Given back when
/// dropped, which is what happens on a deny, on a failure and when the caller
/// is cancelled; [`hold`](Reservation::hold) is for an action that was allowed.
///
/// It owns what it needs, so it can be held across an await and settled on
/// another thread. After giving it back the limits are where they would be had
/// the action never asked.
#[derive(Debug)]
#[must_use = "a reservation that is dropped is given back"]
pub struct Reservation {
    handle: Arc<Handle>,
    reserved: Reserved,
}

impl Reservation {
    pub(crate) fn of(action: &Action, handle: &Arc<Handle>) -> Result<Self, Exceeded> {
        let Handle { set, counts } = &**handle;
        let mut reserved = Reserved::default();
        let mut stop = counts.take(set, action, &mut reserved);
        while let Err(Stop::Stale) = stop {
            // Rare, and it ends: the limits are not replaced all the time.
            reserved = Reserved::default();
            stop = counts.take(&counts.current(), action, &mut reserved);
        }
        let reservation = Self { handle: Arc::clone(handle), reserved };
        match stop {
            Err(Stop::Exceeded(exceeded)) => Err(exceeded),
            _ => Ok(reservation),
        }
    }

    /// What the limits have to tell: which are nearly used up, and which would
    /// have stopped the action if they were enforced.
    pub fn signals(&self) -> &[Signal] {
        &self.reserved.signals
    }

    /// The action is allowed. What is spent by a call that was started is
    /// spent; the rest is held until the outcome.
    pub fn hold(mut self) -> Held {
        let Handle { set, counts } = &*self.handle;
        counts.settle(set, &mut self.reserved, Settle::Hold);
        Held { handle: Arc::clone(&self.handle), reserved: std::mem::take(&mut self.reserved) }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let Handle { set, counts } = &*self.handle;
        counts.settle(set, &mut self.reserved, Settle::GiveBack);
    }
}

/// An allowed action's share of its limits, until its outcome is known.
///
/// Dropping it ends nothing: what it holds returns when the time of the limit
/// is up. An outcome that comes later than that is welcome; a success is then
/// booked and nothing is given back twice.
#[derive(Debug)]
pub struct Held {
    handle: Arc<Handle>,
    reserved: Reserved,
}

impl Held {
    /// False when the outcome makes no difference to any limit.
    pub fn awaits_outcome(&self) -> bool {
        !self.reserved.takes.is_empty()
    }

    /// As [`Reservation::signals`].
    pub fn signals(&self) -> &[Signal] {
        &self.reserved.signals
    }

    /// The action did what it was to do: what it cost is spent. `actual` has the
    /// costs that turned out to be others than reserved, by attribute.
    ///
    /// A higher cost than reserved is booked in full. It can put a budget into
    /// debt, which blocks further actions until it has left the window.
    pub fn succeed(mut self, actual: &[(&str, u64)], now: Timestamp) {
        self.end(Settle::Succeed(actual, now));
    }

    /// The action failed: what its limits refund comes back.
    pub fn fail(mut self, now: Timestamp) {
        self.end(Settle::Fail(now));
    }

    fn end(&mut self, how: Settle<'_>) {
        let Handle { set, counts } = &*self.handle;
        counts.settle(set, &mut self.reserved, how);
    }
}
