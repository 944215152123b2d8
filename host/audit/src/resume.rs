//! The checks on a log before it is continued.

use crate::bundle::Bundle;
use crate::chain::Chain;
use crate::merkle::{TILE_HEIGHT, TILE_WIDTH, leaf_hash};
use crate::store::Source;
use crate::{Checkpoint, Origin, VerifierKey, VerifyError};

/// The highest level of subtrees that a log of 2^63 entries can have.
const LEVEL_MAX: u8 = 7;

/// Checks the newest checkpoint, and that the stored subtrees and the entries
/// after them lead to its root. The entries are up to 256, and they can't be
/// others: the root over the subtrees and them is signed.
pub(crate) fn resume(
    source: &dyn Source,
    origin: &Origin,
    key: &VerifierKey,
) -> Result<(Checkpoint, Chain), VerifyError> {
    let checkpoint = Checkpoint::open(&head(source)?, origin, key)?;
    let size = checkpoint.size();
    source.examine(size).map_err(|source| VerifyError::Storage { seq: 0, source })?;
    let mut chain = Chain::start(origin.clone());
    // At least one entry follows, if there is one, so that the last is replayed.
    skip_to(source, &mut chain, size.saturating_sub(1) / TILE_WIDTH * TILE_WIDTH)?;
    let mut bundle = Bundle::default();
    while chain.size() < size {
        read(source, chain.size(), size, &mut bundle)?;
        for bytes in bundle.iter() {
            let seq = chain.size();
            chain.check(bytes).map_err(|source| VerifyError::Entry { seq, source })?;
        }
    }
    root(&chain, &checkpoint)?;
    chain.take_nodes();
    Ok((checkpoint, chain))
}

/// The newest checkpoint's note, not yet believed.
pub(crate) fn head(source: &dyn Source) -> Result<String, VerifyError> {
    source.head().map_err(|source| VerifyError::Storage { seq: 0, source })?.ok_or(VerifyError::NoHead)
}

/// Goes over the entries before `seq`, a multiple of 256, by the stored
/// subtrees, the largest first. The entry before `seq` is read for its hash.
pub(crate) fn skip_to(source: &dyn Source, chain: &mut Chain, seq: u64) -> Result<(), VerifyError> {
    let failed = |source| VerifyError::Storage { seq, source };
    while chain.size() < seq {
        let at = chain.size();
        let fits = |level: &u8| {
            let leaves = 1_u64 << (u32::from(*level) * TILE_HEIGHT);
            at.is_multiple_of(leaves) && seq - at >= leaves
        };
        let level = (1..=LEVEL_MAX).rev().find(fits).unwrap_or(1);
        let leaves = 1_u64 << (u32::from(level) * TILE_HEIGHT);
        let (first, count) = (at / leaves, (seq - at) / leaves);
        let nodes = source.nodes(level, first, count.min(TILE_WIDTH)).map_err(failed)?;
        if nodes.is_empty() {
            return Err(VerifyError::NoNode { level, index: first });
        }
        for node in nodes {
            chain.skip(level, node);
            // What was skipped was told when it was written.
            if !fits(&level) {
                break;
            }
        }
    }
    if let Some(before) = seq.checked_sub(1) {
        let mut bundle = Bundle::default();
        read(source, before, seq, &mut bundle)?;
        if let Some(bytes) = bundle.iter().next() {
            chain.set_prev(leaf_hash(bytes));
        }
    }
    Ok(())
}

/// The next entries, at least one, of a log that should have `size`.
pub(crate) fn read(source: &dyn Source, from: u64, size: u64, bundle: &mut Bundle) -> Result<(), VerifyError> {
    source.entries(from, size - from, bundle).map_err(|source| VerifyError::Storage { seq: from, source })?;
    if bundle.is_empty() || bundle.first() != from {
        return Err(VerifyError::Missing { seq: from, size });
    }
    Ok(())
}

/// Checks that the entries of `chain` are those of `checkpoint`.
pub(crate) fn root(chain: &Chain, checkpoint: &Checkpoint) -> Result<(), VerifyError> {
    let (size, computed) = (chain.size(), chain.frontier().root());
    if computed != checkpoint.root() {
        return Err(VerifyError::Root { size, computed, signed: checkpoint.root() });
    }
    Ok(())
}
