//! What every kind of storage has to do alike, and what only these have on disk.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
mod suite;

use common::{Kind, ON_DISK, Place, Storage as _, append, check_source, draft_with, id, key, origin};
use futures_executor::block_on;
use suite::everything::{ENTRIES, next_signer};
use suite::{conformance, everything, writing};
use vak_audit::{
    Checkpoint, Expected, LogReader, Payloads, Signer, Tier, VerifyError, open_source, verify_all, verify_chain,
    verify_signatures,
};
use vak_types::Timestamp;

conformance!(memory: Place::new(Kind::Memory));
conformance!(segments: Place::new(Kind::File));
conformance!(sqlite: Place::new(Kind::Sqlite));

#[test]
fn a_log_has_one_writer() {
    for kind in ON_DISK {
        writing::a_log_has_one_writer(&Place::new(kind));
    }
}

#[test]
fn only_its_owner_can_read_a_log() {
    use std::os::unix::fs::PermissionsExt as _;
    fn check(path: &std::path::Path) {
        let mode = std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{}", path.display());
        if path.is_dir() {
            std::fs::read_dir(path).unwrap().for_each(|file| check(&file.unwrap().path()));
        }
    }
    for kind in ON_DISK {
        let place = Place::new(kind);
        let log = place.open();
        block_on(log.append(draft_with("a-0", "", Payloads::Erasable), Tier::Durable)).unwrap();
        for file in std::fs::read_dir(place.folder.path()).unwrap() {
            check(&file.unwrap().path());
        }
    }
}

#[test]
fn erased_bytes_are_gone_from_the_disk() {
    for kind in ON_DISK {
        let place = Place::new(kind);
        let commitment = writing::write_erasable(&place);
        assert!(holds(&place, b"/tmp/a"), "{kind:?}");
        writing::erase(&place, commitment);
        assert!(!holds(&place, b"/tmp/a"), "{kind:?}");
    }
}

fn holds(place: &Place, bytes: &[u8]) -> bool {
    fn any(path: &std::path::Path, bytes: &[u8]) -> bool {
        match path.is_dir() {
            true => std::fs::read_dir(path).unwrap().any(|file| any(&file.unwrap().path(), bytes)),
            false => std::fs::read(path).unwrap().windows(bytes.len()).any(|window| window == bytes),
        }
    }
    any(place.folder.path(), bytes)
}

#[test]
fn proofs_of_every_entry_hold_and_of_no_other() {
    for kind in ON_DISK {
        let place = Place::new(kind);
        place.extend(600, 100);
        let reader = LogReader::open(&place.path).unwrap();
        for seq in [0, 1, 254, 255, 256, 257, 511, 512, 598, 599] {
            let proof = reader.prove(seq, &origin(), &key()).unwrap();
            let text = proof.to_string();
            let again: vak_audit::EntryProof = text.parse().unwrap();
            assert_eq!(again, proof);
            let (entry, cosigned) = again.verify(&origin(), &key(), None).unwrap();
            assert_eq!((entry.seq, id(&entry), cosigned), (seq, format!("a-{seq}"), vec![]));
            for at in (0..text.len()).filter(|at| at % 7 == 0 || *at > text.len() - 300) {
                let mut altered = text.clone().into_bytes();
                altered[at] ^= 1;
                let Ok(altered) = String::from_utf8(altered) else { continue };
                let verified =
                    altered.parse::<vak_audit::EntryProof>().map(|proof| proof.verify(&origin(), &key(), None));
                assert!(!matches!(verified, Ok(Ok(_))), "byte {at}");
            }
        }
        assert!(reader.prove(600, &origin(), &key()).is_err());
    }
}

/// A proof stands for itself: with the key of its time it holds for good.
#[test]
fn a_proof_outlasts_the_key_that_signed_it() {
    for kind in ON_DISK {
        let place = Place::new(kind);
        place.extend(5, 1);
        let proof = LogReader::open(&place.path).unwrap().prove(3, &origin(), &key()).unwrap();
        let log = place.open();
        let next = || Signer::new(origin(), &[8; 32]);
        block_on(log.rotate_key(next(), Timestamp::from_nanos(1_700_000_002_000_000_000))).unwrap();
        append(&log, "b-0");
        log.close().unwrap();
        assert_eq!(proof.verify(&origin(), &key(), None).unwrap().0.seq, 3);
        let reader = LogReader::open(&place.path).unwrap();
        assert!(reader.prove(3, &origin(), &key()).is_err());
        assert!(reader.prove(3, &origin(), next().verifier()).is_ok());
        // The log grew out of the one the proof was made of.
        let (old, new) = (place.check(None).unwrap().checkpoint, reader.consistency(5).unwrap());
        assert_eq!((old.size(), new.is_empty()), (7, false));
    }
}

/// `None` where the log is refused, `Some` with what was found where not.
fn outcome_of(place: &Place) -> Option<(Checkpoint, u64)> {
    let source = open_source(&place.path).ok()?;
    let report = check_source(&*source, next_signer().verifier(), None);
    report.ok().map(|report| (report.checkpoint, report.read))
}

fn files(path: &std::path::Path) -> Vec<std::path::PathBuf> {
    match path.is_dir() {
        true => {
            let mut inside: Vec<_> = std::fs::read_dir(path).unwrap().map(|file| file.unwrap().path()).collect();
            inside.sort();
            inside.iter().flat_map(|path| files(path)).collect()
        }
        false => vec![path.to_owned()],
    }
}

/// Each byte of each file of a log in segments; there is none that means
/// nothing. The SQLite file has such, see `tampering.rs`.
#[test]
fn every_byte_of_a_folder_counts() {
    let place = Place::new(Kind::File);
    everything::write(&place);
    let sound = outcome_of(&place).unwrap();
    let mut tried = 0;
    for file in files(&place.path) {
        let whole = std::fs::read(&file).unwrap();
        // Every byte of the small files, and some of all kinds of records.
        let step = if whole.len() > 4_096 { 13 } else { 1 };
        for at in (0..whole.len()).step_by(step) {
            let mut altered = whole.clone();
            altered[at] ^= 0x11;
            std::fs::write(&file, &altered).unwrap();
            assert_eq!(outcome_of(&place), None, "byte {at} of {}", file.display());
            tried += 1;
        }
        for length in [0, whole.len() / 2, whole.len().saturating_sub(1)] {
            std::fs::write(&file, &whole[..length]).unwrap();
            assert!(whole.is_empty() || outcome_of(&place).is_none(), "{} cut to {length}", file.display());
        }
        std::fs::remove_file(&file).unwrap();
        assert_eq!(outcome_of(&place), None, "without {}", file.display());
        std::fs::write(&file, [&whole[..], b"x"].concat()).unwrap();
        assert_eq!(outcome_of(&place), None, "{} and a byte more", file.display());
        std::fs::write(&file, &whole).unwrap();
    }
    assert!(tried > 7_500, "{tried}");
    assert_eq!(outcome_of(&place), Some(sound));
}

#[test]
fn the_parts_of_verification_find_their_own() {
    let (origin, next) = (origin(), next_signer());
    let expected = Expected { origin: &origin, ..Expected::of(next.verifier()) };
    let tampered = |sql: &str| {
        let place = Place::new(Kind::Sqlite);
        let written = everything::write(&place);
        let sql = sql.replace("?1", &format!("x'{}'", written.erased.digest.to_hex()));
        rusqlite::Connection::open(&place.path).unwrap().execute_batch(&sql).unwrap();
        (place.source(), place)
    };
    // Stripped: the chain does not know of it, the signatures do.
    let (source, _place) = tampered("DELETE FROM signature WHERE seq = (SELECT max(seq) FROM signature)");
    assert_eq!(verify_chain(&*source, &origin, |_, _| ()), Ok(ENTRIES));
    let error = verify_signatures(&*source, &expected, |_, _| ()).unwrap_err();
    assert_eq!(error, VerifyError::Signature { seq: 304, missing: true });

    let (source, _place) = tampered("DELETE FROM payload WHERE rowid = 1");
    verify_signatures(&*source, &expected, |_, _| ()).unwrap();
    assert_eq!(verify_all(&*source, &expected, |_, _| ()), Err(VerifyError::PayloadMissing { seq: 1 }));

    let (source, _place) = tampered("INSERT INTO payload VALUES (?1, zeroblob(32), x'00')");
    assert_eq!(verify_all(&*source, &expected, |_, _| ()), Err(VerifyError::Payload { seq: 9 }));
}
