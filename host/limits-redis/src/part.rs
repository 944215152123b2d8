//! What an action took of a lease.

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::terms::Key;

/// Given back when it is dropped, until it is [kept](Part::keep).
#[derive(Debug)]
pub(crate) struct Part {
    accounts: Arc<Accounts>,
    pub(crate) key: Key,
    slot: u64,
    pub(crate) amount: u64,
    kept: bool,
}

impl Part {
    pub(crate) fn new(accounts: &Arc<Accounts>, key: Key, slot: u64, amount: u64) -> Self {
        Self { accounts: Arc::clone(accounts), key, slot, amount, kept: false }
    }

    pub(crate) fn keep(&mut self) {
        self.kept = true;
    }

    /// Whether it was kept or not.
    pub(crate) fn give_back(&self, amount: u64) {
        self.accounts.give_back(self.key, self.slot, amount);
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.kept {
            self.give_back(self.amount);
        }
    }
}
