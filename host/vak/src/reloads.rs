//! How changes of a host's configuration went.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// How changes of a running host's configuration went, as whoever reads it again
/// says. For those who look after it.
#[derive(Debug, Default)]
pub struct Reloads {
    failed: AtomicU64,
    stale: Mutex<Option<String>>,
}

impl Reloads {
    /// What is configured decides.
    pub fn current(&self) {
        *self.stale.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What is configured does not load, so what was before goes on.
    pub fn failed(&self, why: String) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        *self.stale.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    /// How often that was so since the host was started.
    pub fn failures(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Why what is configured does not decide, where that is so.
    pub fn stale(&self) -> Option<String> {
        self.stale.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
