//! Whatever is done to a log's file, `verify` says so, and where.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Sample, check, key, open, origin};
use vak_audit::{
    CheckpointError, LinkError, Log, NoteError, OpenError, Options, Signer, VerifyError, leaf_hash, verify,
};

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
    for size in [0, 1, 2, 7, 1_023, 1_024, 1_025, 2_100] {
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
    assert_eq!(refused(&sample), at(3, LinkError::Missing { found: 4 }));

    let sample = Sample::of(6);
    sample.tamper("DELETE FROM entry WHERE seq = 0");
    assert_eq!(refused(&sample), VerifyError::Stray { row: 1, size: 6 });

    for row in [-1, 6, 1 << 40, i64::MAX] {
        let sample = Sample::of(6);
        sample.put(row, &sample.entry(5));
        assert_eq!(refused(&sample), VerifyError::Stray { row, size: 6 });
    }

    let sample = Sample::of(6);
    sample.tamper("DELETE FROM entry");
    assert_eq!(refused(&sample), VerifyError::Cut { rows: 0, size: 6 });
}

#[test]
fn an_entry_of_another_log_is_out_of_place() {
    let sample = Sample::of(3);
    let other = Sample::of(0);
    std::fs::remove_file(&other.path).unwrap();
    let signer = Signer::new("example.org/other".parse().unwrap(), &common::SEED);
    let log = Log::open(&other.path, "example.org/other".parse().unwrap(), signer, &Options::default()).unwrap();
    common::append(&log, "a-0");
    log.close().unwrap();
    sample.put(0, &other.entry(0));
    assert_eq!(refused(&sample), at(0, LinkError::Origin { written: "example.org/other".parse().unwrap() }));
    // The whole file is one of another log too, whoever signed it.
    assert!(matches!(other.check(), Err(VerifyError::Checkpoint(CheckpointError::Note(_)))));
}

#[test]
fn a_cut_end_is_noticed() {
    let sample = Sample::of(3);
    let old = sample.head();
    let kept = Sample::extend(&sample.path, 3);
    sample.tamper("DELETE FROM entry WHERE seq >= 3");
    assert_eq!(refused(&sample), VerifyError::Cut { rows: 3, size: 6 });

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

#[test]
fn the_checkpoint_has_to_be_the_keys() {
    let sample = Sample::of(3);
    let (base, note) = sample.head();
    let put = |note: &str| sample.put_head(&(base.clone(), note.to_owned()));

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
            assert!(matches!(refused(&sample), VerifyError::Checkpoint(CheckpointError::Note(_))), "{altered}");
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
        let log = Log::open(&sample.path, origin(), mallory, &Options::default()).unwrap();
        common::append(&log, "a-0");
        log.close().unwrap();
        let unsigned = NoteError::Unsigned { key: origin() };
        assert_eq!(refused(&sample), VerifyError::Checkpoint(unsigned.into()));
    }
    let sample = Sample::of(1);
    let wrong = Signer::new(origin(), &[9; 32]).verifier().clone();
    let error = verify(&sample.path, &origin(), &wrong, None, |_, _| ()).unwrap_err();
    assert_eq!(error, VerifyError::Checkpoint(NoteError::Unsigned { key: origin() }.into()));
    let elsewhere = "example.org/elsewhere".parse().unwrap();
    let error = verify(&sample.path, &elsewhere, &key(), None, |_, _| ()).unwrap_err();
    let found = "example.org/audit".to_owned();
    assert_eq!(error, VerifyError::Checkpoint(CheckpointError::Origin { found, expected: elsewhere }));
}

#[test]
fn the_frontier_belongs_to_the_entries() {
    let sample = Sample::of(2_100);
    let (base, note) = sample.head();
    assert_eq!(base.len(), 32); // One complete subtree of 2,048 entries.
    for at in 0..32 {
        let mut altered = base.clone();
        altered[at] ^= 0x80;
        sample.put_head(&(altered, note.clone()));
        assert_eq!(sample.check().unwrap_err(), VerifyError::Frontier);
        assert!(matches!(
            open(&sample.path),
            Err(OpenError::Unsound { source: VerifyError::Root { size: 2_100, .. }, .. })
        ));
    }
    for altered in [&base[..31], &[], &[&base[..], &base].concat()] {
        sample.put_head(&(altered.to_vec(), note.clone()));
        assert_eq!(refused(&sample), VerifyError::Frontier);
    }
}

/// What opening leaves to `verify`, and what it doesn't.
#[test]
fn opening_checks_the_last_thousand() {
    let sample = Sample::of(2_100);
    let alter = |seq: i64| {
        let mut bytes = sample.entry(seq);
        *bytes.last_mut().unwrap() ^= 1; // `unsigned`
        sample.put(seq, &bytes);
    };
    for (seq, noticed) in [(2_099, true), (2_048, true), (2_047, true), (2_046, false)] {
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
        "DROP TABLE head",
    ] {
        let sample = Sample::of(2);
        sample.tamper(sql);
        assert_eq!(refused(&sample), VerifyError::Schema, "{sql}");
    }
    let sample = Sample::of(2);
    for bytes in [&b""[..], b"not a database, but long enough to be taken for one by a careless reader"] {
        std::fs::write(&sample.path, bytes).unwrap();
        assert!(sample.check().is_err());
        assert!(open(&sample.path).is_err());
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
