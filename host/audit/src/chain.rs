//! Entries that follow from each other.

use vak_types::Digest;

use crate::codec::DecodeError;
use crate::merkle::{Frontier, leaf_hash};
use crate::{Entry, Origin};

/// The distance, in entries, between the points at which the head keeps the
/// frontier. Opening a log replays the entries since the one before the last
/// entry: few enough for some milliseconds. A multiple of the 256 entries in a
/// tile of C2SP tlog-tiles.
pub(crate) const BASE_INTERVAL: u64 = 1_024;

/// The point whose frontier the head of a log of `size` entries keeps. At least
/// one entry follows it, if there is one, so that the last is always replayed.
pub(crate) fn base_of(size: u64) -> u64 {
    size.saturating_sub(1) / BASE_INTERVAL * BASE_INTERVAL
}

/// Why an entry doesn't follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Another entry stands in its place.
    #[error("it is missing; the next in the file is entry {found}")]
    Missing {
        /// The row's number.
        found: i64,
    },
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
    /// The leaf hash of the entry before.
    prev: Digest,
    frontier: Frontier,
    /// The frontier at [`base_of`] the entries so far.
    base: Frontier,
}

impl Chain {
    /// The chain after the entries that made `frontier`, the last of which
    /// hashes to `prev`. `frontier` has to be at a multiple of [`BASE_INTERVAL`].
    pub(crate) fn resume(origin: Origin, frontier: Frontier, prev: Digest) -> Self {
        Self { origin, prev, base: frontier.clone(), frontier }
    }

    /// The chain before the first entry.
    pub(crate) fn start(origin: Origin) -> Self {
        Self::resume(origin, Frontier::default(), Digest::from_bytes([0; 32]))
    }

    pub(crate) fn prev(&self) -> &Digest {
        &self.prev
    }

    pub(crate) fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    pub(crate) fn base(&self) -> &Frontier {
        &self.base
    }

    /// Checks that `bytes`, which stand in row `row`, are the next entry.
    pub(crate) fn check(&mut self, row: i64, bytes: &[u8]) -> Result<Entry, LinkError> {
        let seq = self.frontier.size();
        if u64::try_from(row) != Ok(seq) {
            return Err(LinkError::Missing { found: row });
        }
        let entry = Entry::decode(bytes)?;
        if entry.seq != seq {
            return Err(LinkError::Seq { written: entry.seq });
        }
        if entry.origin != self.origin {
            return Err(LinkError::Origin { written: entry.origin });
        }
        if entry.prev != self.prev {
            return Err(LinkError::Prev);
        }
        self.push(leaf_hash(bytes));
        Ok(entry)
    }

    /// Takes the leaf hash of an entry that is known to follow.
    pub(crate) fn push(&mut self, leaf: Digest) {
        if self.frontier.size().is_multiple_of(BASE_INTERVAL) {
            self.base = self.frontier.clone();
        }
        self.frontier.push(leaf);
        self.prev = leaf;
    }
}
