//! A log in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vak_types::Digest;

use super::{Batch, EntrySignature, Opener, Recovery, Source, StorageError, Store};
use crate::bundle::Bundle;
use crate::{Checkpoint, Origin, Payload, Signer};

/// Keeps a log as long as the process lives, or as long as a clone of it does.
/// For tests, and for hosts whose log is followed to somewhere else.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    contents: Arc<Mutex<Contents>>,
}

#[derive(Debug, Default)]
struct Contents {
    head: Option<String>,
    entries: Vec<Vec<u8>>,
    signatures: HashMap<u64, EntrySignature>,
    nodes: HashMap<u8, Vec<Digest>>,
    payloads: HashMap<Digest, Payload>,
}

impl MemoryStore {
    /// A store without a log.
    pub fn new() -> Self {
        Self::default()
    }

    /// No code that may panic runs while the lock is held.
    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn place(&self) -> String {
        "in memory".to_owned()
    }

    fn is_new(&self) -> bool {
        self.lock().head.is_none()
    }

    fn start(&mut self, checkpoint: &Checkpoint) -> Result<(), StorageError> {
        self.lock().head = Some(checkpoint.note().to_string());
        Ok(())
    }

    fn recover(&mut self, _: &Origin, _: &Signer) -> Result<Option<Recovery>, StorageError> {
        Ok(None)
    }

    fn commit(&mut self, batch: &Batch<'_>) -> Result<(), StorageError> {
        let mut contents = self.lock();
        for (seq, entry, signature) in batch.entries.signed() {
            contents.entries.push(entry.to_owned());
            contents.signatures.extend(signature.map(|signature| (seq, *signature)));
        }
        for node in batch.nodes {
            contents.nodes.entry(node.level).or_default().push(node.hash);
        }
        contents.payloads.extend(batch.payloads.iter().map(|payload| (payload.commitment().digest, payload.clone())));
        contents.payloads.retain(|commitment, _| !batch.erased.contains(commitment));
        contents.head = Some(batch.checkpoint.note().to_string());
        Ok(())
    }

    fn close(&mut self) -> Result<(), StorageError> {
        Ok(())
    }

    fn opener(&self) -> Opener {
        let store = self.clone();
        Arc::new(move || Ok(Box::new(store.clone())))
    }
}

impl Source for MemoryStore {
    fn head(&self) -> Result<Option<String>, StorageError> {
        Ok(self.lock().head.clone())
    }

    fn entries(&self, from: u64, count: u64, bundle: &mut Bundle) -> Result<(), StorageError> {
        let contents = self.lock();
        bundle.clear(from);
        let entries = contents.entries.iter().skip(usize::try_from(from).unwrap_or(usize::MAX));
        for entry in entries.take(usize::try_from(count).unwrap_or(usize::MAX)) {
            if bundle.is_full() {
                break;
            }
            let seq = bundle.end();
            bundle.push(entry);
            if let Some(signature) = contents.signatures.get(&seq) {
                bundle.sign_last(*signature);
            }
        }
        Ok(())
    }

    fn nodes(&self, level: u8, from: u64, count: u64) -> Result<Vec<Digest>, StorageError> {
        let contents = self.lock();
        let nodes = contents.nodes.get(&level).into_iter().flatten();
        let (from, count) = (usize::try_from(from).unwrap_or(usize::MAX), usize::try_from(count).unwrap_or(usize::MAX));
        Ok(nodes.skip(from).take(count).copied().collect())
    }

    fn payload(&self, commitment: &Digest) -> Result<Option<Payload>, StorageError> {
        Ok(self.lock().payloads.get(commitment).cloned())
    }

    fn payloads(&self) -> Result<u64, StorageError> {
        Ok(self.lock().payloads.len() as u64)
    }

    fn examine(&self, _: u64) -> Result<(), StorageError> {
        Ok(())
    }
}
