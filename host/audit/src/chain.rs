//! Entries that follow from each other.

use vak_types::Digest;

use crate::codec::DecodeError;
use crate::merkle::{Frontier, leaf_hash};
use crate::store::Node;
use crate::{Entry, Origin};

/// Why an entry doesn't follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Its bytes are not an entry.
    #[error("its bytes are not an entry: {0}")]
    Decode(#[from] DecodeError),
    /// It says it belongs elsewhere in the log.
    #[error("it says that it is entry {written}: entries were swapped or copied")]
    Seq {
        /// The number in it.
        written: u64,
    },
    /// It says it belongs to another log.
    #[error("it belongs to the log `{written}`")]
    Origin {
        /// The name in it.
        written: Origin,
    },
    /// The entry before is not the one it was written after.
    #[error("it doesn't follow from the entry before: one of the two was altered")]
    Prev,
}

/// Takes entries one by one and checks that each follows from the one before.
#[derive(Debug)]
pub(crate) struct Chain {
    origin: Origin,
    /// The leaf hash of the entry before; `None` when that was skipped.
    prev: Option<Digest>,
    frontier: Frontier,
    /// Subtrees that were completed since they were last taken.
    nodes: Vec<Node>,
}

impl Chain {
    /// The chain before the first entry.
    pub(crate) fn start(origin: Origin) -> Self {
        Self { origin, prev: Some(Digest::from_bytes([0; 32])), frontier: Frontier::default(), nodes: Vec::new() }
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn prev(&self) -> Option<&Digest> {
        self.prev.as_ref()
    }

    pub(crate) fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    pub(crate) fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The subtrees that were completed since the last call.
    pub(crate) fn take_nodes(&mut self) -> std::vec::Drain<'_, Node> {
        self.nodes.drain(..)
    }

    /// Goes over the 256^`level` entries under a subtree without seeing them.
    /// Whether they are those that were signed shows in the root.
    pub(crate) fn skip(&mut self, level: u8, root: Digest) {
        let Self { frontier, nodes, .. } = self;
        frontier.push_subtree(level, root, |node| nodes.push(node));
        self.prev = None;
    }

    /// Says which entry was before, after [`skip`](Self::skip).
    pub(crate) fn set_prev(&mut self, leaf: Digest) {
        self.prev = Some(leaf);
    }

    /// Checks that `bytes` are the next entry.
    pub(crate) fn check(&mut self, bytes: &[u8]) -> Result<Entry, LinkError> {
        let seq = self.size();
        let entry = Entry::decode(bytes)?;
        if entry.seq != seq {
            return Err(LinkError::Seq { written: entry.seq });
        }
        if entry.origin != self.origin {
            return Err(LinkError::Origin { written: entry.origin });
        }
        if self.prev.is_some_and(|prev| prev != entry.prev) {
            return Err(LinkError::Prev);
        }
        self.push(leaf_hash(bytes));
        Ok(entry)
    }

    /// Takes the leaf hash of an entry that is known to follow.
    pub(crate) fn push(&mut self, leaf: Digest) {
        let Self { frontier, nodes, .. } = self;
        frontier.push(leaf, |node| nodes.push(node));
        self.prev = Some(leaf);
    }
}
