//! How many keys there may be.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use vak_types::Timestamp;

/// Counts the keys of all shards.
#[derive(Debug)]
pub(crate) struct Room {
    keys_max: usize,
    keys: AtomicUsize,
    /// When a search for idle keys last found too few.
    failed: Mutex<Option<Timestamp>>,
}

impl Room {
    /// Time between two searches that find too little, in nanoseconds: an agent
    /// that keeps asking for new keys when there are none must not keep the
    /// host searching. A second is some twenty times what a search of a million
    /// keys takes.
    const PAUSE_NS: u64 = 1_000_000_000;

    pub(crate) fn new(keys_max: usize) -> Self {
        Self { keys_max, keys: AtomicUsize::new(0), failed: Mutex::default() }
    }

    /// Counts `keys` more, unless that is too many.
    pub(crate) fn claim(&self, keys: usize) -> bool {
        let more = |used: usize| used.checked_add(keys).filter(|sum| *sum <= self.keys_max);
        self.keys.fetch_update(Relaxed, Relaxed, more).is_ok()
    }

    /// Counts `keys` less.
    pub(crate) fn release(&self, keys: usize) {
        if keys > 0 {
            self.keys.fetch_sub(keys, Relaxed);
        }
    }

    /// Makes room for `keys` more by `search`, which says how many idle ones it
    /// dropped; false when that did not help.
    pub(crate) fn make(&self, keys: usize, now: Timestamp, search: impl FnOnce() -> usize) -> bool {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = || self.keys.load(Relaxed) + keys <= self.keys_max;
        let since_ns = failed.map(|failed| failed.as_nanos().abs_diff(now.as_nanos()));
        if !has_room() && since_ns.is_none_or(|since_ns| since_ns >= Self::PAUSE_NS) {
            self.release(search());
            *failed = (!has_room()).then_some(now);
        }
        has_room()
    }

    /// What to tell an action that needs a key and got none.
    pub(crate) fn full_message(&self) -> String {
        let keys_max = self.keys_max;
        format!(
            "`{keys_max}` agents, operations, sessions and labels are counted, which is the most; try again when some idle"
        )
    }
}
