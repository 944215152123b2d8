//! In a folder of segments, with checksums made right again where it helps.

use std::fs::{read, read_dir, remove_file, rename, write};
use std::path::{Path, PathBuf};

use super::{case, note, refused, refused_with_kept, signed_by_another, with_another_root};
use crate::logs::{self, Contains};

const ENTRY: u8 = 1;
const SIGNATURE: u8 = 2;
const TRAILER: u8 = 3;

/// The files of a folder, in order of their names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

fn segments(log: &Path) -> Vec<PathBuf> {
    files(log).into_iter().filter(|file| file.extension().is_some_and(|it| it == "log")).collect()
}

fn payload(log: &Path) -> PathBuf {
    files(&log.join("payloads")).remove(3)
}

/// Gives `alter` the header and the records of a segment without their
/// checksums, and writes what it leaves.
fn records(number: usize, alter: impl Fn(&mut Vec<Vec<u8>>)) -> impl Fn(&Path) {
    move |log| {
        let file = &segments(log)[number];
        let bytes = read(file).unwrap();
        let mut rest = &bytes[..];
        let mut records = Vec::new();
        while !rest.is_empty() {
            let length = match (records.is_empty(), rest[0]) {
                (true, _) => 24,
                (_, ENTRY) => 3 + usize::from(u16::from_be_bytes([rest[1], rest[2]])),
                (_, SIGNATURE) => 1 + 64,
                _ => 1 + 8 + 32 + 64,
            };
            records.push(rest[..length].to_owned());
            rest = &rest[length + 4..];
        }
        alter(&mut records);
        let sealed = records.into_iter().flat_map(|record| {
            let crc = crc32c::crc32c(&record).to_be_bytes();
            record.into_iter().chain(crc)
        });
        write(file, sealed.collect::<Vec<_>>()).unwrap();
    }
}

/// Goes back to the end of the commit before the last, or to the header.
fn cut_commit(records: &mut Vec<Vec<u8>>) {
    records.pop();
    while records.last().is_some_and(|record| record[0] != TRAILER) && records.len() > 1 {
        records.pop();
    }
}

/// The place of the `number`th record of a kind, from the end where negative.
fn nth(records: &[Vec<u8>], kind: u8, number: isize) -> usize {
    let places: Vec<_> = (1..records.len()).filter(|at| records[*at][0] == kind).collect();
    let at = if number < 0 { places.len().checked_add_signed(number).unwrap() } else { number.unsigned_abs() };
    places[at]
}

/// Alters a byte of a record and makes its checksum right.
fn record(segment: usize, kind: u8, number: isize, at: usize) -> impl Fn(&Path) {
    records(segment, move |records| {
        let place = nth(records, kind, number);
        records[place][at] ^= 0x10;
    })
}

fn bytes(path: impl Fn(&Path) -> PathBuf, alter: impl Fn(&mut Vec<u8>)) -> impl Fn(&Path) {
    move |log| {
        let path = path(log);
        let mut bytes = read(&path).unwrap();
        alter(&mut bytes);
        write(path, bytes).unwrap();
    }
}

fn file(name: &'static str, alter: impl Fn(&mut Vec<u8>)) -> impl Fn(&Path) {
    bytes(move |log| log.join(name), alter)
}

/// A head with this note, as after closing the log.
fn put_note(note: String) -> impl Fn(&Path) {
    file("head", move |block| {
        block.fill(0);
        block[0] = 1;
        block[1..3].copy_from_slice(&u16::try_from(note.len()).unwrap().to_be_bytes());
        block[3..3 + note.len()].copy_from_slice(note.as_bytes());
        let crc = crc32c::crc32c(&block[..2_044]);
        block[2_044..].copy_from_slice(&crc.to_be_bytes());
    })
}

#[test]
fn is_noticed() {
    let folder = logs::in_segments(257, Contains::Everything);
    let log = folder.path().join("log");
    let old = note(&log);
    logs::write(logs::segments(&log), 257..600, Contains::Everything);
    let new = note(&log);
    let last = segments(&log).len() - 1;
    let middle = last / 2;
    assert!(middle > 0 && middle < last);
    refused(
        &log,
        &[
            case("a byte of a segment", bytes(move |log| segments(log).remove(middle), |bytes| bytes[500] ^= 1)),
            case("a byte of an entry", record(middle, ENTRY, 2, 120)),
            case("a byte of the last entry", record(last, ENTRY, -1, 120)),
            case("a byte of a rotation", record(0, ENTRY, 9, 300)),
            case("an entry taken out", records(middle, |it| drop(it.remove(nth(it, ENTRY, 2))))),
            case("the last commit taken out", records(last, cut_commit)),
            case(
                "the last byte taken out",
                bytes(move |log| segments(log).remove(last), |bytes| bytes.truncate(bytes.len() - 1)),
            ),
            case("one byte more", bytes(move |log| segments(log).remove(last), |bytes| bytes.push(0))),
            case("one entry more", records(last, |it| it.push(it[nth(it, ENTRY, -1)].clone()))),
            case(
                "two entries in each other's place",
                records(middle, |it| {
                    let (a, b) = (nth(it, ENTRY, 2), nth(it, ENTRY, 3));
                    it.swap(a, b);
                }),
            ),
            case("a segment taken out", move |log| remove_file(&segments(log)[middle]).unwrap()),
            case("the last segment taken out", move |log| remove_file(&segments(log)[last]).unwrap()),
            case("a segment under another number", move |log| {
                rename(&segments(log)[middle], log.join(format!("{:020}.log", 77))).unwrap();
            }),
            case("one segment more", |log| logs::copy(&segments(log)[0], &log.join(format!("{:020}.log", 600)))),
            case("a segment's number in its header", records(middle, |it| it[0][23] ^= 1)),
            case("a segment's version", records(middle, |it| it[0][15] ^= 1)),
            case("the size in a trailer", record(middle, TRAILER, 0, 8)),
            case("the last commit without its trailer", records(last, |it| drop(it.pop()))),
            case("a record of no kind", records(middle, |it| it.insert(1, vec![9; 10]))),
            case("a signature taken out", records(middle, |it| drop(it.remove(nth(it, SIGNATURE, 0))))),
            case("a byte of a signature", record(middle, SIGNATURE, 0, 5)),
            case(
                "a signature after another entry",
                records(middle, |it| {
                    let signature = it.remove(nth(it, SIGNATURE, 0));
                    let at = it.len() - 1;
                    it.insert(at, signature);
                }),
            ),
            case(
                "two signatures in each other's place",
                records(middle, |it| {
                    let (a, b) = (nth(it, SIGNATURE, 0), nth(it, SIGNATURE, 1));
                    it.swap(a, b);
                }),
            ),
            case("a byte of a subtree", file("nodes.1", |bytes| bytes[40] ^= 1)),
            case("a subtree taken out", file("nodes.1", |bytes| bytes.truncate(32))),
            case("one subtree more", file("nodes.1", |bytes| bytes.extend([0; 32]))),
            case("a subtree of a level that has none", file("nodes.2", |bytes| bytes.extend([0; 32]))),
            case("no subtrees", |log| remove_file(log.join("nodes.3")).unwrap()),
            case("a byte of a mark", file("marks", |bytes| bytes[31] ^= 1)),
            case("a mark taken out", file("marks", |bytes| bytes.truncate(32))),
            case("one mark more", file("marks", |bytes| bytes.extend([0; 16]))),
            case("a byte of the head", file("head", |block| block[100] ^= 1)),
            case("a byte after the head's note", file("head", |block| block[2_000] ^= 1)),
            case("the head cut short", file("head", |block| block.truncate(2_047))),
            case("no head", |log| remove_file(log.join("head")).unwrap()),
            case("a digit of the root", put_note(with_another_root(&new))),
            case("the checkpoint without signature", put_note(new.split_once('—').unwrap().0.to_owned())),
            case("the checkpoint signed by another", put_note(signed_by_another(&new))),
            case("an older checkpoint", put_note(old.clone())),
            case("a byte of a salt", bytes(payload, |bytes| bytes[0] ^= 1)),
            case("a byte of a payload", bytes(payload, |bytes| bytes[32] ^= 1)),
            case("a payload cut short", bytes(payload, |bytes| bytes.truncate(bytes.len() - 1))),
            case("a payload without a whole salt", bytes(payload, |bytes| bytes.truncate(31))),
            case("a payload taken out", |log| remove_file(payload(log)).unwrap()),
            case("a payload of no entry", |log| write(log.join("payloads").join("00".repeat(32)), [0; 40]).unwrap()),
            case("a payload under another name", |log| {
                rename(payload(log), log.join("payloads").join("00".repeat(32))).unwrap()
            }),
        ],
    );
}

/// The state of an earlier moment is a sound log. Only who kept a checkpoint
/// knows that it is not the newest.
#[test]
fn of_an_old_copy_is_noticed_with_a_kept_checkpoint() {
    let (old, new) = (logs::in_segments(257, Contains::EntriesAlone), logs::in_segments(600, Contains::EntriesAlone));
    let log = new.path().join("log");
    let back = |log: &Path| {
        std::fs::remove_dir_all(log).unwrap();
        logs::copy(&old.path().join("log"), log);
    };
    refused_with_kept(&log, &note(&log), &[case("an old copy", back)]);
}

#[test]
fn of_erasures_is_noticed() {
    let folder = logs::in_segments(8, Contains::Everything);
    let log = folder.path().join("log");
    let before = folder.path().join("before");
    logs::copy(&log, &before);
    // Entry 8 erases a payload of entry 5.
    logs::write(logs::segments(&log), 8..9, Contains::Everything);
    let put_back = |log: &Path| {
        let missing = |file: &&PathBuf| !log.join("payloads").join(file.file_name().unwrap()).exists();
        let kept = files(&before.join("payloads"));
        let erased: Vec<_> = kept.iter().filter(missing).collect();
        assert_eq!(erased.len(), 1);
        logs::copy(erased[0], &log.join("payloads").join(erased[0].file_name().unwrap()));
    };
    refused(&log, &[case("an erased payload put back", put_back)]);
}

#[test]
fn a_signature_written_twice_is_noticed() {
    let folder = logs::in_segments(40, Contains::Everything);
    let twice = records(0, |it| {
        let at = nth(it, SIGNATURE, -1);
        it.insert(at, it[at].clone());
    });
    refused(&folder.path().join("log"), &[case("the last signature written twice", twice)]);
}
