//! What one subject uses of a quota, a budget or a concurrency limit.

use vak_types::Timestamp;

use crate::ring::{Ring, Slice};
use crate::subject::Key;

/// What is spent and what is held, each in slices of time.
///
/// An amount is held from its reservation until somebody says what became of
/// it, and then spent or gone. That nobody ever says it needs no list of
/// reservations and no timer: its slice leaves the ring, and it has returned.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    pub(crate) key: Key,
    /// Names this run of slices. Where an amount lies is known only within it.
    pub(crate) epoch: u32,
    pub(crate) spent: Ring<SPENT_SLICES>,
    pub(crate) held: Ring<HELD_SLICES>,
}

/// Twelve and the one in progress: two hours of a day, two and a half days of
/// a month.
pub(crate) const SPENT_SLICES: usize = 13;

/// Four and the one in progress: what nobody ends is rare.
pub(crate) const HELD_SLICES: usize = 5;

/// The terms of a limit as a meter reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Most spent and held together.
    pub(crate) amount: u64,
    /// Of what is spent.
    pub(crate) window: Slice,
    /// Of what is held.
    pub(crate) hold: Slice,
    /// Whether what was held is spent in the end.
    pub(crate) spends: bool,
    /// Whether it depends on the outcome what becomes of what is held.
    pub(crate) waits: bool,
}

/// Numbers for runs of slices, none twice among four billion of one shard.
#[derive(Debug, Default)]
pub(crate) struct Epochs(u32);

impl Epochs {
    pub(crate) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(1);
        self.0
    }
}

/// An amount that is held, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) amount: u64,
    pub(crate) epoch: u32,
    pub(crate) slice: u64,
}

impl Meter {
    pub(crate) fn new(key: Key, epochs: &mut Epochs) -> Self {
        Self { key, epoch: epochs.next(), spent: Ring::empty(), held: Ring::empty() }
    }

    /// Lets time pass until `now`.
    pub(crate) fn advance(&mut self, terms: Terms, now: Timestamp, epochs: &mut Epochs) {
        let spent_back = self.spent.advance(terms.window, now);
        let held_back = self.held.advance(terms.hold, now);
        if spent_back || held_back {
            self.epoch = epochs.next();
        }
    }

    pub(crate) fn used(&self) -> u64 {
        self.spent.total().saturating_add(self.held.total())
    }

    /// How much of the amount is used, in percent.
    pub(crate) fn used_percent(&self, terms: Terms) -> u64 {
        u64::try_from(u128::from(self.used()) * 100 / u128::from(terms.amount.max(1))).unwrap_or(u64::MAX)
    }

    /// True when the meter equals one that was never used.
    pub(crate) fn is_idle(&self) -> bool {
        self.used() == 0
    }

    /// `Err` says from when on, in nanoseconds, `amount` fits if nothing else
    /// happens; `u64::MAX` for never.
    pub(crate) fn check(&self, terms: Terms, amount: u64) -> Result<(), u64> {
        let mut excess = self.used().saturating_add(amount).saturating_sub(terms.amount);
        if excess == 0 {
            return Ok(());
        }
        let (mut spent, mut held) =
            (self.spent.leaving(terms.window).peekable(), self.held.leaving(terms.hold).peekable());
        loop {
            let spent_first = match (spent.peek(), held.peek()) {
                (Some((spent_ns, _)), Some((held_ns, _))) => spent_ns <= held_ns,
                (spent, _) => spent.is_some(),
            };
            let Some((at_ns, leaves)) = (if spent_first { spent.next() } else { held.next() }) else {
                return Err(u64::MAX);
            };
            if leaves >= excess {
                return Err(at_ns);
            }
            excess -= leaves;
        }
    }

    /// Holds `amount`.
    pub(crate) fn hold(&mut self, amount: u64) -> Part {
        self.held.add(amount);
        Part { amount, epoch: self.epoch, slice: self.held.head }
    }

    /// Ends the holding of `part`, unless it has ended by itself. Of another
    /// epoch it is unknown whether it has; it then returns when its time is up.
    pub(crate) fn release(&mut self, part: Part) {
        if part.epoch == self.epoch {
            self.held.remove(part.slice, part.amount);
        }
    }

    /// Books `amount` as spent, whether or not it fits.
    pub(crate) fn spend(&mut self, terms: Terms, amount: u64) {
        if terms.spends {
            self.spent.add(amount);
        }
    }

    /// The same use under other terms.
    pub(crate) fn under(&self, from: Terms, to: Terms, now: Timestamp, epochs: &mut Epochs) -> Self {
        let mut meter = self.clone();
        if (from.window, from.hold, from.spends) != (to.window, to.hold, to.spends) {
            meter.advance(from, now, epochs);
            meter.spent = meter.spent.resliced(from.window, to.window, now);
            meter.held = meter.held.resliced(from.hold, to.hold, now);
            meter.epoch = epochs.next();
        }
        meter
    }
}
