//! The Merkle tree of [RFC 6962, section 2.1](https://www.rfc-editor.org/rfc/rfc6962#section-2.1).

use sha2::{Digest as _, Sha256};
use vak_types::Digest;

/// The hash of an entry as a leaf of the tree: SHA-256 of a zero byte and the
/// entry.
pub fn leaf_hash(entry: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::new().chain_update([0]).chain_update(entry).finalize().into())
}

fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let hash = Sha256::new().chain_update([1]).chain_update(left.as_bytes()).chain_update(right.as_bytes());
    Digest::from_bytes(hash.finalize().into())
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
    /// Reads what [`Frontier::to_bytes`] wrote; `None` if the number of hashes
    /// is not that of a tree of `size` leaves.
    pub(crate) fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        let complete = rest.is_empty() && hashes.len() == size.count_ones() as usize;
        complete.then(|| Self { size, peaks: hashes.iter().copied().map(Digest::from_bytes).collect() })
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.peaks.iter().flat_map(|peak| *peak.as_bytes()).collect()
    }

    /// How many leaves the tree has.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn push(&mut self, leaf: Digest) {
        let merges = self.size.trailing_ones();
        let mut node = leaf;
        for left in (0..merges).map_while(|_| self.peaks.pop()) {
            node = node_hash(&left, &node);
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// The root of the tree; of an empty one, the SHA-256 of nothing.
    pub(crate) fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            None => Digest::of(b""),
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
            frontier.push(leaf_hash(leaf));
            assert_eq!(frontier.root().to_hex(), root);
        }
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_another_implementation_at_every_size(leaves in proptest::collection::vec(proptest::prelude::any::<[u8; 4]>(), 0..300)) {
            let mut tree = MemoryBackedTree::<Sha256, [u8; 4]>::new();
            let mut frontier = Frontier::default();
            for leaf in leaves {
                tree.push(leaf);
                frontier.push(leaf_hash(&leaf));
                assert_eq!(&frontier.root().as_bytes()[..], &tree.root().as_bytes()[..]);
                assert_eq!(Frontier::from_bytes(frontier.size(), &frontier.to_bytes()), Some(frontier.clone()));
                assert_eq!(Frontier::from_bytes(frontier.size() ^ 1, &frontier.to_bytes()), None);
            }
        }
    }
}
