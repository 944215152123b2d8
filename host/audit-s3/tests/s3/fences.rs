//! One writer, and nothing written twice.

use std::sync::Barrier;

use vak_audit::{AppendError, FileStore, Log, Payloads, StopCause, StorageError};
use vak_audit_s3::{Encryption, Lock, LockMode, Options, S3Error, S3Source};

use crate::common::erasure;
use crate::http::status;
use crate::servers::{Files, Kind, Moto};
use crate::site::*;

/// How often writers race.
const ROUNDS: usize = 4;

#[test]
fn of_two_writers_exactly_one_wins_and_the_other_is_fenced() {
    let moto = Moto::get();
    for round in 0..ROUNDS {
        let name = moto.bucket(Kind::Plain);
        let folder = tempfile::tempdir().unwrap();
        let barrier = Barrier::new(2);
        let bucket = bucket_named(moto.port, &name, options());
        // The same first entry, so that all that they differ in is the checkpoint.
        let writers = [1, 2].map(|size| {
            let (log, uploads) = open(&folder.path().join(size.to_string()), &bucket);
            uploads.flush(PATIENCE).unwrap();
            (log, uploads, size)
        });
        for (log, _, size) in &writers {
            fill(log, 0..*size);
        }
        let ended = std::thread::scope(|scope| {
            let racers = writers.each_ref().map(|(_, uploads, _)| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    uploads.flush(PATIENCE)
                })
            });
            racers.map(|racer| racer.join().unwrap())
        });
        let lost: Vec<_> = ended.iter().filter_map(|flushed| flushed.as_ref().err()).collect();
        assert!(matches!(lost[..], [S3Error::Fenced { expected: 0, found: 1 | 2 }]), "round {round}: {lost:?}");
        // What the loser left is not part of the log.
        let winner = ended.iter().position(Result::is_ok).unwrap();
        assert_eq!(verify_bucket(&bucket), [1, 2][winner], "round {round}");
        let appended = append(&writers[1 - winner].0, decision(5, "/tmp/b", Payloads::Inline));
        assert_eq!(appended, Err(AppendError::Stopped(StopCause::Storage(StorageError::Overwritten))));
    }
}

#[test]
fn a_writer_that_was_replaced_stops() {
    let (server, folder) = (Files::start(), tempfile::tempdir().unwrap());
    let bucket = bucket(server.port, options());
    let (old, uploads) = open(&folder.path().join("old"), &bucket);
    uploads.flush(PATIENCE).unwrap();
    let (new, _) = open(&folder.path().join("new"), &bucket);
    fill(&new, 0..3);
    new.close().unwrap();
    fill(&old, 0..3);
    // The same entries are no excuse: it did not write the checkpoint.
    assert_eq!(why_stopped(&uploads), S3Error::Fenced { expected: 0, found: 3 });
    let stopped = append(&old, decision(9, "/tmp/a", Payloads::Inline));
    assert_eq!(stopped, Err(AppendError::Stopped(StopCause::Storage(StorageError::Overwritten))));
    assert_eq!(verify_bucket(&bucket), 3);
}

#[test]
fn another_log_under_the_same_name_is_an_alarm() {
    let (server, folder) = (Files::start(), tempfile::tempdir().unwrap());
    let bucket = bucket(server.port, options());
    // An object that this log has otherwise.
    let name = "tile/entries/000.p/3";
    std::fs::create_dir_all(server.path(name).parent().unwrap()).unwrap();
    std::fs::write(server.path(name), b"other").unwrap();
    let (log, uploads) = open(&folder.path().join("log"), &bucket);
    uploads.flush(PATIENCE).unwrap();
    fill(&log, 0..3);
    assert_eq!(why_stopped(&uploads), S3Error::Diverged { key: name.to_owned() });
    let stopped = append(&log, decision(9, "/tmp/a", Payloads::Inline));
    assert!(matches!(stopped, Err(AppendError::Stopped(StopCause::Storage(StorageError::Damaged(_))))), "{stopped:?}");
    // Nothing says that it is there.
    assert_eq!(std::fs::read_to_string(server.path("checkpoint")).unwrap().lines().nth(1), Some("0"));
    assert_eq!(std::fs::read(server.path(name)).unwrap(), b"other");
}

#[test]
fn an_upload_that_was_cut_short_is_resumed_over_equal_bytes() {
    let (server, folder) = (Files::start(), tempfile::tempdir().unwrap());
    let bucket = bucket(server.port, options());
    let spool = folder.path().join("log");
    let (log, uploads) = open(&spool, &bucket);
    uploads.flush(PATIENCE).unwrap();
    fill(&log, 0..300);
    log.close().unwrap();
    let before = server.names("");
    // As if it had ended before the checkpoint.
    std::fs::remove_file(server.path("checkpoint")).unwrap();
    let written = |name: &str| std::fs::metadata(server.path(name)).unwrap().modified().unwrap();
    let times: Vec<_> = before.iter().filter(|name| *name != "checkpoint").map(|name| written(name)).collect();
    let (log, _) = open(&spool, &bucket);
    log.close().unwrap();
    assert_eq!(server.names(""), before);
    let after: Vec<_> = before.iter().filter(|name| *name != "checkpoint").map(|name| written(name)).collect();
    assert!(times == after, "an object was written again");
    assert_eq!(verify_bucket(&bucket), 300);
}

#[test]
fn a_spool_that_was_lost_or_is_old_is_refused() {
    let (server, folder) = (Files::start(), tempfile::tempdir().unwrap());
    let bucket = bucket(server.port, options());
    let (log, _) = open(&folder.path().join("log"), &bucket);
    fill(&log, 0..4);
    log.close().unwrap();
    let (_log, uploads) = open(&folder.path().join("empty"), &bucket);
    assert_eq!(why_stopped(&uploads), S3Error::Behind { spool: 0, bucket: 4 });
    let other = folder.path().join("other");
    let log = Log::open(Box::new(FileStore::open(&other).unwrap()), origin(), signer(), &log_options()).unwrap();
    fill(&log, 10..20);
    log.close().unwrap();
    let (_log, uploads) = open(&other, &bucket);
    assert_eq!(why_stopped(&uploads), S3Error::Diverged { key: "checkpoint".to_owned() });
}

#[test]
fn what_is_locked_can_not_be_deleted_and_what_is_erasable_can() {
    let moto = Moto::get();
    let name = moto.bucket(Kind::Locked);
    let folder = tempfile::tempdir().unwrap();
    let lock = Some(Lock { mode: LockMode::Compliance, days: 1 });
    let bucket = bucket_named(moto.port, &name, Options { lock, ..options() });
    let (log, uploads) = open(&folder.path().join("log"), &bucket);
    append(&log, decision(0, "secret", Payloads::Erasable)).unwrap();
    uploads.flush(PATIENCE).unwrap();
    for object in ["tile/entries/000.p/1", "checkpoints/00000000000000000001"] {
        let answer = moto.answer("HEAD", &format!("/{name}/{object}"), &[], b"");
        let head = String::from_utf8(answer).unwrap().to_lowercase();
        let version = head.lines().find_map(|line| line.strip_prefix("x-amz-version-id: ")).unwrap();
        assert!(head.contains("x-amz-object-lock-mode: compliance"), "{head}");
        assert_eq!(moto.ask("DELETE", &format!("/{name}/{object}?versionId={version}"), &[], b""), 403, "{object}");
    }
    // Payloads, with every version.
    let listed = moto.answer("GET", &format!("/{name}?list-type=2&prefix=payloads/"), &[], b"");
    let listed = String::from_utf8(listed).unwrap();
    let payloads: Vec<_> = listed.split("<Key>payloads/").skip(1).map(|rest| &rest[..64]).collect();
    assert!(!payloads.is_empty());
    let source = S3Source::open(bucket.clone()).unwrap();
    for payload in &payloads {
        let bytes: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&payload[2 * at..2 * at + 2], 16).unwrap()).collect();
        let commitment = vak_types::Digest::from_bytes(bytes.try_into().unwrap());
        assert!(vak_audit::Source::payload(&source, &commitment).unwrap().is_some());
        append(&log, erasure(commitment)).unwrap();
    }
    log.close().unwrap();
    let versions = moto.answer("GET", &format!("/{name}?versions&prefix=payloads/"), &[], b"");
    assert!(status(&versions) == 200 && !String::from_utf8(versions).unwrap().contains("<Key>"));
    assert_eq!(verify(&source).unwrap().erased, payloads.len() as u64);
}

#[test]
fn objects_are_encrypted_and_stored_as_configured() {
    let moto = Moto::get();
    let name = moto.bucket(Kind::Versioned);
    let folder = tempfile::tempdir().unwrap();
    let key = "arn:aws:kms:us-east-1:000000000000:key/audit";
    let storage_class = Some("STANDARD_IA".to_owned());
    let options = Options { encryption: Encryption::Kms(key.to_owned()), storage_class, ..options() };
    let bucket = bucket_named(moto.port, &name, options);
    let (log, _) = open(&folder.path().join("log"), &bucket);
    append(&log, decision(0, "/tmp/a", Payloads::Inline)).unwrap();
    log.close().unwrap();
    let segment = format!("segments/{:020}-{:020}.log.zst", 0, 0);
    for (object, archived) in [("checkpoint", false), ("tile/0/000.p/1", false), (&*segment, true)] {
        let head = String::from_utf8(moto.answer("HEAD", &format!("/{name}/{object}"), &[], b"")).unwrap();
        assert!(head.contains(": aws:kms\r\n") && head.contains(key), "{object}: {head}");
        assert_eq!(head.contains(": STANDARD_IA\r\n"), archived, "{object}: {head}");
    }
    assert_eq!(verify_bucket(&bucket), 1);
}

/// `If-None-Match: *` lets an object be put where a mark says that it was
/// deleted, locked or not.
#[test]
fn an_object_put_over_a_locked_one_is_found() {
    let moto = Moto::get();
    let name = moto.bucket(Kind::Locked);
    let folder = tempfile::tempdir().unwrap();
    let lock = Some(Lock { mode: LockMode::Compliance, days: 1 });
    let bucket = bucket_named(moto.port, &name, Options { lock, ..options() });
    let (log, _) = open(&folder.path().join("log"), &bucket);
    fill(&log, 0..3);
    log.close().unwrap();
    assert_eq!(verify_bucket(&bucket), 3);
    let object = format!("/{name}/tile/0/000.p/3");
    let bytes = moto.answer("GET", &object, &[], b"");
    let body = bytes.windows(4).position(|at| at == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(moto.ask("DELETE", &object, &[], b""), 204);
    let found = verify(&S3Source::open(bucket.clone()).unwrap()).unwrap_err().to_string();
    assert!(found.contains("tile/0/000.p/3` in the bucket: it was deleted"), "{found}");
    // Even with the same bytes.
    assert_eq!(moto.ask("PUT", &object, &["If-None-Match: *"], &bytes[body..]), 200);
    let found = verify(&S3Source::open(bucket).unwrap()).unwrap_err().to_string();
    assert!(found.contains("tile/0/000.p/3` in the bucket: it "), "{found}");
}
