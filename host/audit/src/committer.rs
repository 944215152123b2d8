//! The thread that writes: one commit a batch, one sync a commit.

use std::thread;

use vak_types::Digest;

use crate::bundle::Bundle;
use crate::chain::Chain;
use crate::entry::{Place, Sealer, signed_statement};
use crate::follow::Watch;
use crate::log::{AppendError, Committed, StopCause};
use crate::merkle::leaf_hash;
use crate::queue::{Pending, Queue, Work};
use crate::store::{Batch, Node, StorageError, Store};
use crate::{Body, Checkpoint, Draft, KeyRotation, KindSet, Payload, Signer};

/// The one writer of a log.
#[derive(Debug)]
pub(crate) struct Committer {
    store: Box<dyn Store>,
    ledger: Ledger,
}

/// What the next commit starts from.
#[derive(Debug)]
struct Ledger {
    signer: Signer,
    sealer: Sealer,
    chain: Chain,
    checkpoint: Checkpoint,
    signed: KindSet,
}

/// What is written at once. Its memory is used again and again.
#[derive(Debug, Default)]
struct Commit {
    entries: Bundle,
    leaves: Vec<Digest>,
    nodes: Vec<Node>,
    payloads: Vec<Payload>,
    erased: Vec<Digest>,
}

impl Committer {
    /// Continues the log in `store` after `chain`, which `checkpoint` covers.
    pub(crate) fn new(
        store: Box<dyn Store>,
        signer: Signer,
        chain: Chain,
        checkpoint: Checkpoint,
        signed: KindSet,
    ) -> Self {
        let sealer = Sealer::new(chain.origin());
        Self { store, ledger: Ledger { signer, sealer, chain, checkpoint, signed } }
    }

    /// Commits until the queue is closed or a commit fails; gives the last
    /// checkpoint that is durable.
    pub(crate) fn run(self, queue: &Queue, watch: &Watch) -> Checkpoint {
        let _guard = EndOnExit(queue, watch);
        let Self { mut store, mut ledger } = self;
        let ended =
            commit_all(&mut *store, &mut ledger, queue, watch).and_then(|()| store.close().map_err(StopCause::from));
        if let Err(cause) = ended {
            queue.stop(cause);
        }
        ledger.checkpoint
    }
}

fn commit_all(store: &mut dyn Store, ledger: &mut Ledger, queue: &Queue, watch: &Watch) -> Result<(), StopCause> {
    let mut batch = Vec::new();
    let mut commit = Commit::default();
    while queue.take(&mut batch) {
        let mut waiting = Vec::with_capacity(batch.len());
        let committed = ledger.commit(store, &mut batch, &mut commit, &mut waiting);
        if let Err(cause) = committed.map_err(StopCause::from) {
            // First, so that nobody who is told of it can append once more.
            queue.stop(cause.clone());
            for done in waiting.into_iter().chain(batch.drain(..).map(|pending| pending.done)).flatten() {
                done.send(Err(AppendError::Stopped(cause.clone()))).unwrap_or(());
            }
            return Err(cause);
        }
        let checkpoint = ledger.checkpoint.note();
        for (done, leaf) in waiting.into_iter().zip(&commit.leaves) {
            if let Some(done) = done {
                // Fails when nobody waits any more, which is theirs to choose.
                done.send(Ok(Committed { leaf: *leaf, checkpoint: checkpoint.clone() })).unwrap_or(());
            }
        }
        watch.advance(ledger.checkpoint.size());
    }
    Ok(())
}

impl Ledger {
    /// Writes `batch` and the checkpoint that covers it, and returns when they
    /// are durable. Who waits for them is moved to `waiting`, in order. After an
    /// error this must not be used again.
    fn commit(
        &mut self,
        store: &mut dyn Store,
        batch: &mut Vec<Pending>,
        commit: &mut Commit,
        waiting: &mut Vec<Option<crate::queue::Done>>,
    ) -> Result<(), StorageError> {
        commit.clear(self.chain.size());
        for Pending { work, done } in batch.drain(..) {
            waiting.push(done);
            let draft = match work {
                Work::Append(draft) => draft,
                Work::Rotate(new, time) => {
                    let rotation = KeyRotation::sign(self.chain.origin(), time, &self.signer, &new);
                    self.signer = *new;
                    // Two names and two keys are far shorter than an entry.
                    Draft::of(time, &Body::KeyRotation(Box::new(rotation)))
                        .map_err(|error| StorageError::Other(error.to_string()))?
                }
            };
            self.seal(draft, commit);
        }
        commit.nodes.extend(self.chain.take_nodes());
        let frontier = self.chain.frontier();
        let checkpoint = Checkpoint::sign(self.chain.origin(), frontier.size(), frontier.root(), &self.signer);
        store.commit(&Batch {
            entries: &commit.entries,
            nodes: &commit.nodes,
            payloads: &commit.payloads,
            erased: &commit.erased,
            checkpoint: &checkpoint,
            signer: &self.signer,
        })?;
        self.checkpoint = checkpoint;
        Ok(())
    }

    fn seal(&mut self, draft: Draft, commit: &mut Commit) {
        let Draft { kind, rest, payloads, erases, .. } = draft;
        let signed = self.signed.contains(kind);
        // The chain of a log that is written has no gaps.
        let prev = self.chain.prev().copied().unwrap_or_else(|| Digest::from_bytes([0; 32]));
        let place = Place { seq: self.chain.size(), prev, signed };
        let leaf = leaf_hash(commit.entries.push_with(|bytes| self.sealer.seal(place, &rest, bytes)));
        if signed {
            commit.entries.sign_last(self.signer.sign(&signed_statement(&leaf)));
        }
        self.chain.push(leaf);
        commit.leaves.push(leaf);
        commit.payloads.extend(payloads);
        commit.erased.extend(erases);
    }
}

impl Commit {
    fn clear(&mut self, first: u64) {
        self.entries.clear(first);
        self.leaves.clear();
        self.nodes.clear();
        self.payloads.clear();
        self.erased.clear();
    }
}

/// Without a committer, nobody may wait for one.
struct EndOnExit<'q>(&'q Queue, &'q Watch);

impl Drop for EndOnExit<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop(StopCause::Panicked);
        }
        self.1.end();
    }
}
