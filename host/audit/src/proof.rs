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
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    match (last, hash == *root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        _ => Err(ProofError::Length),
    }
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
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    let skipped = node.trailing_ones();
    node >>= skipped;
    last >>= skipped;
    let (mut old, mut new) = (first, first);
    for sibling in hashes {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    match (last, old == *old_root && new == *new_root) {
        (0, true) => Ok(()),
        (0, false) => Err(ProofError::Root),
        _ => Err(ProofError::Length),
    }
}
