//! In an SQLite file.

use std::path::Path;

use rusqlite::Connection;

use super::{case, note, refused, refused_with_kept, signed_by_another, with_another_root};
use crate::logs::{self, Contains, last_key, signer};
use crate::verifiers::{python, rust};

fn edit(log: &Path) -> Connection {
    let connection = Connection::open(log).unwrap();
    connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
    connection
}

fn sql(text: &'static str) -> impl Fn(&Path) {
    move |log| edit(log).execute_batch(text).unwrap()
}

/// Alters one byte of a value, counted from its end where `at` is negative.
fn flip(table: &'static str, column: &'static str, row: &'static str, at: isize) -> impl Fn(&Path) {
    move |log| {
        let connection = edit(log);
        let query = format!("SELECT {column} FROM {table} WHERE {row}");
        let mut bytes: Vec<u8> = connection.query_row(&query, [], |row| row.get(0)).unwrap();
        let at = if at < 0 { bytes.len().checked_add_signed(at).unwrap() } else { at.unsigned_abs() };
        bytes[at] ^= 0x10;
        connection.execute(&format!("UPDATE {table} SET {column} = ?1 WHERE {row}"), [bytes]).unwrap();
    }
}

fn put_note(note: String) -> impl Fn(&Path) {
    move |log| {
        edit(log).execute("UPDATE head SET checkpoint = ?1", [&note]).unwrap();
    }
}

#[test]
fn is_noticed() {
    let folder = logs::in_sqlite(257, Contains::Everything);
    let log = folder.path().join("log");
    let old = note(&log);
    logs::write(logs::sqlite(&log), 257..600, Contains::Everything);
    let new = note(&log);
    refused(
        &log,
        &[
            case("a byte of an entry", flip("entry", "bytes", "seq = 100", 120)),
            case("the last byte of the last entry", flip("entry", "bytes", "seq = 599", -1)),
            case("the mark that an entry is signed", flip("entry", "bytes", "seq = 11", 16 + 4 + 17 + 40)),
            case("the old key's signature of a rotation", flip("entry", "bytes", "seq = 9", -128)),
            case("the new key's signature of a rotation", flip("entry", "bytes", "seq = 9", -1)),
            case("an entry taken out", sql("DELETE FROM entry WHERE seq = 300")),
            case("the first entry taken out", sql("DELETE FROM entry WHERE seq = 0")),
            case("the end cut off", sql("DELETE FROM entry WHERE seq >= 590")),
            case("one entry more", sql("INSERT INTO entry SELECT 600, bytes FROM entry WHERE seq = 599")),
            case("an entry before the first", sql("INSERT INTO entry SELECT -1, bytes FROM entry WHERE seq = 0")),
            case(
                "two entries in each other's place",
                sql("UPDATE entry SET seq = -1 WHERE seq = 300; UPDATE entry SET seq = 300 WHERE seq = 301;
                     UPDATE entry SET seq = 301 WHERE seq = -1"),
            ),
            case("a byte of a subtree", flip("node", "hash", "number = 1", 0)),
            case("a subtree cut short", sql("UPDATE node SET hash = x'00' WHERE number = 1")),
            case("a subtree taken out", sql("DELETE FROM node WHERE number = 1")),
            case("one subtree more", sql("INSERT INTO node SELECT level, 2, hash FROM node WHERE number = 1")),
            case("a subtree of level 0", sql("INSERT INTO node SELECT 0, 0, hash FROM node WHERE number = 1")),
            case("a digit of the root", put_note(with_another_root(&new))),
            case("the checkpoint without signature", put_note(new.split_once('—').unwrap().0.to_owned())),
            case("the checkpoint signed by another", put_note(signed_by_another(&new))),
            case("an older checkpoint", put_note(old.clone())),
            case("no checkpoint", sql("DELETE FROM head")),
            case("a signature taken out", sql("DELETE FROM signature WHERE seq = 311")),
            case("the last signature taken out", sql("DELETE FROM signature WHERE seq = 598")),
            case("a byte of a signature", flip("signature", "bytes", "seq = 311", 5)),
            case("a byte of a rotation's own signature", flip("signature", "bytes", "seq = 259", 5)),
            case(
                "a signature of another entry",
                sql("UPDATE signature SET bytes = (SELECT bytes FROM signature WHERE seq = 321) WHERE seq = 311"),
            ),
            case(
                "a signature where none should be",
                sql("INSERT INTO signature SELECT 310, bytes FROM signature WHERE seq = 311"),
            ),
            case(
                "a signature after the end",
                sql("INSERT INTO signature SELECT 600, bytes FROM signature WHERE seq = 311"),
            ),
            case("a byte of a payload", flip("payload", "bytes", "rowid = (SELECT max(rowid) FROM payload)", 0)),
            case("a byte of a salt", flip("payload", "salt", "rowid = (SELECT max(rowid) FROM payload)", 0)),
            case(
                "a payload without an end",
                sql("UPDATE payload SET bytes = x'' WHERE rowid = (SELECT max(rowid) FROM payload)"),
            ),
            case("a payload taken out", sql("DELETE FROM payload WHERE rowid = (SELECT max(rowid) FROM payload)")),
            case("a payload of no entry", sql("INSERT INTO payload VALUES (zeroblob(32), zeroblob(32), x'00')")),
            case("another table", sql("CREATE TABLE other (a)")),
            case("a trigger", sql("CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM payload; END")),
            case(
                "a trigger that is called as if SQLite had made it",
                sql("CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM payload; END;
                     PRAGMA writable_schema = ON;
                     UPDATE sqlite_schema SET name = 'sqlite_autoindex_payload_2' WHERE name = 't'"),
            ),
            case("another column", sql("ALTER TABLE entry ADD COLUMN note TEXT")),
        ],
    );
    let cut = "DELETE FROM entry WHERE seq >= 257; DELETE FROM signature WHERE seq >= 257;
               DELETE FROM node WHERE number >= 1";
    let back = |log: &Path| {
        put_note(old.clone())(log);
        sql(cut)(log);
    };
    let all_of_it = logs::in_sqlite(600, Contains::EntriesAlone);
    let older = logs::in_sqlite(257, Contains::EntriesAlone);
    let log = all_of_it.path().join("log");
    let another = logs::in_sqlite(600, Contains::Everything);
    refused_with_kept(
        &log,
        &note(&log),
        &[
            case("an old copy", |log| logs::copy(&older.path().join("log"), log)),
            case("a log written anew", |log| logs::copy(&another.path().join("log"), log)),
        ],
    );
    // What a cut with the checkpoint of that time leaves has payloads too many.
    refused(&folder.path().join("log"), &[case("an old state of the log", back)]);
}

/// A payload that was erased and is put back, and one that is gone without a word.
#[test]
fn of_erasures_is_noticed() {
    let folder = logs::in_sqlite(8, Contains::Everything);
    let log = folder.path().join("log");
    let before = folder.path().join("before");
    logs::copy(&log, &before);
    // Entry 8 erases a payload of entry 5.
    logs::write(logs::sqlite(&log), 8..9, Contains::Everything);
    let put_back = |log: &Path| {
        let connection = edit(log);
        connection.execute("ATTACH ?1 AS before", [before.to_str().unwrap()]).unwrap();
        let query = "INSERT OR IGNORE INTO main.payload SELECT * FROM before.payload";
        assert_eq!(connection.execute(query, []).unwrap(), 1);
    };
    refused(&log, &[case("an erased payload put back", put_back)]);
}

/// Rotations lead from a later key to the earlier ones, and so to the signatures
/// of their time.
#[test]
fn of_signatures_before_the_known_key_is_noticed() {
    let folder = logs::in_sqlite(60, Contains::Everything);
    let log = folder.path().join("log");
    flip("signature", "bytes", "seq = 1", 5)(&log);
    let key = signer(last_key(60)).verifier().clone();
    assert!(python(&log, &key, None).is_err());
    assert!(rust(&log, &key, None).is_err());
}
