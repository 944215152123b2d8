//! The keyed hash behind the keys.

use std::hash::{BuildHasher, RandomState};

/// The key of the hash. Names come from agents, and nobody who does not know
/// it can choose names that meet in one table or one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seed(pub(crate) [u64; 2]);

impl Seed {
    /// A seed of this process.
    pub(crate) fn random() -> Self {
        let random = RandomState::new();
        Self([random.hash_one(0), random.hash_one(1)])
    }

    /// SipHash-1-3 (Aumasson and Bernstein, 2012). The standard library has it
    /// too, but not with a key that can be stored, and a snapshot is of no use
    /// under another key.
    pub(crate) fn hash(self, bytes: &[u8]) -> u64 {
        let [k0, k1] = self.0;
        let mut state = [
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ];
        let (words, rest) = bytes.as_chunks::<8>();
        let mut absorb = |word: u64| {
            state[3] ^= word;
            mix(&mut state);
            state[0] ^= word;
        };
        words.iter().for_each(|word| absorb(u64::from_le_bytes(*word)));
        // The last word is what is left, and the length in its highest byte.
        let length = bytes.len() as u64;
        absorb(rest.iter().rev().fold(length << 56 >> (8 * rest.len()), |word, byte| word << 8 | u64::from(*byte)));
        state[2] ^= 0xff;
        (0..3).for_each(|_| mix(&mut state));
        state[0] ^ state[1] ^ state[2] ^ state[3]
    }
}

fn mix(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[2] = v[2].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[1]);
    v[0] = v[0].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].rotate_left(32);
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hasher};

    use super::*;

    #[test]
    fn equals_the_hash_of_the_standard_library() {
        let bytes: Vec<u8> = (0..100).collect();
        for length in 0..bytes.len() {
            let mut theirs = DefaultHasher::new();
            theirs.write(&bytes[..length]);
            assert_eq!(Seed([0, 0]).hash(&bytes[..length]), theirs.finish(), "{length} bytes");
        }
        assert_ne!(Seed::random().hash(b"ada"), Seed::random().hash(b"ada"));
    }
}
