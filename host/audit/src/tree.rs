//! Proofs made from a log's storage.

use std::cell::RefCell;
use std::collections::HashMap;

use vak_types::Digest;

use crate::bundle::Bundle;
use crate::merkle::{TILE_HEIGHT, TILE_WIDTH, empty_root, leaf_hash, node_hash};
use crate::store::{Source, StorageError};

/// The Merkle tree over the first `size` entries of a log, read as far as a
/// proof needs it: tiles of 256 hashes, each once.
#[derive(Debug)]
pub struct Tree<'s> {
    source: &'s dyn Source,
    size: u64,
    tiles: RefCell<HashMap<(u8, u64), Vec<Digest>>>,
}

impl<'s> Tree<'s> {
    /// The tree over the first `size` entries of what `source` reads.
    pub fn new(source: &'s dyn Source, size: u64) -> Self {
        Self { source, size, tiles: RefCell::default() }
    }

    /// Its root.
    ///
    /// # Errors
    /// The storage can't be read, or hashes are missing.
    pub fn root(&self) -> Result<Digest, StorageError> {
        if self.size == 0 { Ok(empty_root()) } else { self.hash(0, self.size) }
    }

    /// The siblings on the way from leaf `index`, which has to be there, to the
    /// root: `PATH` of RFC 6962, section 2.1.1.
    pub(crate) fn inclusion(&self, index: u64) -> Result<Vec<Digest>, StorageError> {
        let mut path = Vec::new();
        let (mut start, mut end) = (0, self.size);
        while end - start > 1 {
            let middle = start + split(end - start);
            if index < middle {
                path.push(self.hash(middle, end)?);
                end = middle;
            } else {
                path.push(self.hash(start, middle)?);
                start = middle;
            }
        }
        path.reverse();
        Ok(path)
    }

    /// That this tree begins with the first `old` leaves: `PROOF` of RFC 6962,
    /// section 2.1.2. `old` is at most the tree's size.
    pub(crate) fn consistency(&self, old: u64) -> Result<Vec<Digest>, StorageError> {
        let mut path = Vec::new();
        if old == 0 || old == self.size {
            return Ok(path);
        }
        let (mut start, mut end) = (0, self.size);
        // Whether the old tree's part of this subtree is one the verifier has.
        let mut known = true;
        while old != end {
            let middle = start + split(end - start);
            if old <= middle {
                path.push(self.hash(middle, end)?);
                end = middle;
            } else {
                path.push(self.hash(start, middle)?);
                start = middle;
                known = false;
            }
        }
        if !known {
            path.push(self.hash(start, end)?);
        }
        path.reverse();
        Ok(path)
    }

    /// The hash of the tree over the leaves from `start` to `end`, which are a
    /// node on some path: `start` is a multiple of the next power of two.
    fn hash(&self, start: u64, end: u64) -> Result<Digest, StorageError> {
        let leaves = end - start;
        if !leaves.is_power_of_two() {
            let middle = start + split(leaves);
            return Ok(node_hash(&self.hash(start, middle)?, &self.hash(middle, end)?));
        }
        // A complete subtree: some neighbours in one tile, hashed together.
        let height = leaves.trailing_zeros();
        let level = u8::try_from(height / TILE_HEIGHT).unwrap_or(u8::MAX);
        let first = start >> (u32::from(level) * TILE_HEIGHT);
        let count = 1_usize << (height % TILE_HEIGHT);
        let tile = first / TILE_WIDTH;
        let at = usize::try_from(first % TILE_WIDTH).unwrap_or(usize::MAX);
        let mut tiles = self.tiles.borrow_mut();
        let hashes = match tiles.entry((level, tile)) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => entry.insert(self.tile(level, tile)?),
        };
        let hashes = hashes.get(at..at + count).ok_or_else(|| {
            StorageError::Damaged(format!("of level {level} of the tree, hashes from number {first} on are missing"))
        })?;
        Ok(combine(hashes))
    }

    /// The hashes of one tile, as many as there are.
    ///
    /// # Errors
    /// The storage can't be read.
    pub fn tile(&self, level: u8, tile: u64) -> Result<Vec<Digest>, StorageError> {
        let first = tile * TILE_WIDTH;
        let count = (self.size >> (u32::from(level) * TILE_HEIGHT)).saturating_sub(first).min(TILE_WIDTH);
        if level > 0 {
            return self.source.nodes(level, first, count);
        }
        let mut hashes = Vec::new();
        let mut bundle = Bundle::default();
        while let Some(missing) = count.checked_sub(hashes.len() as u64).filter(|missing| *missing > 0) {
            self.source.entries(first + hashes.len() as u64, missing, &mut bundle)?;
            if bundle.is_empty() {
                break;
            }
            hashes.extend(bundle.iter().map(leaf_hash));
        }
        Ok(hashes)
    }
}

/// The largest power of two that is smaller than `leaves`, of which there are
/// at least two.
fn split(leaves: u64) -> u64 {
    1 << (u64::BITS - 1 - (leaves - 1).leading_zeros())
}

/// The root over some hashes, whose number is a power of two.
fn combine(hashes: &[Digest]) -> Digest {
    match hashes {
        [hash] => *hash,
        hashes => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            node_hash(&combine(left), &combine(right))
        }
    }
}
