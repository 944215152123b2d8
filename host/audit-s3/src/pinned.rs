//! A log as it was at one checkpoint, while it grows.

use std::cell::RefCell;
use std::ops::Range;

use vak_audit::{
    Bundle, Checkpoint, Expected, Payload, Source, StorageError, VerifierKey, VerifyError, verify_signatures,
};
use vak_types::Digest;

/// Reads a store whose newest checkpoint is the one that is uploaded, whatever
/// was committed since.
#[derive(Debug)]
pub(crate) struct Pinned {
    source: Box<dyn Source>,
    note: RefCell<Option<String>>,
}

impl Pinned {
    pub(crate) fn new(source: Box<dyn Source>) -> Self {
        Self { source, note: RefCell::default() }
    }

    /// As it was when `note` was the newest.
    pub(crate) fn at(source: Box<dyn Source>, note: String) -> Self {
        Self { source, note: RefCell::new(Some(note)) }
    }

    /// Checks the entries in `range` against `checkpoint`, which `key` signed.
    pub(crate) fn verify(
        &self,
        checkpoint: &Checkpoint,
        key: &VerifierKey,
        range: Range<u64>,
    ) -> Result<(), VerifyError> {
        *self.note.borrow_mut() = Some(checkpoint.note().to_string());
        verify_range(self, checkpoint, key, range)
    }
}

/// Checks the entries in `range` before they are put where nothing can be
/// taken back: a fault of the disk must not become part of the archive.
pub(crate) fn verify_range(
    source: &dyn Source,
    checkpoint: &Checkpoint,
    key: &VerifierKey,
    range: Range<u64>,
) -> Result<(), VerifyError> {
    if range.is_empty() {
        return Ok(());
    }
    let expected = Expected { origin: checkpoint.origin(), key, trusted: None, witnesses: None, range: Some(range) };
    // The range goes on to the end, so that a rotation before it would have
    // given every entry in it the present key.
    match verify_signatures(source, &expected, |_, _| ())?.foreign {
        Some(seq) => Err(VerifyError::Signature { seq, missing: false }),
        None => Ok(()),
    }
}

impl Source for Pinned {
    fn head(&self) -> Result<Option<String>, StorageError> {
        Ok(self.note.borrow().clone())
    }

    fn entries(&self, from: u64, count: u64, bundle: &mut Bundle) -> Result<(), StorageError> {
        self.source.entries(from, count, bundle)
    }

    fn nodes(&self, level: u8, from: u64, count: u64) -> Result<Vec<Digest>, StorageError> {
        self.source.nodes(level, from, count)
    }

    fn payload(&self, commitment: &Digest) -> Result<Option<Payload>, StorageError> {
        self.source.payload(commitment)
    }

    fn payloads(&self) -> Result<u64, StorageError> {
        self.source.payloads()
    }

    fn examine(&self, size: u64) -> Result<(), StorageError> {
        self.source.examine(size)
    }
}
