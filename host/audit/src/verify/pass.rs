//! One reading of a log.

use std::ops::Range;

use super::payloads::Payloads;
use super::signers::Signers;
use crate::bundle::Bundle;
use crate::chain::Chain;
use crate::merkle::TILE_WIDTH;
use crate::resume::{read, root, skip_to};
use crate::store::{EntrySignature, Node, Source};
use crate::tree::Tree;
use crate::{Body, Checkpoint, Entry, Origin, VerifyError};

/// Reads entries, checks that each follows from those before, and notes what
/// can only be judged at the end.
pub(super) struct Pass<'a> {
    source: &'a dyn Source,
    chain: Chain,
    /// `None` where signatures are not looked at.
    pub(super) signers: Option<&'a mut Signers>,
    /// `None` where what is kept beside the entries is not looked at.
    pub(super) payloads: Option<&'a mut Payloads>,
    counts: Counts,
}

/// How many entries were read, and of which kinds.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) read: u64,
    pub(super) decisions: u64,
    pub(super) outcomes: u64,
    pub(super) signed: u64,
}

impl<'a> Pass<'a> {
    pub(super) fn new(source: &'a dyn Source, origin: &Origin) -> Self {
        let chain = Chain::start(origin.clone());
        Self { source, chain, signers: None, payloads: None, counts: Counts::default() }
    }

    /// Reads the entries under `checkpoint` that are in `range`.
    pub(super) fn run(
        mut self,
        checkpoint: &Checkpoint,
        trusted: Option<&Checkpoint>,
        range: Option<&Range<u64>>,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Counts, VerifyError> {
        let size = checkpoint.size();
        // Where subtrees can be skipped: from and to multiples of 256.
        let range = range.cloned().unwrap_or(0..size);
        let from = range.start.min(size) / TILE_WIDTH * TILE_WIDTH;
        let to = range.end.min(size).div_ceil(TILE_WIDTH).saturating_mul(TILE_WIDTH).min(size);
        let tail = size / TILE_WIDTH * TILE_WIDTH;
        let part = from > 0 || to < tail;
        let mut bundle = Bundle::default();
        skip_to(self.source, &mut self.chain, from)?;
        self.chain.take_nodes();
        check_prefix(&self.chain, trusted)?;
        progress(self.chain.size(), size);
        while self.chain.size() < size {
            if part && self.chain.size() == to && to < tail {
                skip_to(self.source, &mut self.chain, tail)?;
                self.chain.take_nodes();
                continue;
            }
            let end = if part && self.chain.size() < to { to } else { size };
            read(self.source, self.chain.size(), end, &mut bundle)?;
            for (seq, bytes, signature) in bundle.signed() {
                let entry = self.chain.check(bytes).map_err(|source| VerifyError::Entry { seq, source })?;
                self.entry(&entry, bytes, signature)?;
                check_prefix(&self.chain, trusted)?;
            }
            self.check_nodes()?;
            progress(self.chain.size(), size);
        }
        root(&self.chain, checkpoint)?;
        match trusted {
            // Skipped over: the tree itself shows it.
            Some(trusted) if part => {
                let root = Tree::new(self.source, trusted.size()).root();
                let root = root.map_err(|source| VerifyError::Storage { seq: 0, source })?;
                if root != trusted.root() {
                    return Err(VerifyError::Rewritten { size: trusted.size() });
                }
            }
            _ => {}
        }
        Ok(self.counts)
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
        }
        if let Some(payloads) = &mut self.payloads {
            payloads.entry(self.source, seq, &entry.body)?;
        }
        match &entry.body {
            Body::Decision(..) => self.counts.decisions += 1,
            Body::Outcome(..) => self.counts.outcomes += 1,
            Body::KeyRotation(rotation) if !rotation.is_signed(&entry.origin, entry.time) => {
                return Err(VerifyError::Rotation { seq });
            }
            Body::KeyRotation(rotation) => {
                if let Some(signers) = &mut self.signers {
                    signers.rotate(seq, rotation);
                }
            }
            Body::Drop(_) | Body::Configuration(_) => {}
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
