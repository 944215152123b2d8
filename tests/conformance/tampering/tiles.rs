//! In a folder of tiles.

use std::fs::{read, read_to_string, remove_file, write};
use std::path::Path;

use super::{case, note, refused, refused_with_kept, signed_by_another, with_another_root};
use crate::logs::{self, Contains};

fn tile(name: &'static str, alter: impl Fn(&mut Vec<u8>)) -> impl Fn(&Path) {
    move |log| {
        let path = log.join("tile").join(name);
        let mut bytes = read(&path).unwrap();
        alter(&mut bytes);
        write(path, bytes).unwrap();
    }
}

fn put_note(note: String) -> impl Fn(&Path) {
    move |log| write(log.join("checkpoint"), &note).unwrap()
}

/// The first entry of a bundle, with its length.
fn first(bundle: &[u8]) -> Vec<u8> {
    bundle[..2 + usize::from(u16::from_be_bytes([bundle[0], bundle[1]]))].to_owned()
}

#[test]
fn is_noticed() {
    let folder = logs::in_tiles(600, Contains::EntriesAlone);
    let log = folder.path().join("log");
    let older = logs::in_tiles(257, Contains::EntriesAlone);
    let (old, new) = (note(&older.path().join("log")), note(&log));
    refused(
        &log,
        &[
            case("a byte of an entry", tile("entries/001", |bytes| bytes[500] ^= 1)),
            case("the last byte of the last entry", tile("entries/002.p/88", |bytes| *bytes.last_mut().unwrap() ^= 1)),
            case("the last byte taken out", tile("entries/002.p/88", |bytes| bytes.truncate(bytes.len() - 1))),
            case("an entry taken out", tile("entries/001", |bytes| drop(bytes.drain(..first(bytes).len())))),
            case(
                "two entries in each other's place",
                tile("entries/001", |bytes| {
                    let first = first(bytes);
                    let second = self::first(&bytes[first.len()..]);
                    bytes.splice(..first.len() + second.len(), [second, first].concat());
                }),
            ),
            case("a byte after the entries", tile("entries/001", |bytes| bytes.push(0))),
            case("a bundle taken out", |log| remove_file(log.join("tile/entries/001")).unwrap()),
            case("a byte of a leaf", tile("0/001", |bytes| bytes[40] ^= 1)),
            case("a byte of a leaf in the last tile", tile("0/002.p/88", |bytes| bytes[40] ^= 1)),
            case("one leaf more", tile("0/002.p/88", |bytes| bytes.extend([0; 32]))),
            case("a leaf taken out", tile("0/002.p/88", |bytes| bytes.truncate(87 * 32))),
            case("leaves taken out", |log| remove_file(log.join("tile/0/000")).unwrap()),
            case("a byte of a subtree", tile("1/000.p/2", |bytes| bytes[40] ^= 1)),
            case("a subtree taken out", tile("1/000.p/2", |bytes| bytes.truncate(32))),
            case("subtrees taken out", |log| remove_file(log.join("tile/1/000.p/2")).unwrap()),
            case("a digit of the root", put_note(with_another_root(&new))),
            case("the checkpoint without signature", put_note(new.split_once('—').unwrap().0.to_owned())),
            case("the checkpoint signed by another", put_note(signed_by_another(&new))),
            case("an older checkpoint", put_note(old.clone())),
            case("no checkpoint", |log| remove_file(log.join("checkpoint")).unwrap()),
        ],
    );
    let back = |log: &Path| {
        std::fs::remove_dir_all(log).unwrap();
        logs::copy(&older.path().join("log"), log);
    };
    refused_with_kept(&log, &read_to_string(log.join("checkpoint")).unwrap(), &[case("an old copy", back)]);
}

#[test]
fn what_follows_in_the_last_tiles_is_noticed() {
    let folder = logs::in_tiles(600, Contains::EntriesAlone);
    refused(
        &folder.path().join("log"),
        &[
            case("one entry more", tile("entries/002.p/88", |bytes| bytes.extend(first(bytes)))),
            case("one subtree more", tile("1/000.p/2", |bytes| bytes.extend([0; 32]))),
        ],
    );
}
