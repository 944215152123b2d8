//! How the times of actions are read.

use vak_types::Timestamp;

/// Ten seconds: longer than a thread waits for a processor on a busy machine.
///
/// Actions arrive out of order: a thread can lose the processor between
/// reading the clock and asking here. State that is ahead of an action by no
/// more than this is ahead because of that, and time stands still for the
/// action. State that is further ahead comes from a clock that was set back.
///
/// There is no time shared by all keys: each judges by what it was last used
/// at, so a wrong time reaches no further than the keys of the actions that
/// had it.
pub(crate) const REORDER_NS: u64 = 10_000_000_000;

/// Time in microseconds since the Unix epoch: short enough for any rate, and 54
/// bits of them reach to the year 2540.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tick(pub(crate) u64);

impl Tick {
    pub(crate) const NS: u64 = 1_000;

    pub(crate) fn of(time: Timestamp) -> Self {
        Self(time.as_nanos() / Self::NS)
    }

    /// Nanoseconds from `time` until this tick begins.
    pub(crate) fn after_ns(self, time: Timestamp) -> u64 {
        self.0.saturating_mul(Self::NS).saturating_sub(time.as_nanos())
    }
}
