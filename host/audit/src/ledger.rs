//! Giving entries their places.

use std::sync::Arc;

use vak_types::Digest;

use crate::bundle::Bundle;
use crate::chain::Chain;
use crate::entry::{Place, Sealer, Turn, signed_statement};
use crate::merkle::leaf_hash;
use crate::queue::{Done, Pending, Work};
use crate::store::{Node, StorageError};
use crate::{Body, Checkpoint, Draft, KeyRotation, KindSet, Origin, Payload, Signer};

/// What the next entry follows.
#[derive(Debug)]
pub(crate) struct Ledger {
    signer: Arc<Signer>,
    sealer: Sealer,
    chain: Chain,
    signed: KindSet,
}

/// Entries that are written at once. Its memory is used again and again.
#[derive(Debug, Default)]
pub(crate) struct Commit {
    pub(crate) entries: Bundle,
    pub(crate) leaves: Vec<Digest>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) payloads: Vec<Payload>,
    pub(crate) erased: Vec<Digest>,
    /// Who waits for each entry.
    pub(crate) waiting: Vec<Option<Done>>,
    /// What they took of the queue's room.
    pub(crate) room_bytes: usize,
}

/// What a checkpoint says of a log, before it is signed.
#[derive(Debug)]
pub(crate) struct Head {
    size: u64,
    root: Digest,
    pub(crate) signer: Arc<Signer>,
}

impl Ledger {
    /// Goes on after `chain`. Entries of the kinds in `signed` get signatures of
    /// their own.
    pub(crate) fn new(signer: Signer, chain: Chain, signed: KindSet) -> Self {
        Self { signer: Arc::new(signer), sealer: Sealer::new(chain.origin()), chain, signed }
    }

    /// Gives `pending` the next place, in `commit`.
    pub(crate) fn seal(&mut self, pending: Pending, commit: &mut Commit) -> Result<(), StorageError> {
        let Pending { work, done } = pending;
        commit.room_bytes += work.bytes();
        // First, so that whoever waits is told even if this fails.
        commit.waiting.push(done);
        // The chain of a log that is written has no gaps.
        let prev = self.chain.prev().copied().unwrap_or_else(|| Digest::from_bytes([0; 32]));
        let seq = self.chain.size();
        let Draft { kind, rest, payloads, erases, .. } = match work {
            Work::Append(draft) => draft,
            Work::Rotate(new, time) => {
                let turn = Turn { origin: self.chain.origin(), seq, prev: &prev, time };
                let rotation = KeyRotation::sign(turn, &self.signer, &new);
                self.signer = new.into();
                // Two names and two keys are far shorter than an entry.
                Draft::of(time, &Body::KeyRotation(Box::new(rotation)))
                    .map_err(|error| StorageError::Other(error.to_string()))?
            }
        };
        let signed = self.signed.contains(kind);
        let place = Place { seq, prev, signed };
        if commit.entries.is_empty() {
            commit.entries.clear(seq);
        }
        let leaf = leaf_hash(commit.entries.push_with(|bytes| self.sealer.seal(place, &rest, bytes)));
        if signed {
            commit.entries.sign_last(self.signer.sign(&signed_statement(&leaf)));
        }
        self.chain.push(leaf);
        commit.leaves.push(leaf);
        commit.payloads.extend(payloads);
        commit.erased.extend(erases);
        Ok(())
    }

    /// Ends `commit` with the last entry that was sealed.
    pub(crate) fn end(&mut self, commit: &mut Commit) -> Head {
        commit.nodes.extend(self.chain.take_nodes());
        let frontier = self.chain.frontier();
        Head { size: frontier.size(), root: frontier.root(), signer: Arc::clone(&self.signer) }
    }
}

impl Head {
    pub(crate) fn sign(&self, origin: &Origin) -> Checkpoint {
        Checkpoint::sign(origin, self.size, self.root, &self.signer)
    }
}

/// The largest commit whose memory is used for the next. After a disk that hung
/// for a moment, or a burst, the host must not keep megabytes for good.
const COMMIT_BYTES_KEPT: usize = 256 << 10;

impl Commit {
    /// How many of its entries somebody waits for.
    pub(crate) fn awaited(&self) -> usize {
        self.waiting.iter().flatten().count()
    }

    pub(crate) fn clear(&mut self) {
        if self.room_bytes > COMMIT_BYTES_KEPT {
            *self = Self::default();
        }
        self.entries.clear(0);
        self.leaves.clear();
        self.nodes.clear();
        self.payloads.clear();
        self.erased.clear();
        self.waiting.clear();
        self.room_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_a_large_commit_is_not_kept() {
        for (room_bytes, kept) in [(COMMIT_BYTES_KEPT, true), (COMMIT_BYTES_KEPT + 1, false)] {
            let mut commit = Commit { leaves: vec![Digest::from_bytes([0; 32]); 8], room_bytes, ..Commit::default() };
            commit.clear();
            assert!(commit.leaves.is_empty() && commit.room_bytes == 0);
            assert_eq!(commit.leaves.capacity() > 0, kept);
        }
    }
}
