//! The Merkle tree of [RFC 6962, section 2.1](https://www.rfc-editor.org/rfc/rfc6962#section-2.1).

use sha2::{Digest as _, Sha256};
use vak_types::Digest;

use crate::store::Node;

/// A tile of C2SP tlog-tiles is 8 levels high: this many bits of an index.
pub(crate) const TILE_HEIGHT: u32 = 8;

/// Hashes in a full tile, and entries under one of its lowest level.
pub(crate) const TILE_WIDTH: u64 = 1 << TILE_HEIGHT;

/// The hash of an entry as a leaf of the tree: SHA-256 of a zero byte and the
/// entry.
pub fn leaf_hash(entry: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::new().chain_update([0]).chain_update(entry).finalize().into())
}

pub(crate) fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let hash = Sha256::new().chain_update([1]).chain_update(left.as_bytes()).chain_update(right.as_bytes());
    Digest::from_bytes(hash.finalize().into())
}

/// The root of a tree without leaves.
pub(crate) fn empty_root() -> Digest {
    Digest::of(b"")
}

/// The right edge of a tree: the roots of the largest complete subtrees that
/// its leaves fall into, one for each bit set in their number. That is all it
/// takes to append a leaf and to give the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Frontier {
    size: u64,
    /// From the largest subtree to the smallest.
    peaks: Vec<Digest>,
}

impl Frontier {
    /// How many leaves the tree has.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf. `complete` is told of each subtree as high as tiles are
    /// that this completes.
    pub(crate) fn push(&mut self, leaf: Digest, complete: impl FnMut(Node)) {
        self.push_subtree(0, leaf, complete);
    }

    /// Appends a complete subtree of 256^`level` leaves; the leaves so far have
    /// to be a multiple of that.
    pub(crate) fn push_subtree(&mut self, level: u8, root: Digest, mut complete: impl FnMut(Node)) {
        let mut height = u32::from(level) * TILE_HEIGHT;
        debug_assert!(self.size.is_multiple_of(1 << height));
        let merges = (self.size >> height).trailing_ones();
        self.size += 1 << height;
        let mut node = root;
        for left in (0..merges).map_while(|_| self.peaks.pop()) {
            node = node_hash(&left, &node);
            height += 1;
            if height.is_multiple_of(TILE_HEIGHT)
                && let Ok(level) = u8::try_from(height / TILE_HEIGHT)
            {
                complete(Node { level, index: (self.size >> height) - 1, hash: node });
            }
        }
        self.peaks.push(node);
    }

    /// The root of the tree; of an empty one, the SHA-256 of nothing.
    pub(crate) fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            None => empty_root(),
            Some(last) => peaks.fold(*last, |right, left| node_hash(left, &right)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;

    use super::*;

    /// The inputs and roots of the Certificate Transparency reference
    /// implementation (`merkle_tree_test.cc`).
    #[test]
    fn gives_the_roots_of_the_reference_implementation() {
        let cases: [(&[u8], &str); 8] = [
            (b"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (b"\x00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (b"\x10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
            (b"\x20\x21", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
            (b"\x30\x31", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
            (b"\x40\x41\x42\x43", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
            (b"\x50\x51\x52\x53\x54\x55\x56\x57", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
            (
                b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
                "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
            ),
        ];
        let mut frontier = Frontier::default();
        assert_eq!(frontier.root().to_hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        for (leaf, root) in cases {
            frontier.push(leaf_hash(leaf), |_| ());
            assert_eq!(frontier.root().to_hex(), root);
        }
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_another_implementation_at_every_size(leaves in proptest::collection::vec(proptest::prelude::any::<[u8; 4]>(), 0..600)) {
            let mut tree = MemoryBackedTree::<Sha256, [u8; 4]>::new();
            let mut frontier = Frontier::default();
            let mut nodes = Vec::new();
            for leaf in &leaves {
                tree.push(*leaf);
                frontier.push(leaf_hash(leaf), |node| nodes.push(node));
                assert_eq!(&frontier.root().as_bytes()[..], &tree.root().as_bytes()[..]);
            }
            // The subtrees it told of make up the same tree.
            let mut short = Frontier::default();
            for (index, node) in (0..).zip(&nodes) {
                assert_eq!((node.level, node.index), (1, index));
                short.push_subtree(1, node.hash, |_| ());
            }
            for leaf in &leaves[nodes.len() * 256..] {
                short.push(leaf_hash(leaf), |_| ());
            }
            assert_eq!(short, frontier);
        }
    }
}
