//! One token bucket whose tokens can be given back.

use crate::Rate;

/// The generic cell rate algorithm of ITU-T I.371 in its
/// form as a continuous-state leaky bucket: an action adds to a debt, time
/// takes from it, and an action fits while the debt stays within the burst.
/// Debts are in ticks (see [`Rate::cost`]), so nothing is ever rounded.
///
/// # Giving back
///
/// A bucket must end up where it would be had the given back action never
/// happened. That is not one action less debt: if the bucket was otherwise
/// full in the meantime, part of the action's debt decayed in time that would
/// have gone unused without it, and giving back the whole would credit that
/// time twice. Let `low` be the least debt since the action was added,
/// counting its own. Without the action the debt, which stops at zero, would
/// have been lower by exactly `min(cost, low)` (Lindley's recursion: the unused
/// time grows by what the action kept the debt above zero). So that is what is
/// given back, and each reservation that is still open keeps its `low`. Those
/// rise with the order of reservation, since each looks at a shorter past.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: Rate,
    /// Ticks, at `latest_ns`.
    debt: u128,
    latest_ns: u64,
    holds: Vec<Hold>,
}

/// An action that can still be given back.
#[derive(Debug)]
struct Hold {
    id: u64,
    /// The least debt since, in ticks.
    low: u128,
}

impl Bucket {
    /// Open reservations of one bucket. Each costs a walk over the others, so a
    /// thousand keeps that within microseconds. The oldest beyond it counts as
    /// committed: too strict, and never too lax.
    const HOLDS_MAX: usize = 1_024;

    /// Room for open reservations that an idle bucket keeps, so that it does
    /// not allocate in every action.
    const HOLDS_KEPT: usize = 4;

    pub(crate) fn full(rate: Rate, now_ns: u64) -> Self {
        Self { rate, debt: 0, latest_ns: now_ns, holds: Vec::new() }
    }

    /// Lets time pass until `now_ns`.
    ///
    /// A bucket from a later time is one whose clock was set back
    /// ([`Clock`](crate::clock::Clock)). How much of its debt has decayed by
    /// now is unknown, so it restarts with nothing left and has recovered
    /// within one burst, at most.
    pub(crate) fn advance(&mut self, now_ns: u64) {
        match now_ns.checked_sub(self.latest_ns) {
            Some(elapsed_ns) => self.debt = self.debt.saturating_sub(self.rate.decay(elapsed_ns)),
            None => self.debt = self.rate.capacity(),
        }
        self.latest_ns = now_ns;
        // Lows rise with age, so the first that is low enough ends the walk.
        for hold in self.holds.iter_mut().rev().take_while(|hold| hold.low > self.debt) {
            hold.low = self.debt;
        }
    }

    /// Nanoseconds until an action fits; `None` when it fits now.
    pub(crate) fn wait_ns(&self) -> Option<u64> {
        let excess = (self.debt + self.rate.cost()).saturating_sub(self.rate.capacity());
        (excess > 0).then(|| self.rate.decay_ns(excess))
    }

    /// True when the bucket equals one that was never used.
    pub(crate) fn is_full(&self) -> bool {
        self.debt == 0
    }

    /// Adds an action, to be settled later under `id`. Ids rise.
    pub(crate) fn take(&mut self, id: u64) {
        self.debt += self.rate.cost();
        if self.holds.len() == Self::HOLDS_MAX {
            self.holds.remove(0);
        }
        self.holds.push(Hold { id, low: self.debt });
    }

    /// The action `id` happened.
    pub(crate) fn keep(&mut self, id: u64) {
        if let Ok(at) = self.holds.binary_search_by_key(&id, |hold| hold.id) {
            self.remove(at);
        }
    }

    /// The action `id` did not happen.
    pub(crate) fn give_back(&mut self, id: u64) {
        let Ok(at) = self.holds.binary_search_by_key(&id, |hold| hold.id) else { return };
        let low = self.holds[at].low;
        let credit = low.min(self.rate.cost());
        self.debt -= credit;
        // The past since that action is now lower by the credit, and the past
        // of earlier ones includes it.
        for later in &mut self.holds[at..] {
            later.low -= credit;
        }
        for earlier in self.holds[..at].iter_mut().rev().take_while(|hold| hold.low > low - credit) {
            earlier.low = low - credit;
        }
        self.remove(at);
    }

    fn remove(&mut self, at: usize) {
        self.holds.remove(at);
        if self.holds.is_empty() && self.holds.capacity() > Self::HOLDS_KEPT {
            self.holds = Vec::new();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn forgets_the_oldest_of_too_many_reservations_on_the_strict_side() {
        let rate = Rate::new(2 * Bucket::HOLDS_MAX as u32, 1, Duration::from_secs(1)).unwrap();
        let mut bucket = Bucket::full(rate, 0);
        let ids = 0..Bucket::HOLDS_MAX as u64 + 3;
        ids.clone().for_each(|id| bucket.take(id));
        assert_eq!(bucket.holds.len(), Bucket::HOLDS_MAX);
        ids.for_each(|id| bucket.give_back(id));
        assert_eq!(bucket.debt, 3 * rate.cost());
        assert_eq!(bucket.holds.capacity(), 0);
    }
}
