//! Inclusion and consistency proofs, checked as
//! [RFC 9162, sections 2.1.3.2 and 2.1.4.2](https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3.2) say.

use vak_types::Digest;

use crate::merkle::{empty_root, node_hash};

/// Why a proof shows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// There is no such entry in a log of this size.
    #[error("a log of {size} entries has no entry {index}")]
    Index {
        /// The entry.
        index: u64,
        /// The log's size.
        size: u64,
    },
    /// The older log is larger than the newer.
    #[error("a log of {new} entries can't have grown out of one of {old}")]
    Order {
        /// The older log's size.
        old: u64,
        /// The newer log's size.
        new: u64,
    },
    /// Too many or too few hashes for a tree of this size.
    #[error("the proof does not have as many hashes as it takes")]
    Length,
    /// The hashes lead to another root.
    #[error("the proof does not lead to the signed root: the entry, the proof or the checkpoint was altered")]
    Root,
}

/// Checks that the leaf with hash `leaf` is number `index` of a tree of `size`
/// leaves and root `root`.
///
/// # Errors
/// It is not, or `proof` does not show it.
pub fn verify_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    root: &Digest,
    proof: &[Digest],
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Index { index, size });
    }
    let mut climb = Climb { node: index, last: size - 1 };
    let mut hash = *leaf;
    for sibling in proof {
        hash = match climb.up()? {
            Side::Left => node_hash(sibling, &hash),
            Side::Right => node_hash(&hash, sibling),
        };
    }
    climb.end(hash == *root)
}

/// Checks that a tree of `new_size` leaves begins with those of the tree of
/// `old_size`.
///
/// # Errors
/// It does not, or `proof` does not show it.
pub fn verify_consistency(
    (old_size, old_root): (u64, &Digest),
    (new_size, new_root): (u64, &Digest),
    proof: &[Digest],
) -> Result<(), ProofError> {
    if old_size > new_size {
        return Err(ProofError::Order { old: old_size, new: new_size });
    }
    if old_size == 0 || old_size == new_size {
        let same = if old_size == 0 { *old_root == empty_root() } else { old_root == new_root };
        return match (proof.is_empty(), same) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    // A complete old tree is a node of the new one; the proof leaves it out.
    let mut hashes = old_size.is_power_of_two().then_some(old_root).into_iter().chain(proof);
    let first = *hashes.next().ok_or(ProofError::Length)?;
    let skipped = (old_size - 1).trailing_ones();
    let mut climb = Climb { node: (old_size - 1) >> skipped, last: (new_size - 1) >> skipped };
    let (mut old, mut new) = (first, first);
    for sibling in hashes {
        match climb.up()? {
            Side::Left => {
                old = node_hash(sibling, &old);
                new = node_hash(sibling, &new);
            }
            Side::Right => new = node_hash(&new, sibling),
        }
    }
    climb.end(old == *old_root && new == *new_root)
}

/// Where the sibling of a node is.
enum Side {
    Left,
    Right,
}

/// The way from a node to the root: `fn` and `sn` of RFC 9162.
struct Climb {
    /// The node's number on its level.
    node: u64,
    /// The number of the last node there.
    last: u64,
}

impl Climb {
    /// Goes up to the next level where the node has a sibling.
    fn up(&mut self) -> Result<Side, ProofError> {
        if self.last == 0 {
            return Err(ProofError::Length);
        }
        let side = if self.node & 1 == 1 || self.node == self.last { Side::Left } else { Side::Right };
        if let Side::Left = side {
            // A last node without a sibling is itself on the level above.
            while self.node & 1 == 0 && self.node != 0 {
                self.node >>= 1;
                self.last >>= 1;
            }
        }
        self.node >>= 1;
        self.last >>= 1;
        Ok(side)
    }

    /// Whether it ended at the root, with the hashes it should have.
    fn end(&self, same: bool) -> Result<(), ProofError> {
        match (self.last, same) {
            (0, true) => Ok(()),
            (0, false) => Err(ProofError::Root),
            _ => Err(ProofError::Length),
        }
    }
}
