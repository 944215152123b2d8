//! What an append gives back.

use std::sync::Arc;

use vak_types::Digest;

use crate::Origin;

/// When an append is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tier {
    /// When the entry has its place in the queue. A crash, or a disk that
    /// fails, loses it.
    Accepted,
    /// When the entry is on disk, under a signed checkpoint.
    #[default]
    Durable,
}

/// The acknowledgement of an entry. It says what was known when it was given,
/// and no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// The entry has its place.
    Accepted {
        /// The log.
        origin: Origin,
        /// The place it takes if it becomes durable. If the log stops before
        /// that, the number goes to another entry after the next start.
        seq: u64,
    },
    /// The entry is on disk.
    Durable {
        /// The log.
        origin: Origin,
        /// The entry's place.
        seq: u64,
        /// Its hash in the Merkle tree.
        leaf: Digest,
        /// The note of the first checkpoint that covers it, shared by the
        /// entries that were committed together.
        checkpoint: Arc<str>,
    },
}

impl Receipt {
    /// The log the entry is in.
    pub fn origin(&self) -> &Origin {
        match self {
            Self::Accepted { origin, .. } | Self::Durable { origin, .. } => origin,
        }
    }

    /// The entry's place in the log, which an [`Outcome`](crate::Outcome) refers to.
    pub fn seq(&self) -> u64 {
        match self {
            Self::Accepted { seq, .. } | Self::Durable { seq, .. } => *seq,
        }
    }
}
