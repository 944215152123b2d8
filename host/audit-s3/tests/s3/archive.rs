//! Archives: uploaded, asked for a time, restored.

use vak_audit::{Expected, Log, Payloads, SqliteSource, SqliteStore, verify_all};
use vak_audit_s3::{Bucket, S3Error, S3Source, archive, query, restore};
use vak_types::Timestamp;

use crate::servers::{BUCKET, Files};
use crate::site::*;
use crate::suite::writing::assert_same;

/// A log in an SQLite file with an entry a second.
fn local(path: &std::path::Path, from: u64, to: u64) {
    let log = Log::open(Box::new(SqliteStore::open(path).unwrap()), origin(), signer(), &log_options()).unwrap();
    fill(&log, from..to - 1);
    append(&log, decision(to - 1, "kept elsewhere", Payloads::Erasable)).unwrap();
    log.close().unwrap();
}

fn seconds(from: u64, to: u64) -> std::ops::Range<Timestamp> {
    Timestamp::from_nanos(from * SECOND)..Timestamp::from_nanos(to * SECOND)
}

/// Archives a log of so many seconds. The server ends, and the folder with the
/// log goes, with what this gives.
fn archived(seconds: u64) -> (Files, tempfile::TempDir, Bucket) {
    let (server, folder) = (Files::start(), tempfile::tempdir().unwrap());
    let original = folder.path().join("log.db");
    local(&original, 0, seconds);
    let bucket = bucket(server.port, options());
    archive(&SqliteSource::open(&original).unwrap(), &bucket, &origin(), &key()).unwrap();
    (server, folder, bucket)
}

#[test]
fn what_is_restored_is_what_was_archived_byte_for_byte() {
    let (server, folder) = (Files::start(), tempfile::tempdir().unwrap());
    let (original, restored) = (folder.path().join("log.db"), folder.path().join("restored.db"));
    let bucket = bucket(server.port, options());
    for (from, to) in [(0, 300), (300, 700)] {
        local(&original, from, to);
        let source = SqliteSource::open(&original).unwrap();
        let checkpoint = archive(&source, &bucket, &origin(), &key()).unwrap();
        assert_eq!(checkpoint.size(), to);
        // Nothing is new.
        archive(&source, &bucket, &origin(), &key()).unwrap();
    }
    let key = key();
    let expected = Expected::of(&key);
    let source = S3Source::open(bucket.clone()).unwrap();
    let (report, range) = restore(&source, &restored, &expected, None).unwrap();
    assert_eq!((report.checkpoint.size(), report.signed, range), (700, 700, 0..700));
    assert_same(&SqliteSource::open(&original).unwrap(), &SqliteSource::open(&restored).unwrap());
    let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name());
    let mut left: Vec<_> = files.filter(|name| name.to_string_lossy().contains("restoring")).collect();
    assert_eq!(left.pop(), None);
    // It goes on as the original would.
    local(&restored, 700, 710);
    assert!(matches!(restore(&source, &restored, &expected, None), Err(S3Error::Configuration(_))));

    // One that was altered is not restored.
    let segment = server.names("segments").swap_remove(1);
    let bytes = std::fs::read(server.path(&segment)).unwrap();
    server.alter(&segment, &bytes[1..]);
    let again = folder.path().join("again.db");
    assert!(restore(&S3Source::open(bucket).unwrap(), &again, &expected, None).is_err());
    assert!(!again.exists());
}

#[test]
fn a_time_is_found_and_only_its_segments_are_read() {
    let (server, _folder, bucket) = archived(1_500);
    let key = key();
    let expected = Expected::of(&key);
    // The others could not be read.
    let segments = server.names("segments");
    for (from, to) in [(100, 131), (700, 701), (1_490, 9_999), (5_000, 6_000)] {
        let mut found = Vec::new();
        let source = S3Source::open(bucket.clone()).unwrap();
        query(&source, &expected, seconds(from, to), |seq, entry| found.push((seq, entry.time))).unwrap();
        let wanted: Vec<_> = (from..to.min(1_500)).map(|at| (at, Timestamp::from_nanos(at * SECOND))).collect();
        assert_eq!(found, wanted);
    }
    assert!(segments.len() > 10, "{}", segments.len());
    server.alter(&segments[segments.len() / 2], b"not a segment");
    let mut found = 0;
    let ask = |from, to, found: &mut u64| {
        let source = S3Source::open(bucket.clone()).unwrap();
        query(&source, &expected, seconds(from, to), |_, _| *found += 1)
    };
    ask(100, 110, &mut found).unwrap();
    assert_eq!(found, 10);
    assert!(ask(0, 1_500, &mut found).is_err());
}

#[test]
fn a_time_can_be_restored_and_verifies_for_its_range() {
    let (_server, folder, bucket) = archived(1_500);
    let key = key();
    let expected = Expected::of(&key);
    for (number, (from, to)) in [(0, 10), (600, 610), (1_495, 1_500)].into_iter().enumerate() {
        let path = folder.path().join(format!("{number}.db"));
        let source = S3Source::open(bucket.clone()).unwrap();
        let (report, range) = restore(&source, &path, &expected, Some(&seconds(from, to))).unwrap();
        assert!(range.start <= from && range.end >= to && range.end - range.start < 800, "{range:?}");
        assert!(report.read < 1_100, "{report:?}");
        let file = SqliteSource::open(&path).unwrap();
        let expected = Expected { range: Some(range), ..expected.clone() };
        verify_all(&file, &expected, |_, _| ()).unwrap();
        // It is not the whole log, and does not pass for it.
        assert!(verify(&file).is_err());
    }
}

#[test]
fn the_command_archives_verifies_finds_and_restores() {
    let (server, folder) = (Files::start(), tempfile::tempdir().unwrap());
    local(&folder.path().join("log.db"), 0, 300);
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_vak-audit-s3"))
            .args(arguments)
            .args(["--bucket", BUCKET, "--key", &key().to_string()])
            .args(["--endpoint", &format!("http://127.0.0.1:{}", server.port)])
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .current_dir(folder.path())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), text)
    };
    let (code, told) = run(&["archive", "log.db"]);
    assert_eq!((code, told.as_str()), (Some(0), "the bucket has 300 entries of example.org/audit\n"));
    let (code, told) = run(&["verify"]);
    assert!(code == Some(0) && told.contains("verified 300 entries"), "{told}");
    let (code, told) = run(&["query", "--until", "1970-01-01T00:00:10Z"]);
    assert!(code == Some(0) && told.lines().count() == 10, "{told}");
    let (code, told) = run(&["restore", "--output", "restored.db"]);
    assert!(code == Some(0) && told.contains("restored entries 0 to 300 of 300"), "{told}");
    let (code, told) = run(&["restore", "--output", "restored.db"]);
    assert!(code == Some(2) && told.contains("is there already"), "{told}");
    server.alter(&server.names("segments")[0], b"something else");
    assert_eq!(run(&["verify"]).0, Some(1));
}
