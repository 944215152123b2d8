//! A store behind a pointer, and one on a disk that lies.

use std::sync::Arc;

use vak_audit::{Batch, Bundle, Checkpoint, Opener, Origin, Payload, Recovery, Signer, Source, StorageError, Store};
use vak_types::Digest;

/// A store behind a pointer is one too.
#[derive(Debug)]
pub(crate) struct Boxed {
    pub(crate) store: Box<dyn Store>,
    pub(crate) faulty: bool,
}

impl Boxed {
    pub(crate) fn new(store: Box<dyn Store>) -> Self {
        Self { store, faulty: false }
    }
}

impl Store for Boxed {
    fn place(&self) -> String {
        self.store.place()
    }
    fn is_new(&self) -> bool {
        self.store.is_new()
    }
    fn start(&mut self, checkpoint: &Checkpoint) -> Result<(), StorageError> {
        self.store.start(checkpoint)
    }
    fn recover(&mut self, origin: &Origin, signer: &Signer) -> Result<Option<Recovery>, StorageError> {
        self.store.recover(origin, signer)
    }
    fn commit(&mut self, batch: &Batch<'_>) -> Result<(), StorageError> {
        self.store.commit(batch)
    }
    fn close(&mut self) -> Result<(), StorageError> {
        self.store.close()
    }
    fn opener(&self) -> Opener {
        let (opener, faulty) = (self.store.opener(), self.faulty);
        Arc::new(move || {
            let source = opener()?;
            Ok(if faulty { Box::new(Faulty(source)) } else { source })
        })
    }
}

/// Reads entry 5 otherwise than it was written.
#[derive(Debug)]
struct Faulty(Box<dyn Source>);

impl Source for Faulty {
    fn head(&self) -> Result<Option<String>, StorageError> {
        self.0.head()
    }
    fn entries(&self, from: u64, count: u64, bundle: &mut Bundle) -> Result<(), StorageError> {
        let mut read = Bundle::default();
        self.0.entries(from, count, &mut read)?;
        bundle.clear(from);
        for (seq, entry, signature) in read.signed() {
            let mut entry = entry.to_vec();
            let last = entry.len() - 1;
            entry[last - 1] ^= u8::from(seq == 5);
            bundle.push(&entry);
            if let Some(signature) = signature {
                bundle.sign_last(*signature);
            }
        }
        Ok(())
    }
    fn nodes(&self, level: u8, from: u64, count: u64) -> Result<Vec<Digest>, StorageError> {
        self.0.nodes(level, from, count)
    }
    fn payload(&self, commitment: &Digest) -> Result<Option<Payload>, StorageError> {
        self.0.payload(commitment)
    }
    fn payloads(&self) -> Result<u64, StorageError> {
        self.0.payloads()
    }
    fn examine(&self, size: u64) -> Result<(), StorageError> {
        self.0.examine(size)
    }
}
