//! Where a log is kept.
//!
//! A [`Store`] is a log's one writer, a [`Source`] one of its readers. Neither
//! is trusted: what they give back is checked against the signed checkpoint by
//! [`Log::open`](crate::Log::open) and [`verify_all`](crate::verify_all).

mod error;
pub(crate) mod file;
pub(crate) mod lock;
pub(crate) mod memory;
mod open;
pub(crate) mod sqlite;
pub(crate) mod tiles;

use std::fmt;
use std::sync::Arc;

use ed25519_dalek::SIGNATURE_LENGTH;
use vak_types::Digest;

pub use error::StorageError;
pub use open::{open_beside_writer, open_source};

use crate::bundle::Bundle;
use crate::{Checkpoint, Origin, Payload, Signer};

/// A complete subtree of the Merkle tree with 256^`level` leaves, the one with
/// number `index` from the left. Stores keep those of level 1 and above, so
/// that a proof does not have to read the whole log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// From 1 on.
    pub level: u8,
    /// From 0 on.
    pub index: u64,
    /// Its root.
    pub hash: Digest,
}

/// What one commit adds to a log. Becomes durable as a whole or not at all.
#[derive(Debug)]
pub struct Batch<'a> {
    /// The entries, in order, from the first new one on. Signatures of single
    /// entries among them.
    pub entries: &'a Bundle,
    /// The subtrees that these entries complete.
    pub nodes: &'a [Node],
    /// Payloads that the entries have commitments to.
    pub payloads: &'a [Payload],
    /// Payloads that are to be removed: their commitments.
    pub erased: &'a [Digest],
    /// The checkpoint that covers everything up to here.
    pub checkpoint: &'a Checkpoint,
    /// Who signed it, for stores that sign what they write themselves.
    pub signer: &'a Signer,
}

/// What was done to a store that had not been closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// The checkpoint to go on from.
    pub checkpoint: Checkpoint,
    /// Bytes after the last whole commit that were cut off. None of them had
    /// been acknowledged.
    pub cut_bytes: u64,
}

/// A log's storage, for its one writer. After an error it is not used again:
/// nobody knows what reached the disk.
pub trait Store: Send + fmt::Debug {
    /// Where it is, for messages.
    fn place(&self) -> String;

    /// Whether there is no log here yet. [`start`](Self::start) makes one.
    fn is_new(&self) -> bool;

    /// Makes a log with this checkpoint, which is of no entries. Durable when
    /// it returns.
    ///
    /// # Errors
    /// The storage failed.
    fn start(&mut self, checkpoint: &Checkpoint) -> Result<(), StorageError>;

    /// Completes or takes back what was being written when the last writer
    /// ended without closing the store. `None` when there is nothing to do.
    ///
    /// # Errors
    /// The storage failed, or is damaged below what was signed.
    fn recover(&mut self, origin: &Origin, signer: &Signer) -> Result<Option<Recovery>, StorageError>;

    /// Writes a batch. Returns when it would outlast a loss of power.
    ///
    /// # Errors
    /// The storage failed, or somebody else wrote to it.
    fn commit(&mut self, batch: &Batch<'_>) -> Result<(), StorageError>;

    /// Closes it after the last commit.
    ///
    /// # Errors
    /// The storage failed. Every commit that returned is safe.
    fn close(&mut self) -> Result<(), StorageError>;

    /// Gives readers of what is committed, now and later.
    fn opener(&self) -> Opener;
}

/// Opens a reader of a log, each time another one.
pub type Opener = Arc<dyn Fn() -> Result<Box<dyn Source>, StorageError> + Send + Sync>;

/// A reader of a log's storage, beside a writer or without one.
pub trait Source: Send + fmt::Debug {
    /// The note of the newest checkpoint; `None` when there is none.
    ///
    /// # Errors
    /// The storage can't be read.
    fn head(&self) -> Result<Option<String>, StorageError>;

    /// Replaces what is in `bundle` by the entries from `from` on, up to
    /// `count` of them and up to about [`BUNDLE_BYTES`](crate::BUNDLE_BYTES).
    /// None if entry `from` is not there.
    ///
    /// # Errors
    /// The storage can't be read, or is damaged.
    fn entries(&self, from: u64, count: u64, bundle: &mut Bundle) -> Result<(), StorageError>;

    /// The stored subtrees of `level` from number `from` on, up to `count`.
    ///
    /// # Errors
    /// The storage can't be read.
    fn nodes(&self, level: u8, from: u64, count: u64) -> Result<Vec<Digest>, StorageError>;

    /// The payload with this commitment; `None` if there is none, or no more.
    ///
    /// # Errors
    /// The storage can't be read.
    fn payload(&self, commitment: &Digest) -> Result<Option<Payload>, StorageError>;

    /// How many payloads are kept.
    ///
    /// # Errors
    /// The storage can't be read.
    fn payloads(&self) -> Result<u64, StorageError>;

    /// Whether signatures of single entries and payloads have a place here. A
    /// copy of the entries alone is sound without them.
    fn keeps_all(&self) -> bool {
        true
    }

    /// Checks what belongs to this kind of storage alone: that nothing is
    /// there beside a log of `size` entries.
    ///
    /// # Errors
    /// Something is, or the storage can't be read.
    fn examine(&self, size: u64) -> Result<(), StorageError>;
}

/// The signature of one entry.
pub(crate) type EntrySignature = [u8; SIGNATURE_LENGTH];
