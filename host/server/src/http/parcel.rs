//! An allowed verdict on its way to the client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use super::desk::Desk;

/// Whether a verdict has begun to leave the host. When nobody holds it any more
/// and it has not, it never will: the decision is withdrawn.
#[derive(Debug)]
pub(crate) struct Parcel {
    desk: Arc<Desk>,
    /// Its number among those that wait.
    number: u64,
    left: Arc<AtomicBool>,
    /// Dropped when a withdrawal is recorded, and what it held is given back.
    undone: watch::Sender<()>,
}

/// What is known of a parcel also when it is gone.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    left: Arc<AtomicBool>,
    undone: watch::Receiver<()>,
}

impl Trace {
    /// Whether it has left.
    pub(crate) fn has_left(&self) -> bool {
        self.left.load(Ordering::Acquire)
    }

    /// Ends when nothing of a withdrawn decision is held any more.
    pub(crate) async fn undone(mut self) {
        // Nothing is ever sent.
        while self.undone.changed().await.is_ok() {}
    }
}

impl Parcel {
    pub(crate) fn new(desk: Arc<Desk>, number: u64) -> Self {
        Self { desk, number, left: Arc::default(), undone: watch::Sender::new(()) }
    }

    /// What tells whether it has left, also when it is gone.
    pub(crate) fn trace(&self) -> Trace {
        Trace { left: Arc::clone(&self.left), undone: self.undone.subscribe() }
    }

    /// The first of its bytes was written.
    pub(crate) fn left(&self) {
        self.left.store(true, Ordering::Release);
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        if !self.left.load(Ordering::Acquire) {
            self.desk.withdraw(self.number, std::mem::take(&mut self.undone));
        }
    }
}
