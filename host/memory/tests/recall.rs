//! What calls see of each other, and how much there is room for.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use proptest::prelude::*;
use tempfile::TempDir;
use vak_memory::{CALL_BYTES_MAX, KEYS_MAX, Memory, MemoryError, Recall, Refusal, SCOPE_BYTES_MAX, VALUE_BYTES_MAX};
use vak_types::{AgentId, Name};

fn memory() -> (Arc<Memory>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Arc::new(Memory::at(folder.path().join("memory.sqlite"))), folder)
}

fn agent(name: &str) -> AgentId {
    name.parse().unwrap()
}

fn scope(name: &str) -> Name {
    name.parse().unwrap()
}

fn put(call: &mut Recall, key: &str, value: &[u8]) {
    call.set(&scope("notes"), key, value).unwrap().unwrap();
}

fn get(call: &mut Recall, key: &str) -> Option<Vec<u8>> {
    call.get(&scope("notes"), key).unwrap().unwrap()
}

#[test]
fn a_call_sees_its_changes_and_others_see_them_after_it() {
    let (memory, folder) = memory();
    let mut one = memory.recall(&agent("ada"));
    put(&mut one, "a", b"1");
    assert_eq!(get(&mut one, "a"), Some(b"1".to_vec()));
    assert_eq!(get(&mut memory.recall(&agent("ada")), "a"), None);
    one.commit().unwrap();
    assert_eq!(get(&mut memory.recall(&agent("ada")), "a"), Some(b"1".to_vec()));
    assert_eq!(memory.recall(&agent("ada")).get(&scope("other"), "a").unwrap(), Ok(None));
    assert_eq!(get(&mut memory.recall(&agent("bob")), "a"), None);

    // Dropped, as when the skill trapped: nothing of it stays.
    let mut failed = memory.recall(&agent("ada"));
    put(&mut failed, "a", b"2");
    failed.remove(&scope("notes"), "a").unwrap().unwrap();
    drop(failed);
    // Another process, and the same file.
    let reopened = Arc::new(Memory::at(folder.path().join("memory.sqlite")));
    assert_eq!(get(&mut reopened.recall(&agent("ada")), "a"), Some(b"1".to_vec()));
    let mode = std::fs::metadata(memory.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_a_call_reads_is_of_one_state() {
    let (memory, _folder) = memory();
    let conflict = |result: Result<(), MemoryError>| match result {
        Err(MemoryError::Conflict(scope)) => assert_eq!(scope.as_str(), "notes"),
        other => panic!("{other:?}"),
    };
    let other = |key: &str| {
        let mut call = memory.recall(&agent("ada"));
        put(&mut call, key, b"theirs");
        call.commit().unwrap();
    };
    // Both count up from what they read: the second would lose the first's.
    let (mut one, mut two) = (memory.recall(&agent("ada")), memory.recall(&agent("ada")));
    for call in [&mut one, &mut two] {
        assert_eq!(get(call, "count"), None);
        put(call, "count", b"1");
    }
    one.commit().unwrap();
    conflict(two.commit());

    // Whoever only reads is not told two states either.
    let mut reads = memory.recall(&agent("ada"));
    get(&mut reads, "count");
    other("x");
    conflict(reads.get(&scope("notes"), "x").map(|_| ()));
    let mut lists = memory.recall(&agent("ada"));
    get(&mut lists, "count");
    other("y");
    conflict(lists.keys(&scope("notes"), "", None).map(|_| ()));

    // Nor is a scope that was forgotten and made again the one that was read.
    let mut before = memory.recall(&agent("ada"));
    get(&mut before, "count");
    assert_eq!(memory.forget(&agent("ada"), None).unwrap(), 3);
    other("count");
    put_or_conflict(&mut before);
    conflict(before.commit());

    // What another agent or scope does is nobody's business.
    let mut mine = memory.recall(&agent("ada"));
    get(&mut mine, "count");
    let mut theirs = memory.recall(&agent("bob"));
    put(&mut theirs, "count", b"1");
    theirs.commit().unwrap();
    let mut elsewhere = memory.recall(&agent("ada"));
    elsewhere.set(&scope("elsewhere"), "count", b"1").unwrap().unwrap();
    elsewhere.commit().unwrap();
    put(&mut mine, "count", b"2");
    mine.commit().unwrap();
}

/// Either is right: to be told now, or at the end.
fn put_or_conflict(call: &mut Recall) {
    match call.set(&scope("notes"), "count", b"mine") {
        Ok(Ok(())) | Err(MemoryError::Conflict(_)) => {}
        other => panic!("{other:?}"),
    }
    // So that there is something to commit.
    call.set(&scope("other"), "x", b"").unwrap().unwrap();
}

#[test]
fn parallel_counts_lose_nothing() {
    let (memory, _folder) = memory();
    let counted = || {
        let mut done = 0;
        while done < 25 {
            let mut call = memory.recall(&agent("ada"));
            let attempt = || -> Result<(), MemoryError> {
                let before = call.get(&scope("notes"), "count")?.unwrap();
                let count: u32 = before.map_or(0, |bytes| String::from_utf8(bytes).unwrap().parse().unwrap());
                call.set(&scope("notes"), "count", (count + 1).to_string().as_bytes())?.unwrap();
                call.commit()
            };
            match attempt() {
                Ok(()) => done += 1,
                Err(MemoryError::Conflict(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    std::thread::scope(|threads| (0..4).for_each(|_| drop(threads.spawn(counted))));
    assert_eq!(get(&mut memory.recall(&agent("ada")), "count"), Some(b"100".to_vec()));
}

#[test]
fn there_is_room_for_so_much() {
    let (memory, _folder) = memory();
    let notes = scope("notes");
    let mut call = memory.recall(&agent("ada"));
    for key in ["", "a\0b", &"k".repeat(257)] {
        assert_eq!(call.get(&notes, key).unwrap(), Err(Refusal::Key), "{key:?}");
        assert_eq!(call.set(&notes, key, b"").unwrap(), Err(Refusal::Key), "{key:?}");
        assert_eq!(call.remove(&notes, key).unwrap(), Err(Refusal::Key), "{key:?}");
    }
    call.set(&notes, &"k".repeat(256), b"").unwrap().unwrap();
    assert_eq!(call.set(&notes, "v", &[0; VALUE_BYTES_MAX + 1]).unwrap(), Err(Refusal::Value));

    // A call is cut off before it fills the host's memory, also where it
    // changes the same value again and again.
    let value = [7; VALUE_BYTES_MAX];
    let mut stored = 0;
    let refused = (0..1_000).map(|_| call.set(&notes, "again", &value).unwrap()).position(|result| result.is_err());
    assert_eq!(refused.map(|calls| calls as u32), Some(CALL_BYTES_MAX / (VALUE_BYTES_MAX as u32 + 37)));
    drop(call);

    // A scope is full some time, and what is in it can still be made smaller.
    for number in 0.. {
        let mut call = memory.recall(&agent("ada"));
        let results: Vec<_> = (0..10).map(|of| call.set(&notes, &format!("{number}-{of}"), &value).unwrap()).collect();
        call.commit().unwrap();
        stored += results.iter().filter(|result| result.is_ok()).count() as u32;
        if results.contains(&Err(Refusal::Full)) {
            break;
        }
    }
    let each = VALUE_BYTES_MAX as u32 + 32;
    assert!(stored * each <= SCOPE_BYTES_MAX && (stored + 1) * (each + 8) > SCOPE_BYTES_MAX, "{stored}");
    let held = memory.held().unwrap();
    assert_eq!((held.len(), held[0].values), (1, stored));
    assert!(held[0].bytes <= SCOPE_BYTES_MAX);
    let mut call = memory.recall(&agent("ada"));
    assert_eq!(call.set(&notes, "one-more", &value).unwrap(), Err(Refusal::Full));
    call.set(&notes, "0-0", b"shorter").unwrap().unwrap();
    call.remove(&notes, "0-1").unwrap().unwrap();
    call.set(&notes, "one-more", &value).unwrap().unwrap();
    call.commit().unwrap();
}

#[test]
fn keys_are_listed_in_pages() {
    let (memory, _folder) = memory();
    let notes = scope("notes");
    let mut call = memory.recall(&agent("ada"));
    (0..600).for_each(|number| put(&mut call, &format!("n/{number:03}"), b""));
    // Wildcards of SQL mean nothing.
    for key in ["n", "n0", "N/000", "m/%", "ö/1", "%", "_/000"] {
        put(&mut call, key, b"");
    }
    call.commit().unwrap();
    let mut call = memory.recall(&agent("ada"));
    call.remove(&notes, "n/000").unwrap().unwrap();
    put(&mut call, "n/000a", b"");
    let (mut all, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = call.keys(&notes, "n/", after.as_deref()).unwrap();
        assert!(page.len() <= KEYS_MAX);
        match page.last() {
            Some(last) => after = Some(last.clone()),
            None => break,
        }
        all.extend(page);
    }
    let expected: Vec<_> =
        std::iter::once("n/000a".to_owned()).chain((1..600).map(|number| format!("n/{number:03}"))).collect();
    assert_eq!(all, expected);
    assert_eq!(call.keys(&notes, "ö", None).unwrap(), ["ö/1"]);
    assert_eq!(call.keys(&notes, "%", None).unwrap(), ["%"]);
    assert_eq!(call.keys(&notes, "n/0", Some("n/0985")).unwrap(), ["n/099"]);
}

#[test]
fn what_is_forgotten_is_not_in_the_files_any_more() {
    let (memory, folder) = memory();
    let mut call = memory.recall(&agent("ada"));
    put(&mut call, "where", b"a very private thing");
    call.commit().unwrap();
    let found = || {
        let files = folder.path().read_dir().unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
        files.filter(|bytes| bytes.windows(20).any(|part| part == b"a very private thing")).count()
    };
    assert!(found() > 0);
    assert_eq!(memory.forget(&agent("ada"), Some(&scope("other"))).unwrap(), 0);
    assert_eq!(memory.forget(&agent("bob"), None).unwrap(), 0);
    assert_eq!(memory.forget(&agent("ada"), Some(&scope("notes"))).unwrap(), 1);
    assert_eq!((found(), memory.held().unwrap()), (0, Vec::new()));
}

#[test]
fn another_file_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("memory.sqlite");
    let text = b"not a database, whatever its name".repeat(100);
    std::fs::write(&path, &text).unwrap();
    let error = Memory::at(&path).open().unwrap_err().to_string();
    assert!(error.contains("file is not a database"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), text);
    std::fs::remove_file(&path).unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
    drop(connection);
    let error = Memory::at(&path).open().unwrap_err().to_string();
    assert_eq!(error, "it is not a file of this kind");
    let missing = Memory::at(folder.path().join("nowhere/memory.sqlite")).open().unwrap_err();
    assert!(matches!(missing, MemoryError::Io(_)), "{missing}");
}

#[derive(Debug, Clone)]
enum Step {
    Set(u8, Vec<u8>),
    Remove(u8),
    Get(u8),
    Keys(Option<u8>),
    Commit,
    Drop,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..6_u8, prop::collection::vec(any::<u8>(), 0..4)).prop_map(|(key, value)| Step::Set(key, value)),
        (0..6_u8).prop_map(Step::Remove),
        (0..6_u8).prop_map(Step::Get),
        prop::option::of(0..6_u8).prop_map(Step::Keys),
        Just(Step::Commit),
        Just(Step::Drop),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_is_a_map_with_transactions(steps in steps()) {
        let (memory, _folder) = memory();
        let key = |number: u8| format!("k{number}");
        let (mut committed, mut model) = (BTreeMap::new(), BTreeMap::new());
        let mut call = memory.recall(&agent("ada"));
        for step in steps {
            match step {
                Step::Set(number, value) => {
                    put(&mut call, &key(number), &value);
                    model.insert(key(number), value);
                }
                Step::Remove(number) => {
                    call.remove(&scope("notes"), &key(number)).unwrap().unwrap();
                    model.remove(&key(number));
                }
                Step::Get(number) => prop_assert_eq!(get(&mut call, &key(number)), model.get(&key(number)).cloned()),
                Step::Keys(after) => {
                    let after = after.map(key);
                    let found = call.keys(&scope("notes"), "k", after.as_deref()).unwrap();
                    let expected = model.keys().filter(|key| after.as_ref().is_none_or(|after| *key > after));
                    prop_assert_eq!(found, expected.cloned().collect::<Vec<_>>());
                }
                Step::Commit => {
                    call.commit().unwrap();
                    committed = model.clone();
                    call = memory.recall(&agent("ada"));
                }
                Step::Drop => {
                    model = committed.clone();
                    call = memory.recall(&agent("ada"));
                }
            }
        }
        call.commit().unwrap();
        let bytes: usize = model.iter().map(|(key, value)| key.len() + value.len() + 32).sum();
        let held = memory.held().unwrap();
        prop_assert_eq!(held.iter().map(|held| held.values).sum::<u32>(), model.len() as u32);
        prop_assert_eq!(held.iter().map(|held| held.bytes).sum::<u32>(), bytes as u32);
    }
}
