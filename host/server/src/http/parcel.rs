//! An allowed verdict on its way to the client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::desk::Desk;

/// Whether a verdict has begun to leave the host. When nobody holds it any more
/// and it has not, it never will: the decision is withdrawn.
#[derive(Debug)]
pub(crate) struct Parcel {
    desk: Arc<Desk>,
    /// Its number among those that wait.
    number: u64,
    left: Arc<AtomicBool>,
}

impl Parcel {
    pub(crate) fn new(desk: Arc<Desk>, number: u64) -> Self {
        Self { desk, number, left: Arc::default() }
    }

    /// What tells whether it has left, also when it is gone.
    pub(crate) fn mark(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.left)
    }

    /// The first of its bytes was written.
    pub(crate) fn left(&self) {
        self.left.store(true, Ordering::Release);
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        if !self.left.load(Ordering::Acquire) {
            self.desk.withdraw(self.number);
        }
    }
}
