//! What every kind of storage has to do alike.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{
    KINDS, Kind, ON_DISK, Place, append, check_source, draft, draft_with, id, is_decision, key, origin, signer,
};
use futures_executor::block_on;
use vak_audit::{
    Body, Checkpoint, Commitment, Configuration, Draft, Dropped, EncodeError, EntryKind, Expected, KindSet, Log,
    LogReader, OpenError, Options, PAYLOAD_BYTES_MAX, Payloads, Receipt, Signer, StorageError, Tier, VerifyError, What,
    export_tiles, leaf_hash, open_source, verify_all, verify_chain, verify_signatures,
};
use vak_types::{AttributeValue, Decision, Digest, Json, Timestamp, Verdict};

const TIME: Timestamp = Timestamp::from_nanos(1_700_000_002_000_000_000);

#[test]
fn what_is_appended_is_read_back_and_verifies() {
    for kind in KINDS {
        let mut trusted: Option<Checkpoint> = None;
        let place = Place::new(kind);
        // Across the edges of tiles, of segments and of openings.
        for (entries, batch) in [(0, 1), (1, 1), (254, 7), (1, 1), (1, 1), (300, 50), (17, 1)] {
            let checkpoint = place.extend(entries, batch);
            let before = trusted.as_ref().map_or(0, Checkpoint::size);
            assert_eq!(checkpoint.size(), before + entries, "{kind:?}");
            let report = place.check(trusted.as_ref()).unwrap();
            assert_eq!((report.checkpoint.note(), report.read), (checkpoint.note(), checkpoint.size()));
            trusted = Some(checkpoint);
        }
        let entries = place.entries();
        assert_eq!(entries.len(), 574);
        assert_eq!(verify_chain(&*place.source(), &origin(), |_, _| ()), Ok(574));
    }
}

#[test]
fn the_same_entries_have_the_same_bytes_everywhere() {
    let logs = KINDS.map(|kind| {
        let place = Place::new(kind);
        let checkpoint = place.extend(300, 9);
        (place.entries(), checkpoint.note().to_string())
    });
    assert!(logs.iter().all(|log| *log == logs[0]));
}

#[test]
fn a_receipt_names_the_leaf() {
    for kind in KINDS {
        let place = Place::new(kind);
        let log = place.open();
        let Receipt::Durable { seq, leaf, checkpoint, .. } = append(&log, "a-0") else { panic!("not durable") };
        assert_eq!(&log.close().unwrap().note()[..], &checkpoint[..]);
        assert_eq!((seq, leaf), (0, leaf_hash(&place.entries()[0])));
    }
}

#[test]
fn a_log_has_one_writer() {
    for kind in ON_DISK {
        let place = Place::new(kind);
        let first = place.open();
        let Err(OpenError::Storage(StorageError::Locked { .. })) = place.try_open() else { panic!("opened twice") };
        drop(first);
        place.open();
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

/// A log with everything in it: 1 to 11 are decisions with payloads, then a
/// rotation, a configuration and what was dropped.
fn everything(kind: Kind) -> (Place, Signer, Commitment) {
    let place = Place::new(kind);
    let signed =
        [EntryKind::KeyRotation, EntryKind::Outcome, EntryKind::Configuration].into_iter().collect::<KindSet>();
    let options = Options { signed, ..Options::default() };
    let log = Log::open(place.store(), origin(), signer(), &options).unwrap();
    append(&log, "a-0");
    for index in 1..=300 {
        let payloads = if index <= 11 { Payloads::Erasable } else { Payloads::Inline };
        let draft = draft_with(&format!("a-{index}"), "x", payloads);
        block_on(log.append(draft, Tier::Accepted)).unwrap();
    }
    block_on(log.append(common::outcome("a-7", 7), Tier::Durable)).unwrap();
    let next = || Signer::new("example.org/audit-2".parse().unwrap(), &[8; 32]);
    block_on(log.rotate_key(next(), TIME)).unwrap();
    block_on(log.append(common::outcome("a-8", 8), Tier::Durable)).unwrap();
    let configuration =
        Configuration { digest: Digest::of(b"vak.toml"), software: "vak".to_owned(), components: Vec::new() };
    block_on(log.append(Draft::configuration(TIME, configuration).unwrap(), Tier::Durable)).unwrap();
    let Body::Decision(_, decision) = read(&place, 9).body else { panic!("not a decision") };
    let commitment = *decision.arguments.commitment().unwrap();
    let what = What::Payload { commitment: commitment.digest };
    let erase = Draft::dropped(TIME, Dropped { what, reason: "asked to".to_owned() }).unwrap();
    block_on(log.append(erase, Tier::Durable)).unwrap();
    append(&log, "a-last");
    log.close().unwrap();
    (place, next(), commitment)
}

fn read(place: &Place, seq: u64) -> vak_audit::Entry {
    vak_audit::Entry::decode(&place.entries()[usize::try_from(seq).unwrap()]).unwrap()
}

#[test]
fn a_log_with_everything_in_it_verifies_by_either_key() {
    for kind in KINDS {
        let (place, next, commitment) = everything(kind);
        for key in [&key(), next.verifier()] {
            let report = check_source(&*place.source(), key, None).unwrap();
            assert_eq!((report.decisions, report.outcomes, report.signed), (302, 2, 4), "{kind:?}");
            assert_eq!((report.payloads, report.erased), (10, 1));
            assert_eq!(&report.key, next.verifier());
        }
        assert_eq!(place.source().payload(&commitment.digest).unwrap(), None);
        let stranger = Signer::new(origin(), &[9; 32]);
        assert!(check_source(&*place.source(), stranger.verifier(), None).is_err());
        // The key that was rotated away does not open it for writing any more.
        assert!(matches!(place.try_open(), Err(OpenError::Unsound { .. })));
        Log::open(place.store(), origin(), next, &Options::default()).unwrap();
        // Tiles have the entries and neither payloads nor signatures.
        let tiles = place.folder.path().join("tiles");
        export_tiles(&*place.source(), &tiles, |_, _| ()).unwrap();
        let exported = open_source(&tiles).unwrap();
        assert_eq!(verify_chain(&*exported, &origin(), |_, _| ()), Ok(307));
    }
}

/// The longest arguments that an agent can send don't stop a log, and what is
/// longer never gets to it.
#[test]
fn the_longest_payloads_have_a_place() {
    let deny = Verdict { decision: Decision::Deny, reasons: Vec::new(), retry_after_ms: None, unsigned: false };
    for kind in KINDS {
        let place = Place::new(kind);
        let log = place.open();
        let mut action = common::action("a-0");
        action.arguments = Json::parse(&format!("\"{}\"", "x".repeat(Json::BYTES_MAX - 2))).unwrap();
        block_on(log.append(Draft::decision(&action, &deny, Payloads::Inline).unwrap(), Tier::Durable)).unwrap();
        action.attributes.insert("text".to_owned(), AttributeValue::Text("x".repeat(PAYLOAD_BYTES_MAX - 100)));
        block_on(log.append(Draft::decision(&action, &deny, Payloads::Inline).unwrap(), Tier::Durable)).unwrap();
        log.close().unwrap();
        assert_eq!(place.check(None).unwrap().payloads, 3, "{kind:?}");
        action.attributes.insert("more".to_owned(), AttributeValue::Text("x".repeat(100)));
        let error = Draft::decision(&action, &deny, Payloads::Inline).unwrap_err();
        assert!(matches!(error, EncodeError::PayloadTooLarge { .. }), "{error}");
    }
}

#[test]
fn erased_bytes_are_gone_from_the_disk() {
    let secret = "/tmp/a";
    for kind in ON_DISK {
        let place = Place::new(kind);
        let log = place.open();
        block_on(log.append(draft_with("a-0", "x", Payloads::Erasable), Tier::Durable)).unwrap();
        log.close().unwrap();
        assert!(holds(&place, secret.as_bytes()), "{kind:?}");
        let Body::Decision(_, decision) = read(&place, 0).body else { panic!("not a decision") };
        let what = What::Payload { commitment: decision.arguments.commitment().unwrap().digest };
        let log = place.open();
        let erase = Draft::dropped(TIME, Dropped { what, reason: "asked to".to_owned() }).unwrap();
        block_on(log.append(erase, Tier::Durable)).unwrap();
        log.close().unwrap();
        assert!(!holds(&place, secret.as_bytes()), "{kind:?}");
        assert_eq!(place.check(None).unwrap().erased, 1);
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
        block_on(log.rotate_key(next(), TIME)).unwrap();
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

#[test]
fn a_part_of_a_log_verifies_and_only_that_is_read() {
    for kind in KINDS {
        let place = Place::new(kind);
        let old = place.extend(500, 100);
        let checkpoint = place.extend(2_100, 300);
        let (origin, key) = (origin(), key());
        for range in [0..1, 300..700, 700..701, 2_500..2_600, 2_599..9_000, 0..2_600] {
            let source = place.source();
            let trusted = Some(&**old.note());
            let expected =
                Expected { origin: &origin, key: &key, trusted, witnesses: None, range: Some(range.clone()) };
            let report = verify_all(&*source, &expected, |_, _| ()).unwrap();
            assert_eq!(report.checkpoint, checkpoint);
            // The range, widened to groups of 256, and the last group.
            assert!(report.read <= (range.end.min(2_600) - range.start) + 3 * 256, "{range:?}: {}", report.read);
        }
    }
}

/// `None` where the log is refused, `Some` with what was found where not.
fn outcome_of(place: &Place) -> Option<(Checkpoint, u64)> {
    let source = open_source(&place.path).ok()?;
    let report = check_source(&*source, Signer::new("example.org/audit-2".parse().unwrap(), &[8; 32]).verifier(), None);
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
    let (place, ..) = everything(Kind::File);
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
    assert!(tried > 8_000, "{tried}");
    assert_eq!(outcome_of(&place), Some(sound));
}

#[test]
fn a_follower_sees_everything_once_and_goes_on_where_it_stopped() {
    for kind in KINDS {
        let place = Place::new(kind);
        place.extend(300, 50);
        let log = place.open();
        let mut follower = log.subscribe(0);
        let mut seen = Vec::new();
        for _ in 0..298 {
            seen.push(block_on(follower.next()).unwrap().unwrap().entry.seq);
        }
        let cursor = follower.next_seq();
        drop(follower);
        let mut follower = log.subscribe(cursor).filter(is_decision);
        assert_eq!(block_on(follower.next()).unwrap().unwrap().behind, 1);
        seen.push(298);
        block_on(log.append(draft("b-0", ""), Tier::Durable)).unwrap();
        block_on(log.append(common::outcome("b-0", 300), Tier::Durable)).unwrap();
        block_on(log.append(draft("b-1", ""), Tier::Durable)).unwrap();
        log.close().unwrap();
        while let Some(followed) = block_on(follower.next()).unwrap() {
            seen.push(followed.entry.seq);
        }
        // The outcome, 301, was not wanted.
        assert_eq!(seen, (0..303).filter(|seq| *seq != 301).collect::<Vec<_>>(), "{kind:?}");
    }
}

#[test]
fn a_follower_waits_for_what_comes() {
    for kind in KINDS {
        let place = Place::new(kind);
        let log = place.open();
        let mut follower = log.subscribe(0);
        let waiting =
            std::thread::spawn(move || block_on(follower.next()).unwrap().map(|followed| id(&followed.entry)));
        append(&log, "a-0");
        assert_eq!(waiting.join().unwrap(), Some("a-0".to_owned()));
        let mut late = log.subscribe(5);
        let waiting = std::thread::spawn(move || block_on(late.next()).unwrap());
        log.close().unwrap();
        assert_eq!(waiting.join().unwrap(), None);
    }
}

#[test]
fn the_parts_of_verification_find_their_own() {
    let (place, next, _) = everything(Kind::Sqlite);
    let edit = rusqlite::Connection::open(&place.path).unwrap();
    let origin = origin();
    let expected = Expected { origin: &origin, key: next.verifier(), trusted: None, witnesses: None, range: None };
    // Stripped: the chain does not know of it, the signatures do.
    edit.execute_batch("DELETE FROM signature WHERE seq = (SELECT max(seq) FROM signature)").unwrap();
    let source = open_source(&place.path).unwrap();
    assert_eq!(verify_chain(&*source, &origin, |_, _| ()), Ok(307));
    let error = verify_signatures(&*source, &expected, |_, _| ()).unwrap_err();
    assert_eq!(error, VerifyError::Signature { seq: 304, missing: true });
    drop((source, edit));

    let (place, next, _) = everything(Kind::Sqlite);
    let expected = Expected { key: next.verifier(), ..expected };
    let edit = rusqlite::Connection::open(&place.path).unwrap();
    edit.execute_batch("DELETE FROM payload WHERE rowid = 1").unwrap();
    let source = open_source(&place.path).unwrap();
    verify_signatures(&*source, &expected, |_, _| ()).unwrap();
    assert_eq!(verify_all(&*source, &expected, |_, _| ()), Err(VerifyError::PayloadMissing { seq: 1 }));
    edit.execute_batch("INSERT INTO payload VALUES (zeroblob(32), zeroblob(32), x'00')").unwrap();
    drop(source);

    let (place, next, commitment) = everything(Kind::Sqlite);
    let expected = Expected { key: next.verifier(), ..expected };
    let edit = rusqlite::Connection::open(&place.path).unwrap();
    edit.execute("INSERT INTO payload VALUES (?1, zeroblob(32), x'00')", [commitment.digest.as_bytes()]).unwrap();
    let source = open_source(&place.path).unwrap();
    assert_eq!(verify_all(&*source, &expected, |_, _| ()), Err(VerifyError::Payload { seq: 9 }));
}
