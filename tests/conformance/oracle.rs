//! Proofs that are read out of a stored log, against those of another
//! implementation that keeps its tree in memory.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use sha2::Sha256;
use vak_audit::{Bundle, LogReader, Source as _};

use crate::logs::{Contains, in_memory, in_sqlite, last_key, origin, signer};

/// Sizes about which a tree of tiles can be wrong: none, partial and whole ones.
const SIZES: [u64; 9] = [1, 2, 3, 7, 128, 255, 256, 257, 600];

/// The entries of a log as they are hashed.
pub(crate) fn entries(size: u64, contains: Contains) -> Vec<Vec<u8>> {
    let (store, mut bundle, mut entries) = (in_memory(size, contains), Bundle::default(), Vec::new());
    while (entries.len() as u64) < size {
        store.entries(entries.len() as u64, size, &mut bundle).unwrap();
        entries.extend(bundle.iter().map(<[u8]>::to_owned));
    }
    entries
}

/// The hashes in the text of an entry's proof.
pub(crate) fn hashes(proof: &str) -> Vec<Vec<u8>> {
    let lines = proof.lines().skip(3).take_while(|line| !line.is_empty());
    lines.map(|line| STANDARD.decode(line).unwrap()).collect()
}

#[test]
fn proofs_are_those_of_another_implementation() {
    let entries = entries(600, Contains::EntriesAlone);
    for size in SIZES {
        let log = in_sqlite(size, Contains::EntriesAlone);
        let reader = LogReader::open(&log.path().join("log")).unwrap();
        let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        entries.iter().take(usize::try_from(size).unwrap()).for_each(|entry| tree.push(entry.clone()));
        let key = signer(last_key(size)).verifier().clone();
        // All of a small log; of a large one those at the edges of tiles, and some between.
        let interesting = |at: &u64| size < 10 || at % 256 < 2 || at % 256 > 254 || at.is_multiple_of(37);
        for seq in (0..size).filter(interesting) {
            let proof = reader.prove(seq, &origin(), &key).unwrap();
            let expected = tree.prove_inclusion(usize::try_from(seq).unwrap());
            assert_eq!(hashes(&proof.to_string()).concat(), expected.as_bytes(), "entry {seq} of {size}");
        }
        for old in (1..=size).filter(interesting) {
            let proof: Vec<_> = reader.consistency(old).unwrap().iter().flat_map(|hash| *hash.as_bytes()).collect();
            let expected = tree.prove_consistency(usize::try_from(size - old).unwrap());
            assert_eq!(proof, expected.as_bytes(), "{old} to {size}");
        }
    }
}
