//! One reading of a log.

use std::ops::Range;

use super::approvals::Approvals;
use super::payloads::Payloads;
use super::signers::Signers;
use crate::bundle::Bundle;
use crate::chain::Chain;
use crate::merkle::TILE_WIDTH;
use crate::proof::verify_consistency;
use crate::resume::{read, root, skip_to};
use crate::store::{EntrySignature, Node, Source};
use crate::tree::Tree;
use crate::{Body, Checkpoint, Entry, Origin, VerifyError};

/// Reads entries, checks that each follows from those before, and notes what
/// can only be judged at the end.
pub(super) struct Pass<'a> {
    source: &'a dyn Source,
    pub(super) chain: Chain,
    /// `None` where signatures are not looked at.
    pub(super) signers: Option<&'a mut Signers>,
    /// `None` where what is kept beside the entries is not looked at.
    pub(super) payloads: Option<&'a mut Payloads>,
    approvals: Approvals,
    pub(super) counts: Counts,
}

/// How many entries were read, and of which kinds.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) read: u64,
    pub(super) decisions: u64,
    pub(super) outcomes: u64,
    pub(super) approvals: u64,
    pub(super) signed: u64,
}

impl<'a> Pass<'a> {
    pub(super) fn new(source: &'a dyn Source, origin: &Origin) -> Self {
        let chain = Chain::start(origin.clone());
        Self {
            source,
            chain,
            signers: None,
            payloads: None,
            approvals: Approvals::default(),
            counts: Counts::default(),
        }
    }

    /// Reads the entries under `checkpoint` that are in `range`, and passes over
    /// the others by the stored subtrees. `trusted` has to be of the same log,
    /// and of no more entries.
    pub(super) fn run(
        &mut self,
        checkpoint: &Checkpoint,
        trusted: Option<&Checkpoint>,
        range: Range<u64>,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<(), VerifyError> {
        let size = checkpoint.size();
        let windows = windows(range, size);
        for window in &windows {
            self.skip_to(window.start)?;
            check_prefix(&self.chain, trusted)?;
            progress(self.chain.size(), size);
            self.read_to(window.end, size, trusted, &mut progress)?;
        }
        root(&self.chain, checkpoint)?;
        match trusted {
            Some(trusted) if windows[0] != (0..size) => check_consistency(self.source, trusted, checkpoint),
            _ => Ok(()),
        }
    }

    fn skip_to(&mut self, seq: u64) -> Result<(), VerifyError> {
        if self.chain.size() < seq {
            skip_to(self.source, &mut self.chain, seq)?;
            self.chain.take_nodes();
            self.signers.iter_mut().for_each(|signers| signers.gap());
            self.approvals.gap(seq);
        }
        Ok(())
    }

    fn read_to(
        &mut self,
        end: u64,
        size: u64,
        trusted: Option<&Checkpoint>,
        progress: &mut impl FnMut(u64, u64),
    ) -> Result<(), VerifyError> {
        let mut bundle = Bundle::default();
        while self.chain.size() < end {
            read(self.source, self.chain.size(), end, &mut bundle)?;
            for (seq, bytes, signature) in bundle.signed() {
                let entry = self.chain.check(bytes).map_err(|source| VerifyError::Entry { seq, source })?;
                self.entry(&entry, bytes, signature)?;
                check_prefix(&self.chain, trusted)?;
            }
            self.check_nodes()?;
            progress(self.chain.size(), size);
        }
        Ok(())
    }

    fn entry(&mut self, entry: &Entry, bytes: &[u8], signature: Option<&EntrySignature>) -> Result<(), VerifyError> {
        let seq = entry.seq;
        self.counts.read += 1;
        if let Some(signers) = &mut self.signers {
            match (entry.signed && self.source.keeps_all(), signature) {
                (false, None) => {}
                (false, Some(_)) => return Err(VerifyError::StraySignature { seq }),
                (true, None) => return Err(VerifyError::Signature { seq, missing: true }),
                (true, Some(signature)) => {
                    self.counts.signed += 1;
                    signers.check(entry, bytes, signature)?;
                }
            }
            if let Body::KeyRotation(rotation) = &entry.body {
                signers.rotate(entry, rotation)?;
            }
        }
        if let Some(payloads) = &mut self.payloads {
            payloads.entry(self.source, seq, &entry.body)?;
        }
        self.approvals.entry(self.source, entry, self.payloads.is_some())?;
        match &entry.body {
            Body::Decision(..) => self.counts.decisions += 1,
            Body::Outcome(..) => self.counts.outcomes += 1,
            Body::Approval(..) => self.counts.approvals += 1,
            Body::KeyRotation(_) | Body::Drop(_) | Body::Configuration(_) | Body::Shadow(..) | Body::Acceptance(_) => {}
        }
        Ok(())
    }

    /// Compares the subtrees that were completed with those that are stored.
    fn check_nodes(&mut self) -> Result<(), VerifyError> {
        let source = self.source;
        for Node { level, index, hash } in self.chain.take_nodes() {
            let stored = source.nodes(level, index, 1).map_err(|source| VerifyError::Storage { seq: 0, source })?;
            match stored.first() {
                None => return Err(VerifyError::NoNode { level, index }),
                Some(stored) if *stored != hash => return Err(VerifyError::Node { level, index }),
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// What is read of a log of `size` entries for `range`: from and to multiples
/// of 256, around which subtrees can be skipped, and the entries after the last
/// of these, which are under no subtree.
fn windows(range: Range<u64>, size: u64) -> [Range<u64>; 2] {
    let tail = size / TILE_WIDTH * TILE_WIDTH;
    let from = range.start.min(size) / TILE_WIDTH * TILE_WIDTH;
    let to = range.end.min(size).div_ceil(TILE_WIDTH).saturating_mul(TILE_WIDTH);
    if range.is_empty() || from >= tail {
        [tail..size, size..size]
    } else if to > tail || range.end >= size {
        [from..size, size..size]
    } else {
        [from..to, tail..size]
    }
}

/// Checks that the entries so far are those of the trusted checkpoint, when
/// they are as many.
fn check_prefix(chain: &Chain, trusted: Option<&Checkpoint>) -> Result<(), VerifyError> {
    match trusted {
        Some(trusted) if trusted.size() == chain.size() && trusted.root() != chain.frontier().root() => {
            Err(VerifyError::Rewritten { size: trusted.size() })
        }
        _ => Ok(()),
    }
}

/// The same where entries were passed over: a proof ties the one root to the
/// other, whatever the storage says.
fn check_consistency(source: &dyn Source, trusted: &Checkpoint, checkpoint: &Checkpoint) -> Result<(), VerifyError> {
    let (old, new) = (trusted.size(), checkpoint.size());
    let proof = Tree::new(source, new).consistency(old).map_err(|source| VerifyError::Storage { seq: 0, source })?;
    verify_consistency((old, &trusted.root()), (new, &checkpoint.root()), &proof)
        .map_err(|_| VerifyError::Rewritten { size: old })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_in_whole_tiles_and_with_the_tail() {
        let cases = [
            (0..0, 0, [0..0, 0..0]),
            (0..600, 600, [0..600, 600..600]),
            (0..u64::MAX, 600, [0..600, 600..600]),
            (0..1, 600, [0..256, 512..600]),
            (300..301, 600, [256..512, 512..600]),
            (500..513, 600, [256..600, 600..600]),
            (300..301, 1_024, [256..512, 1_024..1_024]),
            (u64::MAX..u64::MAX, 600, [512..600, 600..600]),
            (599..600, 600, [512..600, 600..600]),
            (Range { start: 10, end: 3 }, 600, [512..600, 600..600]),
            (10..10, 600, [512..600, 600..600]),
            (0..512, 512, [0..512, 512..512]),
        ];
        for (range, size, expected) in cases {
            assert_eq!(windows(range.clone(), size), expected, "{range:?} of {size}");
        }
    }
}
