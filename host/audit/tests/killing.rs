//! A host that is killed loses nothing that it acknowledged.
//!
//! The kernel lives on and keeps what was written, so this shows that commits
//! are whole and acknowledged only after. What a loss of power may leave is made
//! by cutting files.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Kind, Place, Storage as _, check_source, draft, key};
use futures_executor::block_on;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use vak_audit::{Checkpoint, OpenError, Receipt, Tier, VerifyError, leaf_hash};

const KILLS: u64 = 500;

/// After so many kills another log is begun: verifying takes longer the longer
/// the log is.
const KILLS_PER_LOG: u64 = 25;

/// Appends for ever, and prints what was acknowledged.
#[test]
#[ignore = "started by the tests that kill it"]
fn append_for_ever() {
    let path = std::env::var_os("VAK_AUDIT_PATH").unwrap();
    let kind = if std::env::var_os("VAK_AUDIT_SQLITE").is_some() { Kind::Sqlite } else { Kind::File };
    let place = Place { path: path.into(), ..Place::new(kind) };
    let log = place.open();
    let mut output = std::io::stdout();
    let append = |index: u64| log.append(draft(&format!("k-{index}"), "no policy permits it"), Tier::Durable);
    let mut appends: FuturesUnordered<_> = (0..64).map(append).collect();
    for index in 64.. {
        let receipt = block_on(appends.next()).unwrap().unwrap();
        let Receipt::Durable { seq, leaf, .. } = receipt else { panic!("not durable") };
        writeln!(output, "ack {seq} {}", leaf.to_hex()).unwrap();
        output.flush().unwrap();
        appends.push(append(index));
    }
}

/// What was acknowledged until the writer was killed: place and leaf hash.
fn killed_after(place: &Place, micros: u64) -> Vec<(u64, String)> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "append_for_ever", "--nocapture"]).env("VAK_AUDIT_PATH", &place.path);
    if place.kind == Kind::Sqlite {
        command.env("VAK_AUDIT_SQLITE", "1");
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        let acknowledged = |line: String| {
            let (seq, leaf) = line.strip_prefix("ack ")?.split_once(' ')?;
            // The last line may be cut short.
            (leaf.len() == 64).then(|| Some((seq.parse().ok()?, leaf.to_owned())))?
        };
        output.lines().map_while(Result::ok).filter_map(acknowledged).collect::<Vec<_>>()
    });
    std::thread::sleep(Duration::from_micros(micros));
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

fn nothing_acknowledged_is_lost(kind: Kind) {
    let seed = std::env::var("VAK_AUDIT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_123_u64);
    println!("VAK_AUDIT_SEED={seed}");
    let mut random = seed;
    let mut total = 0;
    let (mut place, mut kept) = (Place::new(kind), None::<Checkpoint>);
    for round in 0..KILLS {
        if round % KILLS_PER_LOG == 0 {
            (place, kept) = (Place::new(kind), None);
        }
        // Knuth's MMIX generator.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Some while it opens the log, most while it writes.
        let acknowledged = killed_after(&place, 2_000 + (random >> 33) % 30_000);
        total += acknowledged.len();
        if place.try_store().is_ok_and(|store| store.is_new()) {
            assert!(acknowledged.is_empty());
            continue;
        }
        // Opening recovers; closing leaves what is verified.
        let log = place.open();
        assert!(log.opened_at().size() >= acknowledged.last().map_or(0, |(seq, _)| seq + 1), "round {round}");
        log.close().unwrap();
        let report = check_source(&*place.source(), &key(), kept.as_ref()).unwrap();
        let entries = place.entries();
        for (seq, leaf) in &acknowledged {
            assert_eq!(leaf_hash(&entries[usize::try_from(*seq).unwrap()]).to_hex(), *leaf, "round {round}");
        }
        kept = Some(report.checkpoint);
    }
    assert!(total > 5_000, "killed too early to show anything: {total}");
}

#[test]
fn nothing_acknowledged_is_lost_in_sqlite() {
    nothing_acknowledged_is_lost(Kind::Sqlite);
}

#[test]
fn nothing_acknowledged_is_lost_in_segments() {
    nothing_acknowledged_is_lost(Kind::File);
}

/// What a commit of one entry changes in a folder of segments.
struct Commit {
    place: Place,
    before: Checkpoint,
    /// As a writer leaves them that did not get to close the log.
    head_before: Vec<u8>,
    head_after: Vec<u8>,
    segment: PathBuf,
    /// The segment's bytes, and how many of them were there before.
    bytes: Vec<u8>,
    good: usize,
    /// All files with the commit.
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Commit {
    /// The commit after `entries` others.
    fn after(entries: u64) -> Self {
        let place = Place::new(Kind::File);
        let before = place.extend(entries, 1);
        let head_before = unclosed(std::fs::read(place.path.join("head")).unwrap());
        let lengths: HashMap<_, _> =
            segments(&place).into_iter().map(|path| (path.clone(), read(&path).len())).collect();
        let log = place.open();
        common::append(&log, "b-0");
        log.close().unwrap();
        let head_after = unclosed(read(&place.path.join("head")));
        let segment = segments(&place).pop().unwrap();
        let bytes = read(&segment);
        let good = lengths.get(&segment).copied().unwrap_or(0);
        let files = std::fs::read_dir(&place.path).unwrap().map(|file| file.unwrap().path());
        let files = files.filter(|path| path.is_file()).map(|path| (path.clone(), read(&path))).collect();
        Self { place, before, head_before, head_after, segment, bytes, good, files }
    }

    /// The folder with other bytes in the segment and the head.
    fn put(&self, segment: &[u8], head: &[u8]) {
        for (path, bytes) in &self.files {
            std::fs::write(path, bytes).unwrap();
        }
        std::fs::write(&self.segment, segment).unwrap();
        std::fs::write(self.place.path.join("head"), head).unwrap();
    }

    /// Opens it after a crash: how many entries there are, and how many bytes
    /// were cut off.
    fn recovered(&self) -> Result<(u64, u64), VerifyError> {
        match self.place.try_open() {
            Ok(log) => {
                let found = (log.opened_at().size(), log.cut_bytes());
                log.close().unwrap();
                self.place.check(Some(&self.before)).unwrap();
                Ok(found)
            }
            Err(OpenError::Unsound { source, evidence, .. }) => {
                let evidence = evidence.expect("no evidence was written");
                assert!(std::fs::read_to_string(&evidence).unwrap().contains(&source.to_string()));
                std::fs::remove_file(evidence).unwrap();
                Err(*source)
            }
            Err(other) => panic!("{other}"),
        }
    }
}

fn segments(place: &Place) -> Vec<PathBuf> {
    let files = std::fs::read_dir(&place.path).unwrap().map(|file| file.unwrap().path());
    let mut segments: Vec<_> = files.filter(|path| path.extension().is_some_and(|suffix| suffix == "log")).collect();
    segments.sort();
    segments
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

/// Says in a head that the log was not closed.
fn unclosed(mut head: Vec<u8>) -> Vec<u8> {
    head[0] = 0;
    let end = head.len() - 4;
    let crc = crc32c::crc32c(&head[..end]);
    head[end..].copy_from_slice(&crc.to_be_bytes());
    head
}

/// After so many entries the next begins a segment.
fn filling() -> u64 {
    (1..200)
        .find(|entries| {
            let commit = Commit::after(*entries);
            commit.good == 0
        })
        .unwrap()
}

#[test]
fn the_last_commit_is_cut_back_wherever_it_ends() {
    for entries in [0, 5, filling(), 257] {
        let commit = Commit::after(entries);
        let Commit { place, before, good, bytes, .. } = &commit;
        let size = before.size();
        for cut in *good..=bytes.len() {
            // Not acknowledged: the head does not know of it.
            commit.put(&bytes[..cut], &commit.head_before);
            let expected = match cut {
                whole if whole == bytes.len() => (size + 1, 0),
                _ => (size, (cut - good) as u64),
            };
            assert_eq!(commit.recovered(), Ok(expected), "after {entries}, cut at {cut}");
            // And goes on from there.
            if cut % 16 == 0 {
                let log = place.open();
                common::append(&log, "c-0");
                log.close().unwrap();
                assert_eq!(place.check(Some(before)).unwrap().checkpoint.size(), expected.0 + 1);
            }
            // Acknowledged, and cut off all the same: somebody's doing.
            commit.put(&bytes[..cut], &commit.head_after);
            let error = commit.recovered();
            assert!(cut == bytes.len() || error.is_err(), "after {entries}, cut at {cut}: {error:?}");
        }
    }
}

/// A disk may write the end of a commit before its start.
#[test]
fn a_commit_with_a_hole_is_cut_back_and_damage_before_it_is_not() {
    let commit = Commit::after(5);
    let hole = |at: std::ops::Range<usize>| {
        let mut bytes = commit.bytes.clone();
        bytes[at].fill(0);
        bytes
    };
    let (good, length) = (commit.good, commit.bytes.len());
    commit.put(&hole(good..good + 100), &commit.head_before);
    assert_eq!(commit.recovered(), Ok((5, (length - good) as u64)));
    for at in [28, good / 2, good - 10] {
        for head in [&commit.head_before, &commit.head_after] {
            commit.put(&hole(at..at + 8), head);
            assert!(commit.recovered().is_err(), "damage at {at}");
        }
    }
}

/// Who writes to the folder while no host runs can't have it signed.
#[test]
fn entries_that_the_key_did_not_sign_are_not_taken_in() {
    let commit = Commit::after(5);
    let mut forged = commit.bytes.clone();
    // In the trailer's signature, with a checksum that fits.
    let end = forged.len() - 4;
    forged[end - 1] ^= 1;
    let start = end - 1 - 8 - 32 - 64;
    let crc = crc32c::crc32c(&forged[start..end]);
    forged[end..].copy_from_slice(&crc.to_be_bytes());
    commit.put(&forged, &commit.head_before);
    let error = commit.recovered().unwrap_err();
    assert!(error.to_string().contains("this key did not sign"), "{error}");
}

/// What is kept beside the segments is made anew.
#[test]
fn marks_and_subtrees_survive_a_crash() {
    for entries in [255, 300] {
        let commit = Commit::after(entries);
        for file in ["marks", "nodes.1"] {
            let path = commit.place.path.join(file);
            let whole = read(&path);
            for altered in [Vec::new(), vec![0; whole.len()], [&whole[..], &[7; 40]].concat()] {
                std::fs::write(&path, altered).unwrap();
                commit.put(&commit.bytes, &commit.head_after);
                assert_eq!(commit.recovered(), Ok((entries + 1, 0)));
                assert_eq!(read(&path), whole, "{file}");
            }
        }
    }
}
