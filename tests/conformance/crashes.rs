//! Folders as a crash leaves them: once they are opened again, both verifiers
//! find them sound.

use std::fs::{read, read_dir, write};
use std::path::Path;

use vak_audit::{Log, Options};

use crate::logs::{self, Contains, last_key, origin, signer};
use crate::verifiers::{python, rust};

/// Says in the head that the log was not closed.
fn crash(log: &Path) {
    let head = log.join("head");
    let mut block = read(&head).unwrap();
    block[0] = 0;
    let crc = crc32c::crc32c(&block[..2_044]);
    block[2_044..].copy_from_slice(&crc.to_be_bytes());
    write(head, block).unwrap();
}

#[track_caller]
fn recovers(log: &Path, size: u64) {
    crash(log);
    let signer = signer(last_key(size));
    let key = signer.verifier().clone();
    Log::open(logs::segments(log), origin(), signer, &Options::default()).unwrap().close().unwrap();
    let said = rust(log, &key, None);
    assert_eq!(said.as_ref().map(|(size, _)| *size), Ok(size));
    assert_eq!(python(log, &key, None), said);
}

#[test]
fn after_a_whole_commit_is_recovered_from() {
    for size in [0, 1, 257, 600] {
        let folder = logs::in_segments(size, Contains::Everything);
        recovers(&folder.path().join("log"), size);
    }
}

/// A payload is on disk before its entry.
#[test]
fn between_a_payload_and_its_entry_is_recovered_from() {
    let folder = logs::in_segments(60, Contains::Everything);
    let log = folder.path().join("log");
    write(log.join("payloads").join("00".repeat(32) + ".new"), [0; 40]).unwrap();
    recovers(&log, 60);
}

/// An entry that says that a payload was erased is on disk before it is.
#[test]
fn between_an_erasure_and_its_entry_is_recovered_from() {
    let folder = logs::in_segments(8, Contains::Everything);
    let (log, before) = (folder.path().join("log"), folder.path().join("before"));
    logs::copy(&log, &before);
    // Entry 8 erases a payload of entry 5.
    logs::write(logs::segments(&log), 8..9, Contains::Everything);
    for payload in read_dir(before.join("payloads")).unwrap() {
        let payload = payload.unwrap();
        logs::copy(&payload.path(), &log.join("payloads").join(payload.file_name()));
    }
    recovers(&log, 9);
}

/// An entry is on disk before its payload has its name.
#[test]
fn between_an_entry_and_the_name_of_its_payload_is_recovered_from() {
    let folder = logs::in_segments(8, Contains::Everything);
    let log = folder.path().join("log");
    for payload in read_dir(log.join("payloads")).unwrap() {
        let path = payload.unwrap().path();
        std::fs::rename(&path, path.with_extension("new")).unwrap();
    }
    recovers(&log, 8);
}
