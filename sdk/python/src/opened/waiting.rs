//! Allowed actions whose outcome is not known yet.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use vak::Begun;

/// Those that wait. Each leaves once: whoever takes it records its outcome. Each
/// has an object in Python that is to report of it, so there is no bound of their
/// number beside memory, and no time after which they are given up.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    open: HashMap<u64, Begun>,
    next: u64,
}

impl Waiting {
    /// Gives the number that it has from here on.
    pub(super) fn add(&self, begun: Begun) -> u64 {
        let mut table = self.lock();
        let number = table.next;
        table.next += 1;
        table.open.insert(number, begun);
        number
    }

    pub(super) fn take(&self, number: u64) -> Option<Begun> {
        self.lock().open.remove(&number)
    }

    /// Takes all out.
    pub(super) fn all(&self) -> Vec<Begun> {
        std::mem::take(&mut self.lock().open).into_values().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
