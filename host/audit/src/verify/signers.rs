//! Whose signatures a log's entries have to have.

use std::ops::Range;

use crate::bundle::Bundle;
use crate::entry::{Turn, signed_statement};
use crate::merkle::leaf_hash;
use crate::resume::read;
use crate::store::{EntrySignature, Source};
use crate::{Body, Checkpoint, CheckpointError, Entry, KeyRotation, VerifierKey, VerifyError};

/// The keys that signed, as rotations lead from one to the next without a gap.
/// One of them is trusted; it may be any.
pub(super) struct Signers {
    trusted: VerifierKey,
    /// The keys of the entries that were read since the last gap, from the first
    /// to the present one. Empty before the first rotation among them, which
    /// says what the first key was.
    keys: Vec<VerifierKey>,
    /// The first of these entries that has a signature of its own.
    first: Option<u64>,
    /// The first entry with a signature that no rotation explains and the
    /// trusted key did not make.
    foreign: Option<u64>,
    /// Entries whose signatures have to be by another key than they were
    /// compared with.
    unchecked: Vec<(Range<u64>, VerifierKey)>,
}

impl Signers {
    pub(super) fn new(trusted: &VerifierKey) -> Self {
        Self { trusted: trusted.clone(), keys: Vec::new(), first: None, foreign: None, unchecked: Vec::new() }
    }

    /// The key that signs now, as far as was read.
    fn present(&self) -> &VerifierKey {
        self.keys.last().unwrap_or(&self.trusted)
    }

    fn is_trusted(&self) -> bool {
        self.keys.is_empty() || self.keys.contains(&self.trusted)
    }

    /// Checks an entry's own signature. A rotation is signed by the new key.
    pub(super) fn check(&mut self, entry: &Entry, bytes: &[u8], signature: &EntrySignature) -> Result<(), VerifyError> {
        let seq = entry.seq;
        let statement = signed_statement(&leaf_hash(bytes));
        self.first.get_or_insert(seq);
        let (fits, known) = match &entry.body {
            Body::KeyRotation(rotation) => (rotation.new.verifies(&statement, signature), true),
            _ => (self.present().verifies(&statement, signature), !self.keys.is_empty()),
        };
        match (fits, known) {
            (true, _) => Ok(()),
            (false, true) => Err(VerifyError::Signature { seq, missing: false }),
            // Perhaps from before the trusted key came.
            (false, false) => {
                self.foreign.get_or_insert(seq);
                Ok(())
            }
        }
    }

    /// Takes a rotation, which both its keys have to have signed, and which has
    /// to be from the present key.
    pub(super) fn rotate(&mut self, entry: &Entry, rotation: &KeyRotation) -> Result<(), VerifyError> {
        let Entry { origin, seq, prev, time, .. } = entry;
        if !rotation.is_signed(Turn { origin, seq: *seq, prev, time: *time }) {
            return Err(VerifyError::Rotation { seq: *seq });
        }
        if self.keys.last().is_some_and(|present| *present != rotation.old) {
            return Err(VerifyError::RotationKey { seq: *seq });
        }
        if self.keys.is_empty() {
            if rotation.old != self.trusted {
                // What was read so far was not the trusted key's to sign.
                self.unchecked.extend(self.first.map(|first| (first..*seq, rotation.old.clone())));
                self.foreign = self.foreign.filter(|foreign| self.first.is_none_or(|first| *foreign < first));
            }
            self.keys.push(rotation.old.clone());
        }
        self.keys.push(rotation.new.clone());
        Ok(())
    }

    /// Entries are passed over: rotations among them are not seen.
    pub(super) fn gap(&mut self) {
        if !self.is_trusted() {
            self.foreign = self.foreign.or(self.first);
        }
        self.keys.clear();
        self.first = None;
    }

    /// The key that signs now, when all was read. The trusted one leads to it.
    pub(super) fn newest(&self) -> Result<&VerifierKey, VerifyError> {
        match self.is_trusted() {
            true => Ok(self.present()),
            false => Err(VerifyError::UnknownKey { key: self.trusted.clone().into() }),
        }
    }

    /// The first entry whose own signature is by a key that no rotation leads
    /// to.
    pub(super) fn foreign(&self) -> Option<u64> {
        self.foreign
    }

    /// Checks a checkpoint that one of the log's keys has to have signed.
    pub(super) fn check_earlier(&self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        let checks = self.keys.iter().map(|key| checkpoint.check(key));
        checks.fold(checkpoint.check(&self.trusted), Result::or)
    }

    /// Checks the signatures from before the trusted key came.
    pub(super) fn check_older(&self, source: &dyn Source) -> Result<(), VerifyError> {
        let mut bundle = Bundle::default();
        for (range, key) in &self.unchecked {
            let mut next = range.start;
            while next < range.end {
                read(source, next, range.end, &mut bundle)?;
                for (seq, bytes, signature) in bundle.signed() {
                    // Whether there is one where it should be was seen before.
                    let Some(signature) = signature else { continue };
                    if !key.verifies(&signed_statement(&leaf_hash(bytes)), signature) {
                        return Err(VerifyError::Signature { seq, missing: false });
                    }
                }
                next = bundle.end();
            }
        }
        Ok(())
    }
}
