//! What is kept beside a log's entries.

use std::collections::HashMap;

use vak_types::Digest;

use super::signers::Signers;
use crate::bundle::Bundle;
use crate::chain::Chain;
use crate::resume::{head, read, root};
use crate::store::Source;
use crate::{Body, Checkpoint, Commitment, VerifyError};

/// The payloads that the entries so far have.
#[derive(Default)]
pub(super) struct Payloads {
    pub(super) kept: u64,
    /// Those that are not there, and the entries that name them.
    missing: Vec<(Digest, u64)>,
    /// Those that an entry says were erased, and the last that does.
    erased: HashMap<Digest, u64>,
}

impl Payloads {
    /// How many are not there and were erased, and how many are not there.
    pub(super) fn gone(&self) -> (u64, u64) {
        let erased = self.missing.iter().filter(|(commitment, seq)| self.is_erased(commitment, *seq)).count();
        (erased as u64, self.missing.len() as u64)
    }

    /// Whether an entry after `seq` says so.
    fn is_erased(&self, commitment: &Digest, seq: u64) -> bool {
        self.erased.get(commitment).is_some_and(|erased| *erased > seq)
    }

    /// Looks at what an entry says of payloads.
    pub(super) fn entry(&mut self, source: &dyn Source, seq: u64, body: &Body) -> Result<(), VerifyError> {
        self.erased.extend(body.erases().map(|commitment| (commitment, seq)));
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

    /// When all entries of `chain`, which `checkpoint` covers, were read: what is
    /// missing has to be what was erased, and nothing else be there than what
    /// they name.
    pub(super) fn check(
        mut self,
        source: &dyn Source,
        checkpoint: &Checkpoint,
        chain: Chain,
        signers: &mut Signers,
    ) -> Result<(), VerifyError> {
        let failed = |source| VerifyError::Storage { seq: 0, source };
        for commitment in self.erased.keys() {
            if source.payload(commitment).map_err(failed)?.is_some() {
                return Err(VerifyError::NotErased { commitment: *commitment });
            }
        }
        let (found, expected) = (source.payloads().map_err(failed)?, self.kept);
        let (erased, missing) = self.gone();
        // A host that writes meanwhile adds to them, and erases.
        let now = head(source)?;
        if now == **checkpoint.note() {
            if found != expected {
                return Err(VerifyError::Payloads { found, expected });
            }
        } else if erased < missing {
            self.read_on(source, &now, chain, signers)?;
        }
        match self.missing.iter().find(|(commitment, seq)| !self.is_erased(commitment, *seq)) {
            None => Ok(()),
            Some((_, seq)) => Err(VerifyError::PayloadMissing { seq: *seq }),
        }
    }

    /// Reads what a host appended while this verified: entries that explain what
    /// is gone, if they are signed for.
    fn read_on(
        &mut self,
        source: &dyn Source,
        note: &str,
        mut chain: Chain,
        signers: &mut Signers,
    ) -> Result<(), VerifyError> {
        let checkpoint = Checkpoint::parse(note, chain.origin())?;
        let mut bundle = Bundle::default();
        while chain.size() < checkpoint.size() {
            read(source, chain.size(), checkpoint.size(), &mut bundle)?;
            for (seq, bytes, _) in bundle.signed() {
                let entry = chain.check(bytes).map_err(|source| VerifyError::Entry { seq, source })?;
                if let Body::KeyRotation(rotation) = &entry.body {
                    signers.rotate(&entry, rotation)?;
                }
                self.erased.extend(entry.body.erases().map(|commitment| (commitment, seq)));
            }
        }
        root(&chain, &checkpoint)?;
        Ok(checkpoint.check(signers.newest()?)?)
    }
}
