//! What an action took, until it is known whether it happens.

use std::sync::Arc;

use vak_types::Action;

use crate::Exceeded;
use crate::counts::{Counts, Settle, Takes};

/// An action's share of its limits. Given back when dropped, which is what
/// happens on a deny, on a failure and when the caller is cancelled;
/// [`commit`](Reservation::commit) keeps it spent.
///
/// It owns what it needs, so it can be held across an await and settled on
/// another thread. After giving it back the limits are where they would be had
/// the action never asked, however much has happened in between.
#[derive(Debug)]
#[must_use = "a reservation that is dropped is given back"]
pub struct Reservation {
    counts: Arc<Counts>,
    takes: Takes,
}

impl Reservation {
    pub(crate) fn of(action: &Action, counts: &Arc<Counts>) -> Result<Self, Exceeded> {
        let mut reservation = Self { counts: Arc::clone(counts), takes: Takes::new() };
        counts.take(action, &mut reservation.takes)?;
        Ok(reservation)
    }

    /// The action happens: what it took stays spent.
    pub fn commit(mut self) {
        self.counts.settle(&self.takes, Settle::Keep);
        self.takes.clear();
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.counts.settle(&self.takes, Settle::GiveBack);
    }
}
