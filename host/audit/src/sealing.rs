//! Sealing the next commit while the disk has the one before.
//!
//! Whoever seals holds the ledger: the committer before each commit, and beside
//! it, while the disk is busy, a thread that seals ahead. Entries leave the
//! queue only under that lock, so their order is the queue's.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use crate::ledger::{Commit, Head, Ledger};
use crate::log::{AppendError, StopCause};
use crate::queue::{Pending, Queue};

#[derive(Debug)]
pub(crate) struct Sealing {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    ledger: Ledger,
    /// What is sealed and not yet being written.
    sealed: Commit,
    /// Empty but while it is sealed.
    batch: VecDeque<Pending>,
    /// Why an entry could not be sealed: those after it have other places than
    /// they were told.
    failed: Option<StopCause>,
}

impl Sealing {
    pub(crate) fn new(ledger: Ledger) -> Self {
        Self { state: Mutex::new(State { ledger, sealed: Commit::default(), batch: VecDeque::new(), failed: None }) }
    }

    /// Seals ahead until the queue is closed or stopped.
    pub(crate) fn run_ahead(&self, queue: &Queue) {
        let _guard = StopOnPanic(queue);
        while queue.wait_for_enough() {
            let sealed = self.lock().and_then(|mut state| state.seal(queue));
            if let Err(cause) = sealed {
                queue.stop(cause);
            }
        }
    }

    /// Seals what is left and swaps all that is sealed into `commit`, which has
    /// to be empty. `None` if there was nothing.
    pub(crate) fn take(&self, queue: &Queue, commit: &mut Commit) -> Result<Option<Head>, StopCause> {
        let mut state = self.lock()?;
        state.seal(queue)?;
        if state.sealed.entries.is_empty() {
            return Ok(None);
        }
        std::mem::swap(&mut state.sealed, commit);
        let head = state.ledger.end(commit);
        drop(state);
        queue.free(commit.entries.len(), commit.room_bytes, commit.awaited());
        Ok(Some(head))
    }

    /// Tells whoever waits for what is sealed that it will not be written. To
    /// be called when the queue has stopped.
    pub(crate) fn refuse(&self, cause: &StopCause) {
        // What a panic left half sealed nobody is told of; who waits for it
        // finds out from the queue.
        let Ok(mut state) = self.lock() else { return };
        let State { sealed, batch, .. } = &mut *state;
        let rest = batch.drain(..).map(|pending| pending.done);
        for done in sealed.waiting.drain(..).chain(rest).flatten() {
            done.send(Err(AppendError::Stopped(cause.clone()))).unwrap_or(());
        }
    }

    /// A lock that is poisoned has a ledger that is not whole.
    fn lock(&self) -> Result<MutexGuard<'_, State>, StopCause> {
        self.state.lock().map_err(|_| StopCause::Panicked)
    }
}

impl State {
    fn seal(&mut self, queue: &Queue) -> Result<(), StopCause> {
        queue.take(&mut self.batch);
        let Self { ledger, sealed, batch, failed } = self;
        while failed.is_none()
            && let Some(pending) = batch.pop_front()
        {
            *failed = ledger.seal(pending, sealed).err().map(StopCause::from);
        }
        failed.clone().map_or(Ok(()), Err)
    }
}

/// Without one of its threads a log takes nothing more.
pub(crate) struct StopOnPanic<'q>(pub(crate) &'q Queue);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop(StopCause::Panicked);
        }
    }
}
