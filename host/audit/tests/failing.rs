//! When the disk fails, the log stops, says why, and is sound afterwards.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::process::Command;

use common::{Kind, ON_DISK, Place, Sample, Storage as _, append, check, draft, origin, signer};
use futures_executor::block_on;
use futures_util::future::join_all;
use vak_audit::{AppendError, Log, Options, Receipt, SqliteStore, StopCause, StorageError, Tier};

#[test]
fn a_full_disk_stops_the_log() {
    let sample = Sample::of(10);
    let store = SqliteStore::limited(&sample.path, Some(40)).unwrap();
    let log = Log::open(Box::new(store), origin(), signer(), &Options::default()).unwrap();
    let mut acknowledged = Vec::new();
    let error = loop {
        let appends = (0..20).map(|_| log.append(draft("b", &"x".repeat(500)), Tier::Durable));
        let (good, bad): (Vec<_>, Vec<_>) = block_on(join_all(appends)).into_iter().partition(Result::is_ok);
        acknowledged.extend(good.into_iter().map(Result::unwrap));
        if let Some(error) = bad.into_iter().next() {
            break error.unwrap_err();
        }
    };
    assert!(matches!(error, AppendError::Stopped(StopCause::Storage(StorageError::Full(_)))), "{error}");
    assert!(error.to_string().contains("no space is left"), "{error}");
    // Space or not, this log takes nothing more, in either tier.
    for tier in [Tier::Accepted, Tier::Durable] {
        assert_eq!(block_on(log.append(draft("c", ""), tier)), Err(error.clone()));
    }
    assert_eq!(log.close(), Err(error));

    let kept = check(&sample.path, Some(&sample.checkpoint)).unwrap().checkpoint;
    assert!(!acknowledged.is_empty());
    assert_eq!(kept.size(), 10 + acknowledged.len() as u64);
    let log = common::open(&sample.path).unwrap();
    assert_eq!(append(&log, "d").seq(), kept.size());
    drop(log);
    check(&sample.path, Some(&kept)).unwrap();
}

/// Appends until it fails, and says how many were acknowledged. Runs in a
/// process of its own whose files can't grow past a limit.
#[test]
#[ignore = "started by `a_write_error_stops_the_log`"]
fn append_until_it_fails() {
    let path = std::env::var_os("VAK_AUDIT_PATH").unwrap();
    let kind = if std::env::var_os("VAK_AUDIT_SQLITE").is_some() { Kind::Sqlite } else { Kind::File };
    let log = Place { path: path.into(), segment_bytes: 64 << 20, ..Place::new(kind) }.open();
    for count in 0_u64.. {
        match block_on(log.append(draft("b", &"x".repeat(500)), Tier::Durable)) {
            Ok(receipt) => assert!(matches!(receipt, Receipt::Durable { .. })),
            Err(error) => {
                assert_eq!(block_on(log.append(draft("c", ""), Tier::Accepted)), Err(error.clone()));
                println!("\nfailed after {count}: {error}");
                return;
            }
        }
    }
}

#[test]
fn a_write_error_stops_the_log() {
    for (kind, blocks) in ON_DISK.into_iter().flat_map(|kind| [200, 301, 2_002].map(|blocks| (kind, blocks))) {
        let place = Place { segment_bytes: 64 << 20, ..Place::new(kind) };
        let kept = place.extend(10, 1);
        // With the signal ignored, writing past the limit is an I/O error.
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")])
            .arg(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "append_until_it_fails", "--nocapture"])
            .env("VAK_AUDIT_PATH", &place.path);
        if kind == Kind::Sqlite {
            command.env("VAK_AUDIT_SQLITE", "1");
        }
        let output = command.output().unwrap();
        let output = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = output.lines().find_map(|line| line.strip_prefix("failed after ")).expect(&output);
        let (count, error) = line.split_once(": ").unwrap();
        assert!(error.starts_with("the audit log has stopped: "), "{error}");
        let count: u64 = count.parse().unwrap();
        assert!(count > 0, "{error}");

        let log = place.open();
        assert!(log.opened_at().size() >= 10 + count, "{kind:?}");
        append(&log, "d");
        log.close().unwrap();
        place.check(Some(&kept)).unwrap();
    }
}

/// Another program that doesn't know of the lock.
#[test]
fn a_second_writer_in_spite_of_the_lock_stops_the_log() {
    let sample = Sample::of(2);
    let log = common::open(&sample.path).unwrap();
    let other = rusqlite::Connection::open(&sample.path).unwrap();
    other.execute_batch("UPDATE head SET checkpoint = checkpoint || ' '").unwrap();
    let error = block_on(log.append(draft("b", ""), Tier::Durable)).unwrap_err();
    assert_eq!(error, AppendError::Stopped(StopCause::Storage(StorageError::Overwritten)));
}
