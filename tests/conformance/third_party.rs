//! Checkpoints, tiles and proofs, read by crates that other people wrote for
//! other logs.

use std::path::{Path, PathBuf};

use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::{
    Checkpoint, Error, Tile, TileHashReader, TileReader, check_record, check_tree, prove_record, prove_tree,
    record_hash, tree_hash,
};
use vak_audit::LogReader;

use crate::logs::{Contains, in_tiles, last_key, origin, signer};
use crate::oracle::{self, entries};

/// A folder as `export_tiles` leaves it. The height of tiles, which this crate
/// has in the path, is always 8 in C2SP tlog-tiles and left out there.
struct Folder(PathBuf);

impl TileReader for Folder {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let path = |tile: &Tile| self.0.join(tile.path().replacen("tile/8/", "tile/", 1));
        Ok(tiles.iter().map(|tile| std::fs::read(path(tile)).unwrap()).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

fn checkpoint(log: &Path, size: u64) -> Checkpoint {
    let note = Note::from_bytes(&std::fs::read(log.join("checkpoint")).unwrap()).unwrap();
    let verifier = |key: u8| Box::new(StandardVerifier::new(&signer(key).verifier().to_string()).unwrap());
    let known = |key| VerifierList::new(vec![verifier(key)]);
    assert_eq!(note.verify(&known(last_key(size))).unwrap().0.len(), 1);
    assert!(note.verify(&known(99)).is_err());
    Checkpoint::from_bytes(note.text()).unwrap()
}

#[test]
fn checkpoints_and_tiles_are_as_other_logs_have_them() {
    let entries = entries(600, Contains::EntriesAlone);
    for size in [1, 255, 256, 257, 600] {
        let folder = in_tiles(size, Contains::EntriesAlone);
        let log = folder.path().join("log");
        let checkpoint = checkpoint(&log, size);
        assert_eq!((checkpoint.origin(), checkpoint.size()), (origin().as_str(), size));
        assert_eq!(checkpoint.extension(), "");
        let root = *checkpoint.hash();
        let tiles = Folder(log.clone());
        // It checks every tile that it reads against the root.
        let hashes = TileHashReader::new(size, root, &tiles);
        assert_eq!(tree_hash(size, &hashes).unwrap(), root);
        let reader = LogReader::open(&log).unwrap();
        for seq in [0, size / 2, size - 1] {
            let proof = prove_record(size, seq, &hashes).unwrap();
            let entry = record_hash(&entries[usize::try_from(seq).unwrap()]);
            check_record(&proof, size, root, seq, entry).unwrap();
            let own = reader.prove(seq, &origin(), signer(last_key(size)).verifier()).unwrap().to_string();
            assert_eq!(
                oracle::hashes(&own),
                proof.iter().map(|hash| hash.0.to_vec()).collect::<Vec<_>>(),
                "entry {seq} of {size}"
            );
        }
        for old in [1, size.div_ceil(2), size] {
            let proof = prove_tree(size, old, &hashes).unwrap();
            check_tree(&proof, size, root, old, tree_hash(old, &hashes).unwrap()).unwrap();
            let own = reader.consistency(old).unwrap();
            let own: Vec<_> = own.iter().map(|hash| hash.as_bytes().to_vec()).collect();
            assert_eq!(own, proof.iter().map(|hash| hash.0.to_vec()).collect::<Vec<_>>(), "{old} to {size}");
        }
    }
}
