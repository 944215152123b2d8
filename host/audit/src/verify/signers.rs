//! Whose signatures a log's entries have to have.

use std::ops::Range;

use crate::bundle::Bundle;
use crate::entry::signed_statement;
use crate::merkle::leaf_hash;
use crate::resume::read;
use crate::store::{EntrySignature, Source};
use crate::{Body, Checkpoint, CheckpointError, Entry, KeyRotation, VerifierKey, VerifyError};

/// The keys that signed, as rotations lead from one to the next. One of them is
/// trusted; it may be any.
pub(super) struct Signers {
    trusted: VerifierKey,
    /// Those after the trusted one, to the newest.
    keys: Vec<VerifierKey>,
    /// Rotations before the trusted key came.
    older: Vec<(u64, KeyRotation)>,
    /// The first entry with a signature of its own, as long as it may be from
    /// before the trusted key came.
    first: Option<u64>,
    /// The first of these that is not by the trusted key.
    foreign: Option<u64>,
    /// The entries from before the trusted key came whose own signatures are
    /// still to be checked are among these.
    unchecked: Range<u64>,
}

impl Signers {
    pub(super) fn new(trusted: &VerifierKey) -> Self {
        Self {
            trusted: trusted.clone(),
            keys: Vec::new(),
            older: Vec::new(),
            first: None,
            foreign: None,
            unchecked: 0..0,
        }
    }

    /// The one that signs now.
    pub(super) fn newest(&self) -> &VerifierKey {
        self.keys.last().unwrap_or(&self.trusted)
    }

    /// Checks a checkpoint that one of the keys on the way to the newest has to
    /// have signed.
    pub(super) fn check_earlier(&self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        let checks = self.keys.iter().map(|key| checkpoint.check(key));
        checks.fold(checkpoint.check(&self.trusted), Result::or)
    }

    /// Checks an entry's own signature. A rotation is signed by the new key.
    pub(super) fn check(&mut self, entry: &Entry, bytes: &[u8], signature: &EntrySignature) -> Result<(), VerifyError> {
        let seq = entry.seq;
        let key = match &entry.body {
            Body::KeyRotation(rotation) => &rotation.new,
            _ => self.newest(),
        };
        let fits = key.verifies(&signed_statement(&leaf_hash(bytes)), signature);
        if self.keys.is_empty() {
            // Perhaps from before the trusted key came, and then not its.
            self.first.get_or_insert(seq);
            self.foreign = self.foreign.or((!fits).then_some(seq));
            return Ok(());
        }
        if fits { Ok(()) } else { Err(VerifyError::Signature { seq, missing: false }) }
    }

    /// Takes a rotation that both its keys signed.
    pub(super) fn rotate(&mut self, seq: u64, rotation: &KeyRotation) {
        if *self.newest() == rotation.old {
            self.keys.push(rotation.new.clone());
        } else if self.keys.is_empty() {
            if self.trusted == rotation.new {
                // The trusted key begins here, and nothing before is its.
                self.foreign = None;
                self.unchecked = self.first.take().unwrap_or(seq)..seq;
            }
            self.older.push((seq, rotation.clone()));
        }
    }

    /// The first entry whose own signature is by a key that no rotation leads
    /// to.
    pub(super) fn foreign(&self) -> Option<u64> {
        self.foreign
    }

    /// Checks the signatures from before the trusted key came, by the keys that
    /// rotations lead back to.
    pub(super) fn check_older(&self, source: &dyn Source) -> Result<(), VerifyError> {
        // Until which entry, and by which key; the oldest last.
        let mut eras: Vec<(u64, &VerifierKey)> = Vec::new();
        for (seq, rotation) in self.older.iter().rev() {
            if *eras.last().map_or(&self.trusted, |(_, key)| key) == rotation.new {
                eras.push((*seq, &rotation.old));
            }
        }
        let mut bundle = Bundle::default();
        let mut next = self.unchecked.start;
        while next < self.unchecked.end {
            read(source, next, self.unchecked.end, &mut bundle)?;
            for (seq, bytes, signature) in bundle.signed() {
                // Whether there is one where it should be was seen before.
                let Some(signature) = signature else { continue };
                let era = eras.iter().rev().find(|(until, _)| seq < *until);
                let statement = signed_statement(&leaf_hash(bytes));
                if !era.is_some_and(|(_, key)| key.verifies(&statement, signature)) {
                    return Err(VerifyError::Signature { seq, missing: false });
                }
            }
            next = bundle.end();
        }
        Ok(())
    }
}
