//! Sound logs: both verifiers say so, and say the same.

use std::path::Path;

use tempfile::TempDir;
use vak_audit::{VerifierKey, open_source};

use crate::logs::{Contains, in_segments, in_sqlite, in_tiles, last_key, signer};
use crate::verifiers::{python, python_with, rust};

/// Around a tile, and a few segments.
const SIZES: [u64; 6] = [0, 1, 255, 256, 257, 600];

/// With the first key and with the last: rotations lead both ways.
#[track_caller]
fn check(log: &Path, size: u64) {
    for key in [1, last_key(size)] {
        let key = signer(key).verifier().clone();
        let said = rust(log, &key, None).unwrap();
        assert_eq!(said.0, size);
        assert_eq!(python(log, &key, None), Ok(said), "{size} entries, {key}");
    }
    let other = signer(99).verifier().clone();
    assert!(rust(log, &other, None).is_err() && python(log, &other, None).is_err(), "{size} entries, another's key");
}

#[track_caller]
fn check_all(make: impl Fn(u64, Contains) -> TempDir) {
    for size in SIZES {
        check(&make(size, Contains::Everything).path().join("log"), size);
    }
}

#[test]
fn on_logs_in_sqlite() {
    check_all(in_sqlite);
}

#[test]
fn on_logs_in_segments() {
    check_all(in_segments);
    let folder = in_segments(600, Contains::Everything);
    let files = std::fs::read_dir(folder.path().join("log")).unwrap();
    let segments = files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|it| it == "log"));
    assert!(segments.count() > 3, "too few to say anything");
}

#[test]
fn on_logs_in_tiles() {
    check_all(|size, _| in_tiles(size, Contains::EntriesAlone));
}

/// Neither signatures of single entries nor payloads are in tiles.
#[test]
fn on_tiles_of_a_log_with_more_than_its_entries() {
    check_all(in_tiles);
}

/// A checkpoint that was kept shows that the log goes on from it, whichever of
/// the log's keys signed it.
#[test]
fn on_checkpoints_that_were_kept() {
    for (old, new) in [(0, 257), (5, 257), (255, 600), (256, 257), (600, 600)] {
        // Each log has salts of its own; without payloads all are of one history.
        let (before, after) = (in_sqlite(old, Contains::EntriesAlone), in_segments(new, Contains::EntriesAlone));
        let note = |log: &TempDir| open_source(&log.path().join("log")).unwrap().head().unwrap().unwrap();
        let key = signer(1).verifier().clone();
        let (log, kept) = (after.path().join("log"), note(&before));
        assert_eq!(python(&log, &key, Some(&kept)), rust(&log, &key, Some(&kept)));
        assert!(rust(&log, &key, Some(&kept)).is_ok(), "{old} and {new}");
        if old < new {
            let (log, kept) = (before.path().join("log"), note(&after));
            assert!(rust(&log, &key, Some(&kept)).is_err(), "{old} and {new}");
            assert!(python(&log, &key, Some(&kept)).is_err(), "{old} and {new}");
        }
    }
}

/// Whoever sees the log could sign for a key of small order.
#[test]
fn on_keys_that_are_none() {
    let log = in_sqlite(1, Contains::EntriesAlone);
    for key in [
        "example.org/audit+9159b33b+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "example.org/audit+00000000+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs",
        "example.org/audit+1b459cf6+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtI",
        "example.org audit+1b459cf6+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs",
    ] {
        assert!(key.parse::<VerifierKey>().is_err(), "{key}");
        assert!(python_with(&log.path().join("log"), key, None).is_err(), "{key}");
    }
}
