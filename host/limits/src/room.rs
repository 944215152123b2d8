//! How many buckets there may be.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use crate::counts::lock;
use crate::table::Table;

/// Counts the buckets of all tables and searches for ones to drop when there
/// are as many as there can be.
#[derive(Debug)]
pub(crate) struct Room {
    keys_max: usize,
    keys: AtomicUsize,
    search: Mutex<Search>,
}

#[derive(Debug, Default)]
struct Search {
    /// The table the next search starts at.
    next: usize,
    /// When, in nanoseconds, a search last failed.
    failed_ns: Option<u64>,
}

impl Room {
    /// Time between two searches of every table that find too little, in
    /// nanoseconds: an agent that keeps asking for new keys when there are none
    /// must not keep the host searching. Ten milliseconds are about ten times
    /// what a search takes.
    const PAUSE_NS: u64 = 10_000_000;

    /// Slots that are searched before others get at the table again: about ten
    /// microseconds.
    const SEARCH_SLOTS: usize = 1_024;

    pub(crate) fn new(keys_max: usize) -> Self {
        Self { keys_max, keys: AtomicUsize::new(0), search: Mutex::default() }
    }

    /// Counts `keys` more buckets, unless that is too many.
    pub(crate) fn claim(&self, keys: usize) -> bool {
        let more = |used: usize| used.checked_add(keys).filter(|sum| *sum <= self.keys_max);
        self.keys.fetch_update(Relaxed, Relaxed, more).is_ok()
    }

    /// Counts `keys` buckets less.
    pub(crate) fn release(&self, keys: usize) {
        if keys > 0 {
            self.keys.fetch_sub(keys, Relaxed);
        }
    }

    /// Drops full buckets until `keys` more have room; false when they don't.
    ///
    /// Holds one table at a time, so no table may be locked by the caller, and
    /// reads the time anew for each: another action may have moved it on.
    pub(crate) fn make(&self, keys: usize, latest_ns: impl Fn() -> u64, tables: &[Mutex<Table>]) -> bool {
        let mut search = self.search.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = || self.keys.load(Relaxed) + keys <= self.keys_max;
        let began_ns = latest_ns();
        let since_failure = search.failed_ns.and_then(|failed_ns| began_ns.checked_sub(failed_ns));
        if since_failure.is_some_and(|since_ns| since_ns < Self::PAUSE_NS) {
            return has_room();
        }
        for _ in tables {
            if has_room() {
                break;
            }
            search.next = (search.next + 1) % tables.len();
            let mut slots = lock(&tables[search.next]).slots();
            while slots > 0 && !has_room() {
                let count = slots.min(Self::SEARCH_SLOTS);
                let mut table = lock(&tables[search.next]);
                self.release(table.sweep(count, latest_ns()));
                slots -= count;
            }
        }
        search.failed_ns = (!has_room()).then_some(began_ns);
        search.failed_ns.is_none()
    }

    /// What to tell an action that needs a bucket and got none.
    pub(crate) fn full_message(&self) -> String {
        let keys_max = self.keys_max;
        format!("`{keys_max}` agents, operations and sessions are counted, which is the most; try again when some idle")
    }
}
