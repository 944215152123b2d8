//! How long a lease may be spent, by this host's clocks.

use std::time::{Duration, Instant, SystemTime};

/// A moment, by the clock that nobody sets and by the one that goes on while a
/// machine sleeps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    steady: Instant,
    wall: SystemTime,
}

/// The end of a span: when either of the clocks is past it, it is over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Until(Moment);

impl Moment {
    pub(crate) fn now() -> Self {
        Self { steady: Instant::now(), wall: SystemTime::now() }
    }

    /// This long after it, by the clock of Redis. It ends a thousandth earlier:
    /// clocks that go on by themselves differ by less than a tenth of that.
    pub(crate) fn until_theirs(self, after: Duration) -> Until {
        self.until(after - after / 1_000)
    }

    /// How long ago `earlier` was.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        self.steady.saturating_duration_since(earlier.steady)
    }

    pub(crate) fn until(self, after: Duration) -> Until {
        let Self { steady, wall } = self;
        // Spans are at most a month, so neither overflows; if one did the span
        // would be over at once.
        Until(Self {
            steady: steady.checked_add(after).unwrap_or(steady),
            wall: wall.checked_add(after).unwrap_or(wall),
        })
    }
}

impl Until {
    pub(crate) fn is_over(self, now: Moment) -> bool {
        now.steady >= self.0.steady || now.wall >= self.0.wall
    }
}
