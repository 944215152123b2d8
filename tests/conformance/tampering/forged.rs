//! By somebody who has the log's keys and links, hashes and signs everything
//! anew: what is left to notice is what no holder of a key may write.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use rusqlite::Connection;
use sha2::Sha256;
use signed_note::{Note, Signer as _, StandardSigner};
use vak_audit::leaf_hash;

use super::{Case, case, note, refused, refused_with_kept};
use crate::logs::{self, Contains, origin, signer};
use crate::verifiers::{python, rust};

// Where things stand in an entry of this origin.
const VERSION: usize = 15;
const ORIGIN_END: usize = 36;
const SEQ_END: usize = 44;
const SIGNED: usize = 77;
const TIME_END: usize = 85;
const KIND: usize = 86;

// In an answer of the sample: the last byte of its decision's number, which is
// less than 256, its decision's hash, and a byte after that until when it is good.
const ANSWERED: usize = 115;
const LEAF: usize = 116;
const UNTIL: usize = 149;

/// The entry that changes the key from the first to the second.
const ROTATION: usize = 9;

/// A log as its forger would have it.
struct Forgery {
    entries: Vec<Vec<u8>>,
    /// Entries from here on follow from those before.
    linked: usize,
    /// Who signs the checkpoint.
    key: u8,
    /// Who signs an entry of this number.
    key_at: fn(usize) -> u8,
    /// Rotations, by their entries: from which key to which. These are signed
    /// anew as well.
    rotations: Vec<(usize, u8, u8)>,
    /// Whether answers get the hashes of what they are to anew.
    answers: bool,
}

fn forged(forge: impl Fn(&mut Forgery)) -> impl Fn(&Path) {
    move |log| {
        let connection = Connection::open(log).unwrap();
        let mut entries = connection.prepare("SELECT bytes FROM entry ORDER BY seq").unwrap();
        let entries = entries.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let key_at = |seq| if seq < ROTATION { 1 } else { 2 };
        let mut forgery =
            Forgery { entries, linked: 0, key: 2, key_at, rotations: vec![(ROTATION, 1, 2)], answers: true };
        forge(&mut forgery);
        write(&connection, forgery);
    }
}

fn write(connection: &Connection, forgery: Forgery) {
    let Forgery { mut entries, linked, key, key_at, rotations, answers } = forgery;
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    connection.execute_batch("PRAGMA synchronous = OFF; BEGIN; DELETE FROM entry; DELETE FROM signature").unwrap();
    for seq in 0..entries.len() {
        if seq > linked {
            let before = leaf_hash(&entries[seq - 1]);
            entries[seq][SEQ_END + 1..SIGNED].copy_from_slice(before.as_bytes());
        }
        if let Some((_, old, new)) = rotations.iter().find(|(at, ..)| *at == seq) {
            rotate(&mut entries[seq], *old, *new);
        }
        if answers && entries[seq][KIND] == 7 {
            let decision = usize::from(entries[seq][ANSWERED]);
            let leaf = leaf_hash(&entries[decision]);
            entries[seq][LEAF..UNTIL - 1].copy_from_slice(leaf.as_bytes());
        }
        let (row, entry) = (i64::try_from(seq).unwrap(), &entries[seq]);
        tree.push(entry.clone());
        connection.execute("INSERT INTO entry VALUES (?1, ?2)", (row, entry)).unwrap();
        if entry[SIGNED] == 1 {
            let statement = [b"vak/audit/entry-signature\x01", &leaf_hash(entry).as_bytes()[..]].concat();
            let signature = private(key_at(seq)).sign(&statement).unwrap();
            connection.execute("INSERT INTO signature VALUES (?1, ?2)", (row, signature)).unwrap();
        }
    }
    let root = STANDARD.encode(tree.root().as_bytes());
    let mut note = Note::new(format!("{}\n{}\n{root}\n", origin(), entries.len()).as_bytes(), &[]).unwrap();
    note.add_sigs(&[&private(key)]).unwrap();
    connection.execute("UPDATE head SET checkpoint = ?1", [String::from_utf8(note.to_bytes()).unwrap()]).unwrap();
    connection.execute_batch("COMMIT").unwrap();
}

/// Makes an entry one that changes the key.
fn rotate(entry: &mut Vec<u8>, old: u8, new: u8) {
    let text = |text: &str| [&u32::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat();
    let keys = [old, new].map(|key| text(&signer(key).verifier().to_string())).concat();
    let place = &entry[ORIGIN_END + 1..SIGNED];
    let time = &entry[SIGNED + 1..KIND];
    let statement = [b"vak/audit/key-rotation\x01", &text(origin().as_str())[..], place, time, &keys].concat();
    let signatures = [old, new].map(|key| private(key).sign(&statement).unwrap()).concat();
    entry.truncate(KIND);
    entry.push(3);
    entry.extend([keys, signatures].concat());
}

/// One of the log's keys as other programs have them.
fn private(number: u8) -> StandardSigner {
    let vkey = signer(number).verifier().to_string();
    let id = vkey.split('+').nth(1).unwrap();
    let key = STANDARD.encode([&[1], &[number; 32][..]].concat());
    StandardSigner::new(&format!("PRIVATE+KEY+{}+{id}+{key}", origin())).unwrap()
}

/// Alters a byte of an entry, counted from its end where `at` is negative.
fn entry(seq: usize, at: isize) -> impl Fn(&Path) {
    forged(move |forgery| {
        if seq == ROTATION {
            forgery.rotations.clear();
        }
        let entry = &mut forgery.entries[seq];
        let at = if at < 0 { entry.len().checked_add_signed(at).unwrap() } else { at.unsigned_abs() };
        entry[at] ^= 3;
    })
}

fn at(place: usize) -> isize {
    place.cast_signed()
}

#[test]
fn is_noticed() {
    let folder = logs::in_sqlite(60, Contains::Everything);
    let log = folder.path().join("log");
    refused(
        &log,
        &[
            case("a rotation that the old key did not sign", entry(ROTATION, -128)),
            case("a rotation that the new key did not sign", entry(ROTATION, -64)),
            case("a rotation of another time", entry(ROTATION, at(TIME_END))),
            case("a rotation to a key that never signs", forged(|forgery| forgery.key = 1)),
            case("an entry of another log", entry(20, at(ORIGIN_END))),
            case("an entry of another number", entry(20, at(SEQ_END))),
            case("an entry of another version", entry(20, at(VERSION))),
            case("an entry of another kind", entry(20, at(KIND))),
            case("an entry that is neither signed nor not", entry(20, at(SIGNED))),
            case("an entry that goes on after its end", forged(|forgery| forgery.entries[20].push(0))),
            case("a first entry that comes after another", entry(0, at(SEQ_END) + 1)),
            case("an outcome of itself", forged(|forgery| forgery.entries[1][114] = 1)),
            case("entries signed by the key before", forged(|forgery| forgery.key_at = |_| 1)),
            case("entries signed by the key after", forged(|forgery| forgery.key_at = |_| 2)),
            case(
                "a rotation signed by the key before",
                forged(|forgery| {
                    forgery.key_at = |seq| if seq <= ROTATION { 1 } else { 2 };
                }),
            ),
            case(
                "an entry that does not follow",
                forged(|forgery| {
                    forgery.linked = 21;
                    forgery.entries[20][TIME_END] ^= 1;
                }),
            ),
            case(
                "another past before a rotation that the old key signed",
                forged(|forgery| {
                    forgery.entries[5][TIME_END] ^= 1;
                    forgery.rotations.clear();
                }),
            ),
            case("a rotation from another key", forged(|forgery| forgery.rotations.push((20, 3, 4)))),
            case("a second rotation to the present key", forged(|forgery| forgery.rotations.push((20, 3, 2)))),
            case("a rotation from a key before", forged(|forgery| forgery.rotations.push((20, 1, 2)))),
            case("a first rotation from a stranger", forged(|forgery| forgery.rotations.push((3, 3, 2)))),
            case(
                "an erasure told before there was a payload",
                forged(|forgery| {
                    // Entry 8 erases a payload of entry 5.
                    forgery.entries.swap(5, 8);
                    forgery.entries[5][SEQ_END] = 5;
                    forgery.entries[8][SEQ_END] = 8;
                }),
            ),
            case("an entry left out", forged(|forgery| drop(forgery.entries.remove(20)))),
            case("an entry written twice", forged(|forgery| forgery.entries.insert(20, forgery.entries[20].clone()))),
        ],
    );
}

/// Whoever holds the keys can't claim a person's yes.
#[test]
fn of_answers_is_noticed() {
    // Entry 13 escalates, 14 is a yes to that, and 15 an allow upon it; so are 43
    // and 44, and 45 is a deny. The number that 15 counts on ends before its last byte.
    let folder = logs::in_sqlite(60, Contains::EntriesAlone);
    let log = folder.path().join("log");
    let key = signer(1).verifier().clone();
    let copied = |seq: usize, to: usize| {
        forged(move |forgery| {
            forgery.entries[to] = forgery.entries[seq].clone();
            forgery.entries[to][SEQ_END] = u8::try_from(to).unwrap();
        })
    };
    let counts_on = |answer: u8| {
        forged(move |forgery| {
            let entry = &mut forgery.entries[15];
            let at = entry.len() - 2;
            entry[at] = answer;
        })
    };
    let cases: [(Case<'_>, &str); 10] = [
        (
            case(
                "an answer to what was another then",
                forged(|forgery| {
                    forgery.entries[13][TIME_END] ^= 1;
                    forgery.answers = false;
                }),
            ),
            "answers another decision than the one that is there",
        ),
        (case("an answer to what was no question", forged(|it| it.entries[14][ANSWERED] = 12)), "was not escalated"),
        (case("an answer to another action", forged(|it| it.entries[44][ANSWERED] = 13)), "what was answered before"),
        (case("an answer to another's action", forged(|it| it.entries[14][KIND + 5] ^= 1)), "was not escalated"),
        (case("a second answer", copied(14, 16)), "answers what was answered before"),
        (
            case(
                "a no",
                forged(|forgery| {
                    forgery.entries[14][UNTIL - 1] = 2;
                    forgery.entries[14].drain(UNTIL..UNTIL + 8);
                }),
            ),
            "counts on an answer that was no",
        ),
        (case("a yes of before", forged(|it| it.entries[14][UNTIL] = 0)), "counts on an answer that had expired"),
        (case("no answer at all", counts_on(12)), "counts on an answer that is not there"),
        (case("a yes that was used", copied(15, 16)), "counts on an answer that was used before"),
        (
            case(
                "a yes to something else",
                forged(|forgery| {
                    let entry = &mut forgery.entries[15];
                    let at = entry.windows(4).position(|bytes| bytes == b"xxxx").unwrap();
                    entry[at] = b'y';
                }),
            ),
            "counts on an answer to another action",
        ),
    ];
    for ((what, alter), why) in cases {
        let altered = folder.path().join("altered");
        logs::copy(&log, &altered);
        alter(&altered);
        let (host, document) = (rust(&altered, &key, None), python(&altered, &key, None));
        assert!(host.as_ref().is_err_and(|said| said.contains(why)), "{what}: {host:?}");
        assert!(document.is_err(), "{what}: {document:?}");
        std::fs::remove_file(altered).unwrap();
    }
}

/// Who has the keys can say something else. That it is not what was said before
/// shows with a checkpoint that was kept.
#[test]
fn by_the_rules_is_noticed_with_a_kept_checkpoint_alone() {
    let folder = logs::in_sqlite(60, Contains::Everything);
    let log = folder.path().join("log");
    let anew = folder.path().join("anew");
    logs::copy(&log, &anew);
    entry(20, at(TIME_END))(&anew);
    let key = signer(1).verifier().clone();
    let said = rust(&anew, &key, None).unwrap();
    assert_eq!(python(&anew, &key, None), Ok(said));
    refused_with_kept(&log, &note(&log), &[case("another time", entry(20, at(TIME_END)))]);
}
