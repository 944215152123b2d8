//! Whether it is of any use to ask Redis.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long Redis is not asked after it failed. A dead one costs one time-out in
/// this time and not one a decision.
pub(crate) const AWAY: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(crate) struct Away(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// It failed, and is not asked until then.
    failed: Option<(Instant, String)>,
    /// When the question was put that is not answered yet.
    asking: Option<Instant>,
}

impl Away {
    /// Why nobody is to wait for Redis now. A question that is open for longer
    /// than the time-out is as good as failed: its name is being looked up.
    pub(crate) fn reason(&self, timeout: Duration) -> Option<String> {
        let state = self.lock();
        let now = Instant::now();
        match (&state.failed, state.asking) {
            (Some((until, why)), _) if now < *until => Some(why.clone()),
            (_, Some(since)) if now > since + timeout => Some("no answer in time".to_owned()),
            _ => None,
        }
    }

    /// Asks, and notes for how long and whether it failed.
    pub(crate) fn asking<T, E: std::fmt::Display>(&self, ask: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
        self.lock().asking = Some(Instant::now());
        let answer = ask().map_err(|error| error.to_string());
        let mut state = self.lock();
        state.asking = None;
        if let Err(why) = &answer {
            tracing::warn!("Redis is away: {why}; shared limits deny beyond what is leased already");
            state.failed = Some((Instant::now() + AWAY, why.clone()));
        }
        answer
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that may panic runs while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
