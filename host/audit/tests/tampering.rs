//! Whatever is done to a log's file, `verify` says so, and where.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Sample, check, key, open, origin};
use vak_audit::{
    CheckpointError, Expected, LinkError, Log, NoteError, OpenError, Options, Signer, SqliteStore, StorageError, Store,
    VerifyError, leaf_hash, open_source, verify_all,
};

fn store(path: &std::path::Path) -> Box<dyn Store> {
    Box::new(SqliteStore::open(path).unwrap())
}

/// What belongs to SQLite's files alone.
fn damaged(error: &VerifyError, what: &str) -> bool {
    matches!(error, VerifyError::Storage { source: StorageError::Damaged(message), .. } if message.contains(what))
}

/// The error `verify` gives, and that the log can't be opened for writing.
fn refused(sample: &Sample) -> VerifyError {
    let error = sample.check().unwrap_err();
    assert!(matches!(open(&sample.path), Err(OpenError::Unsound { .. })), "opened in spite of: {error}");
    error
}

fn at(seq: u64, source: LinkError) -> VerifyError {
    VerifyError::Entry { seq, source }
}

#[test]
fn a_sound_log_passes() {
    for size in [0, 1, 2, 7, 255, 256, 257, 2_100] {
        let sample = Sample::of(size);
        let report = sample.check().unwrap();
        assert_eq!((report.decisions, report.outcomes), (size, 0));
        assert_eq!(report.checkpoint, sample.checkpoint);
        assert_eq!(open(&sample.path).unwrap().opened_at(), &sample.checkpoint);
    }
}

#[test]
fn every_byte_of_every_entry_counts() {
    let sample = Sample::of(6);
    let entries: Vec<_> = (0..6).map(|row| sample.entry(row)).collect();
    let connection = sample.edit();
    for ((seq, row), entry) in (0..).zip(0_i64..).zip(entries) {
        for byte in 0..entry.len() {
            let mut altered = entry.clone();
            altered[byte] ^= 1 << (byte % 8);
            connection.execute("UPDATE entry SET bytes = ?1 WHERE seq = ?2", (&altered, row)).unwrap();
            match sample.check().unwrap_err() {
                // The entry that was altered, or the next, which names its hash.
                VerifyError::Entry { seq: found, .. } => assert!(found == seq || found == seq + 1, "byte {byte}"),
                VerifyError::Root { .. } => assert_eq!(seq, 5),
                other => panic!("{other}"),
            }
            if byte % 16 == 0 {
                refused(&sample);
            }
        }
        connection.execute("UPDATE entry SET bytes = ?1 WHERE seq = ?2", (&entry, row)).unwrap();
    }
    sample.check().unwrap();
}

/// Below SQLite's tables too: what is noticed is an error, and what is not
/// changes nothing of what is read.
#[test]
fn every_byte_of_the_file_counts_or_is_unused() {
    let sample = Sample::of(6);
    let whole = std::fs::read(&sample.path).unwrap();
    let (mut noticed, mut tried) = (0, 0);
    for at in 0..whole.len() {
        // Every one where the tables are filled, some where they are empty.
        if whole[at] == 0 && at % 41 != 0 {
            continue;
        }
        tried += 1;
        let mut altered = whole.clone();
        altered[at] ^= 0x11;
        std::fs::write(&sample.path, &altered).unwrap();
        match sample.check() {
            Ok(report) => assert_eq!((report.checkpoint, report.decisions), (sample.checkpoint.clone(), 6)),
            Err(_) => noticed += 1,
        }
    }
    // Six entries of 200 bytes and the checkpoint.
    assert!(noticed > 1_350, "only {noticed} of {tried} noticed");
}

#[test]
fn entries_can_not_be_moved_removed_or_added() {
    let sample = Sample::of(6);
    let (second, third) = (sample.entry(2), sample.entry(3));
    sample.put(2, &third);
    sample.put(3, &second);
    assert_eq!(refused(&sample), at(2, LinkError::Seq { written: 3 }));

    let sample = Sample::of(6);
    sample.tamper("DELETE FROM entry WHERE seq = 3");
    assert_eq!(refused(&sample), VerifyError::Missing { seq: 3, size: 6 });

    let sample = Sample::of(6);
    sample.tamper("DELETE FROM entry WHERE seq = 0");
    assert_eq!(refused(&sample), VerifyError::Missing { seq: 0, size: 6 });

    for row in [-1, 6, 1 << 40, i64::MAX] {
        let sample = Sample::of(6);
        sample.put(row, &sample.entry(5));
        let error = refused(&sample);
        assert!(damaged(&error, &format!("there is a row {row} in `entry`")), "{error}");
    }

    let sample = Sample::of(6);
    sample.tamper("DELETE FROM entry");
    assert_eq!(refused(&sample), VerifyError::Missing { seq: 0, size: 6 });
}

#[test]
fn an_entry_of_another_log_is_out_of_place() {
    let sample = Sample::of(3);
    let other = Sample::of(0);
    std::fs::remove_file(&other.path).unwrap();
    let signer = Signer::new("example.org/other".parse().unwrap(), &common::SEED);
    let log = Log::open(store(&other.path), "example.org/other".parse().unwrap(), signer, &Options::default()).unwrap();
    common::append(&log, "a-0");
    log.close().unwrap();
    sample.put(0, &other.entry(0));
    assert_eq!(refused(&sample), at(0, LinkError::Origin { written: "example.org/other".parse().unwrap() }));
    // The whole file is one of another log too, whoever signed it.
    assert!(matches!(other.check(), Err(VerifyError::Checkpoint(CheckpointError::Origin { .. }))));
}

#[test]
fn a_cut_end_is_noticed() {
    let sample = Sample::of(3);
    let old = sample.head();
    let kept = Sample::extend(&sample.path, 3);
    sample.tamper("DELETE FROM entry WHERE seq >= 3");
    assert_eq!(refused(&sample), VerifyError::Missing { seq: 3, size: 6 });

    // With the head of that time it is a sound log, only an old one.
    sample.put_head(&old);
    sample.check().unwrap();
    assert_eq!(check(&sample.path, Some(&kept)).unwrap_err(), VerifyError::Shorter { size: 3, trusted: 6 });
}

#[test]
fn a_log_written_anew_by_the_key_holder_is_noticed_with_an_old_checkpoint() {
    let sample = Sample::of(3);
    let kept = sample.checkpoint.clone();
    Sample::extend(&sample.path, 4);
    assert_eq!(check(&sample.path, Some(&kept)).unwrap().checkpoint.size(), 7);

    std::fs::remove_file(&sample.path).unwrap();
    let log = open(&sample.path).unwrap();
    for id in ["b-0", "b-1", "b-2", "b-3"] {
        common::append(&log, id);
    }
    log.close().unwrap();
    sample.check().unwrap();
    assert_eq!(check(&sample.path, Some(&kept)).unwrap_err(), VerifyError::Rewritten { size: 3 });
    let other = vak_audit::Checkpoint::open(kept.note(), &origin(), &key()).unwrap();
    assert_eq!(other, kept);
}

/// The entries of before, where a reader of the tree of that time finds them,
/// under the tree of now: the two are tied to each other all the same.
#[test]
fn a_checkpoint_from_earlier_holds_for_a_part_of_the_log_too() {
    let sample = Sample::of(256);
    let old = sample.folder.path().join("old.db");
    std::fs::copy(&sample.path, &old).unwrap();
    let kept = Sample::extend(&old, 44);
    let log = open(&sample.path).unwrap();
    for index in 0..2_344 {
        let draft = common::draft(&format!("b-{index}"), "another past");
        futures_executor::block_on(log.append(draft, vak_audit::Tier::Accepted)).unwrap();
    }
    log.close().unwrap();
    sample.tamper(&format!(
        "ATTACH '{}' AS old;
         UPDATE entry SET bytes = (SELECT bytes FROM old.entry AS it WHERE it.seq = entry.seq)
         WHERE seq BETWEEN 256 AND 299",
        old.display()
    ));
    let (source, key) = (open_source(&sample.path).unwrap(), key());
    let mut expected = Expected { range: Some(1_024..1_100), ..Expected::of(&key) };
    assert_eq!(verify_all(&*source, &expected, |_, _| ()).unwrap().checkpoint.size(), 2_600);
    expected.trusted = Some(kept.note());
    assert_eq!(verify_all(&*source, &expected, |_, _| ()), Err(VerifyError::Rewritten { size: 300 }));
}

#[test]
fn the_checkpoint_has_to_be_the_keys() {
    let sample = Sample::of(3);
    let note = sample.head();
    let put = |note: &str| sample.put_head(note);

    let text = &note[..note.find("\n\n").unwrap() + 2];
    for stripped in [text, text.trim_end(), ""] {
        put(stripped);
        let error = refused(&sample);
        assert!(matches!(error, VerifyError::Checkpoint(CheckpointError::Note(_)) | VerifyError::NoHead), "{error}");
    }

    for at in 0..note.len() {
        let mut altered = note.clone().into_bytes();
        altered[at] ^= 1;
        if let Ok(altered) = String::from_utf8(altered) {
            put(&altered);
            refused(&sample);
        }
    }
    sample.tamper("DELETE FROM head");
    assert_eq!(refused(&sample), VerifyError::NoHead);
}

#[test]
fn another_keys_signature_is_not_the_keys() {
    // Signed by somebody else, under the same name and another.
    for name in ["example.org/audit", "mallory"] {
        let sample = Sample::of(0);
        std::fs::remove_file(&sample.path).unwrap();
        let mallory = Signer::new(name.parse().unwrap(), &[8; 32]);
        let log = Log::open(store(&sample.path), origin(), mallory, &Options::default()).unwrap();
        common::append(&log, "a-0");
        log.close().unwrap();
        let unsigned = NoteError::Unsigned { key: origin() };
        assert_eq!(refused(&sample), VerifyError::Checkpoint(unsigned.into()));
    }
    let sample = Sample::of(1);
    let wrong = Signer::new(origin(), &[9; 32]).verifier().clone();
    let source = open_source(&sample.path).unwrap();
    let error = common::check_source(&*source, &wrong, None).unwrap_err();
    assert_eq!(error, VerifyError::Checkpoint(NoteError::Unsigned { key: origin() }.into()));
    let (elsewhere, key) = ("example.org/elsewhere".parse().unwrap(), key());
    let expected = Expected { origin: &elsewhere, key: &key, trusted: None, witnesses: None, range: None };
    let error = verify_all(&*source, &expected, |_, _| ()).unwrap_err();
    let found = "example.org/audit".to_owned();
    assert_eq!(error, VerifyError::Checkpoint(CheckpointError::Origin { found, expected: elsewhere }));
}

#[test]
fn stored_subtrees_belong_to_the_entries() {
    let sample = Sample::of(600);
    sample.tamper("UPDATE node SET hash = zeroblob(32) WHERE number = 0");
    assert_eq!(sample.check().unwrap_err(), VerifyError::Node { level: 1, index: 0 });
    let Err(OpenError::Unsound { source, evidence: Some(evidence), .. }) = open(&sample.path) else { panic!("opened") };
    assert!(matches!(*source, VerifyError::Root { size: 600, .. }));
    assert!(std::fs::read_to_string(evidence).unwrap().contains("something was altered"));
    for sql in [
        "DELETE FROM node WHERE number = 1",
        "INSERT INTO node VALUES (1, 2, zeroblob(32))",
        "INSERT INTO node VALUES (2, 0, zeroblob(32))",
        "UPDATE node SET level = 2 WHERE number = 1",
        "UPDATE node SET hash = zeroblob(31) WHERE number = 1",
    ] {
        let sample = Sample::of(600);
        sample.tamper(sql);
        refused(&sample);
    }
}

/// What opening leaves to `verify_all`, and what it doesn't.
#[test]
fn opening_checks_the_end() {
    let sample = Sample::of(600);
    let alter = |seq: i64| {
        let mut bytes = sample.entry(seq);
        *bytes.last_mut().unwrap() ^= 1; // `unsigned`
        sample.put(seq, &bytes);
    };
    for (seq, noticed) in [(599, true), (512, true), (511, true), (510, false)] {
        alter(seq);
        assert!(sample.check().is_err());
        assert_eq!(open(&sample.path).is_err(), noticed, "entry {seq}");
        alter(seq);
    }
    sample.check().unwrap();
}

#[test]
fn nothing_else_may_be_in_the_file() {
    for sql in [
        "CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entry WHERE seq = new.seq; END",
        "CREATE TABLE other (a)",
        "CREATE INDEX i ON entry (bytes)",
        "ALTER TABLE entry RENAME TO e; CREATE VIEW entry AS SELECT * FROM e",
        "ALTER TABLE payload ADD COLUMN more TEXT",
    ] {
        let sample = Sample::of(2);
        sample.tamper(sql);
        let error = refused(&sample);
        assert!(damaged(&error, "tables are not those of an audit log"), "{sql}: {error}");
    }
    let sample = Sample::of(2);
    sample.tamper("DROP TABLE head");
    assert!(sample.check().is_err());
    assert!(SqliteStore::open(&sample.path).is_err());
    let sample = Sample::of(2);
    for bytes in [&b""[..], b"not a database, but long enough to be taken for one by a careless reader"] {
        std::fs::write(&sample.path, bytes).unwrap();
        assert!(sample.check().is_err());
        assert!(SqliteStore::open(&sample.path).is_err() || open(&sample.path).is_err());
    }
}

#[test]
fn receipts_name_the_leaf() {
    let sample = Sample::of(0);
    let log = open(&sample.path).unwrap();
    let vak_audit::Receipt::Durable { seq, leaf, checkpoint, .. } = common::append(&log, "a-0") else {
        panic!("not durable")
    };
    assert_eq!(&log.close().unwrap().note()[..], &checkpoint[..]);
    assert_eq!((seq, leaf), (0, leaf_hash(&sample.entry(0))));
}
