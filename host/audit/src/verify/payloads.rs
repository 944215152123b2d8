//! What is kept beside a log's entries.

use std::collections::HashSet;

use vak_types::Digest;

use crate::bundle::Bundle;
use crate::checkpoint::size_in;
use crate::resume::{head, read};
use crate::store::Source;
use crate::{Body, Checkpoint, Commitment, Entry, VerifyError};

/// The payloads that the entries so far have.
#[derive(Default)]
pub(super) struct Payloads {
    pub(super) kept: u64,
    /// Those that are not there, and the entries that name them.
    missing: Vec<(Digest, u64)>,
    /// Those that an entry says were erased.
    erased: HashSet<Digest>,
}

impl Payloads {
    /// How many are not there.
    pub(super) fn missing(&self) -> u64 {
        self.missing.len() as u64
    }

    /// Looks at what an entry says of payloads.
    pub(super) fn entry(&mut self, source: &dyn Source, seq: u64, body: &Body) -> Result<(), VerifyError> {
        self.erased.extend(body.erases());
        body.commitments().try_for_each(|commitment| self.compare(source, seq, commitment))
    }

    fn compare(&mut self, source: &dyn Source, seq: u64, commitment: &Commitment) -> Result<(), VerifyError> {
        match source.payload(&commitment.digest).map_err(|source| VerifyError::Storage { seq, source })? {
            None => self.missing.push((commitment.digest, seq)),
            Some(payload) if payload.commitment() == *commitment => self.kept += 1,
            Some(_) => return Err(VerifyError::Payload { seq }),
        }
        Ok(())
    }

    /// When all entries under `checkpoint` were read: what is missing has to be
    /// what was erased, and nothing else be there than what they name.
    pub(super) fn check(&self, source: &dyn Source, checkpoint: &Checkpoint) -> Result<(), VerifyError> {
        let failed = |source| VerifyError::Storage { seq: 0, source };
        let lost = |(commitment, _): &&(Digest, u64)| !self.erased.contains(commitment);
        if self.missing.iter().any(|missing| lost(&missing)) {
            let since = erased_since(source, checkpoint.size())?;
            if let Some((_, seq)) = self.missing.iter().filter(lost).find(|(lost, _)| !since.contains(lost)) {
                return Err(VerifyError::PayloadMissing { seq: *seq });
            }
        }
        for commitment in &self.erased {
            if source.payload(commitment).map_err(failed)?.is_some() {
                return Err(VerifyError::NotErased { commitment: *commitment });
            }
        }
        let (found, expected) = (source.payloads().map_err(failed)?, self.kept);
        // A host that writes meanwhile adds to them.
        let moved = source.head().map_err(failed)?.as_deref() != Some(&**checkpoint.note());
        if found == expected || moved { Ok(()) } else { Err(VerifyError::Payloads { found, expected }) }
    }
}

/// Payloads that a host erased after the `size` entries that are verified,
/// which is for the next time, but explains that they are gone.
fn erased_since(source: &dyn Source, size: u64) -> Result<HashSet<Digest>, VerifyError> {
    let (mut erased, mut bundle, mut next) = (HashSet::new(), Bundle::default(), size);
    let now = size_in(&head(source)?).unwrap_or(0);
    while next < now {
        read(source, next, now, &mut bundle)?;
        let entries = bundle.iter().filter_map(|bytes| Entry::decode(bytes).ok());
        erased.extend(entries.filter_map(|entry| entry.body.erases()));
        next = bundle.end();
    }
    Ok(erased)
}
