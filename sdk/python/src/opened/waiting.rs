//! Allowed actions whose outcome is not known yet.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use vak::{Action, Decided, Json};

/// An allowed action whose outcome is not known yet.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) action: Action,
    pub(super) decided: Decided,
}

/// Those that wait. Each leaves once: whoever takes it records its outcome. Each
/// has an object in Python that is to report of it, so there is no bound of their
/// number beside memory, and no time after which they are given up.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    open: HashMap<u64, Open>,
    next: u64,
}

impl Waiting {
    /// Gives the number that it has from here on.
    pub(super) fn add(&self, mut action: Action, mut decided: Decided) -> u64 {
        // An outcome needs nothing of what is large in them.
        action.arguments = Json::default();
        action.attributes = BTreeMap::new();
        action.labels = Vec::new();
        decided.verdict.reasons = Vec::new();
        decided.verdict.obligations = Vec::new();
        decided.arguments = None;
        let mut table = self.lock();
        let number = table.next;
        table.next += 1;
        table.open.insert(number, Open { action, decided });
        number
    }

    pub(super) fn take(&self, number: u64) -> Option<Open> {
        self.lock().open.remove(&number)
    }

    /// Takes all out.
    pub(super) fn all(&self) -> Vec<Open> {
        std::mem::take(&mut self.lock().open).into_values().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
