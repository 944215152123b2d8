//! How much time has passed, by a clock that may be set.

use std::time::Duration;

use vak_types::Timestamp;

/// Adds up the steps that a clock makes forward. A clock that is set back does
/// not make anything younger, and one that is set forward makes it older.
#[derive(Debug)]
pub(super) struct Stopwatch {
    shows: Timestamp,
    passed: Duration,
}

impl Stopwatch {
    pub(super) fn started(now: Timestamp) -> Self {
        Self { shows: now, passed: Duration::ZERO }
    }

    /// Looks at the clock.
    pub(super) fn look(&mut self, now: Timestamp) {
        self.passed += Duration::from_nanos(now.as_nanos().saturating_sub(self.shows.as_nanos()));
        self.shows = now;
    }

    /// How much has passed since it was started.
    pub(super) fn passed(&self) -> Duration {
        self.passed
    }

    /// How much will have passed when the clock shows that, if nobody sets it.
    pub(super) fn passed_at(&self, time: Timestamp) -> Duration {
        self.passed + Duration::from_nanos(time.as_nanos().saturating_sub(self.shows.as_nanos()))
    }

    /// What the clock shows when so much will have passed, if nobody sets it.
    pub(super) fn shows_at(&self, passed: Duration) -> Timestamp {
        self.shows.after(passed.saturating_sub(self.passed))
    }
}
