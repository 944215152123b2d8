//! Segments that were archived can go, and the log goes on.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::Path;

use common::{Kind, Place, Storage as _, append, draft_with, key, origin};
use futures_executor::block_on;
use vak_audit::{
    Checkpoint, Expected, LogReader, Payloads, Report, StorageError, Tier, VerifyError, trim_segments, verify_all,
};

/// A closed log of 2,000 entries with a payload each, in some forty segments.
fn long() -> Place {
    let place = Place::new(Kind::File);
    let log = place.open();
    for index in 0..2_000 {
        let tier = if index % 50 == 49 { Tier::Durable } else { Tier::Accepted };
        block_on(log.append(draft_with(&format!("a-{index}"), "x", Payloads::Erasable), tier)).unwrap();
    }
    log.close().unwrap();
    place
}

fn verify_from(place: &Place, from: u64, trusted: Option<&Checkpoint>) -> Result<Report, VerifyError> {
    let (key, trusted) = (key(), trusted.map(|checkpoint| &**checkpoint.note()));
    let expected = Expected { range: Some(from..u64::MAX), trusted, ..Expected::of(&key) };
    verify_all(&*place.source(), &expected, |_, _| ())
}

fn segments(path: &Path) -> usize {
    let files = std::fs::read_dir(path).unwrap().map(|file| file.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|it| it == "log")).count()
}

#[test]
fn what_is_left_verifies_and_the_rest_is_said_to_be_gone() {
    let place = long();
    let (kept, before) = (place.check(None).unwrap().checkpoint, segments(&place.path));
    let first = trim_segments(&place.path, 1_000).unwrap();
    assert!((900..=1_000).contains(&first), "{first}");
    assert_eq!(trim_segments(&place.path, 1_000).unwrap(), first);
    assert!(segments(&place.path) < before / 2 + 2);
    assert!(std::fs::read_dir(&place.path).unwrap().all(|file| !file.unwrap().path().ends_with(".removed")));
    assert_eq!(place.source().payloads().unwrap(), 2_000 - first);

    let gone = VerifyError::Storage { seq: 0, source: StorageError::Trimmed { first } };
    assert_eq!(place.check(None), Err(gone.clone()));
    assert!(gone.to_string().ends_with("look for them in the archive, or begin with 1024"), "{gone}");
    let report = verify_from(&place, 1_024, Some(&kept)).unwrap();
    assert_eq!((report.read, report.payloads, &report.checkpoint), (976, 976, &kept));

    let reader = LogReader::open(&place.path).unwrap();
    assert!(reader.prove(1_500, &origin(), &key()).is_ok());
    assert!(reader.prove(3, &origin(), &key()).is_err());
    assert_eq!(reader.entries(first, u64::MAX).map(Result::unwrap).count() as u64, 2_000 - first);
}

/// Closed, and as a crash leaves it.
#[test]
fn a_trimmed_log_is_opened_and_goes_on() {
    for crashed in [false, true] {
        let place = long();
        let first = trim_segments(&place.path, u64::MAX).unwrap();
        assert!((900..1_400).contains(&first), "{first}");
        let log = place.open();
        assert_eq!(log.opened_at().size(), 2_000);
        append(&log, "b-0");
        let copy = Place::new(Kind::File);
        if crashed {
            copy_folder(&place.path, &copy.path);
        }
        log.close().unwrap();
        let place = if crashed { copy } else { place };
        assert_eq!(append(&place.open(), "b-1").seq(), 2_001);
        let begin = (first / 256 + 1) * 256;
        assert_eq!(verify_from(&place, begin, None).unwrap().checkpoint.size(), 2_002);
    }
}

/// The first commit to the last segment was cut short: the log is continued
/// from the one before, whatever was removed.
#[test]
fn a_torn_last_segment_is_taken_back() {
    let place = long();
    let mut files: Vec<_> = std::fs::read_dir(&place.path).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|it| it == "log"));
    files.sort();
    let log = place.open();
    append(&log, "b-0");
    let copy = Place::new(Kind::File);
    copy_folder(&place.path, &copy.path);
    log.close().unwrap();
    // As if its segment had been full.
    std::fs::write(copy.path.join(format!("{:020}.log", 2_001)), b"vak/audit/log").unwrap();
    trim_segments(&copy.path, u64::MAX).unwrap();
    assert_eq!(append(&copy.open(), "b-1").seq(), 2_001);
}

/// A segment that somebody took away is not one that was trimmed.
#[test]
fn a_gap_is_damage() {
    let place = long();
    let mut files: Vec<_> = std::fs::read_dir(&place.path).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|it| it == "log"));
    files.sort();
    std::fs::remove_file(&files[5]).unwrap();
    assert!(place.check(None).is_err());
    assert!(!matches!(place.check(None), Err(VerifyError::Storage { source: StorageError::Trimmed { .. }, .. })));
    // A damaged one is kept, for whoever wants to know what happened.
    let bytes = std::fs::read(&files[2]).unwrap();
    std::fs::write(&files[2], &bytes[..bytes.len() - 7]).unwrap();
    assert!(matches!(trim_segments(&place.path, 1_000), Err(StorageError::Damaged(_))));
    assert!(files[2].exists());
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let to = to.join(file.file_name());
        match file.path().is_dir() {
            true => copy_folder(&file.path(), &to),
            false => drop(std::fs::copy(file.path(), to).unwrap()),
        }
    }
}
