//! A disk that lies.

use std::sync::Arc;

use vak_audit::{
    Batch, Bundle, Checkpoint, MemoryStore, Opener, Origin, Payload, Recovery, Signer, Source, StorageError, Store,
};
use vak_types::Digest;

/// A store whose readers get something else than was written.
#[derive(Debug, Default)]
pub(crate) struct LyingDisk(MemoryStore);

impl Store for LyingDisk {
    fn place(&self) -> String {
        self.0.place()
    }
    fn is_new(&self) -> bool {
        self.0.is_new()
    }
    fn start(&mut self, checkpoint: &Checkpoint) -> Result<(), StorageError> {
        self.0.start(checkpoint)
    }
    fn recover(&mut self, origin: &Origin, signer: &Signer) -> Result<Option<Recovery>, StorageError> {
        self.0.recover(origin, signer)
    }
    fn commit(&mut self, batch: &Batch<'_>) -> Result<(), StorageError> {
        self.0.commit(batch)
    }
    fn close(&mut self) -> Result<(), StorageError> {
        self.0.close()
    }
    fn opener(&self) -> Opener {
        let opener = self.0.opener();
        Arc::new(move || Ok(Box::new(Faulty(opener()?))))
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
