//! The thread that writes: one commit a batch, one sync a commit.

use std::sync::Arc;
use std::time::Duration;

use crate::follow::Watch;
use crate::ledger::{Commit, Head};
use crate::log::{AppendError, Committed, StopCause};
use crate::queue::Queue;
use crate::sealing::{Sealing, StopOnPanic};
use crate::store::{Batch, StorageError, Store};
use crate::{Checkpoint, Origin};

/// How long entries that nobody waits for are gathered for one commit. A crash
/// loses them, as it loses those whose commit is under way; and a commit of a few
/// costs as much as one of a hundred.
const GATHER: Duration = Duration::from_millis(5);

/// The one writer of a log.
#[derive(Debug)]
pub(crate) struct Committer {
    store: Box<dyn Store>,
    sealing: Arc<Sealing>,
    origin: Origin,
    /// The last one that is durable.
    checkpoint: Checkpoint,
}

impl Committer {
    /// Continues the log in `store` after `checkpoint`.
    pub(crate) fn new(store: Box<dyn Store>, sealing: Arc<Sealing>, checkpoint: Checkpoint) -> Self {
        Self { store, sealing, origin: checkpoint.origin().clone(), checkpoint }
    }

    /// Commits until the queue is closed or a commit fails; gives the last
    /// checkpoint that is durable.
    pub(crate) fn run(mut self, queue: &Queue, watch: &Watch) -> Checkpoint {
        let _end = EndOnExit(watch);
        let _stop = StopOnPanic(queue);
        let mut commit = Commit::default();
        if let Err(cause) = self.commit_all(queue, watch, &mut commit) {
            // First, so that nobody who is told of it can append once more.
            queue.stop(cause.clone());
            for done in commit.waiting.drain(..).flatten() {
                done.send(Err(AppendError::Stopped(cause.clone()))).unwrap_or(());
            }
            self.sealing.refuse(&cause);
        }
        self.checkpoint
    }

    fn commit_all(&mut self, queue: &Queue, watch: &Watch, commit: &mut Commit) -> Result<(), StopCause> {
        let mut next = Commit::default();
        loop {
            // Before the last commit is told of: those who hear of it append
            // again, and the ledger is taken then.
            let head = self.sealing.take(queue, &mut next);
            self.tell(commit, watch);
            match head? {
                Some(head) => {
                    std::mem::swap(&mut next, commit);
                    self.commit(&head, commit)?;
                    if commit.awaited() == 0 {
                        self.tell(commit, watch);
                        queue.gather(GATHER);
                    }
                }
                None if queue.wait()? => {}
                None => return Ok(self.store.close()?),
            }
        }
    }

    /// Tells whoever waits for `commit` that it is durable, and empties it.
    fn tell(&self, commit: &mut Commit, watch: &Watch) {
        if commit.entries.is_empty() {
            return;
        }
        for (done, leaf) in commit.waiting.drain(..).zip(&commit.leaves) {
            if let Some(done) = done {
                let checkpoint = Arc::clone(self.checkpoint.note());
                // Fails when nobody waits any more, which is theirs to choose.
                done.send(Ok(Committed { leaf: *leaf, checkpoint })).unwrap_or(());
            }
        }
        watch.advance(self.checkpoint.size());
        commit.clear();
    }

    /// Writes a commit and the checkpoint that covers it, and returns when they
    /// are durable. After an error this must not be used again.
    fn commit(&mut self, head: &Head, commit: &Commit) -> Result<(), StorageError> {
        let checkpoint = head.sign(&self.origin);
        self.store.commit(&Batch {
            entries: &commit.entries,
            nodes: &commit.nodes,
            payloads: &commit.payloads,
            erased: &commit.erased,
            checkpoint: &checkpoint,
            signer: &head.signer,
        })?;
        self.checkpoint = checkpoint;
        Ok(())
    }
}

/// Without a committer, nobody may wait for one.
struct EndOnExit<'w>(&'w Watch);

impl Drop for EndOnExit<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
