//! Entries that were altered: both implementations take the same ones.

use proptest::prelude::Rng as _;
use proptest::test_runner::TestRunner;
use vak_audit::{Entry, leaf_hash};

use crate::logs::Contains;
use crate::oracle::entries;
use crate::verifiers::{filter, hex};

/// A second of Python.
const CASES: usize = 6_000;

/// Texts that rules about names are about, and bytes that are no text.
const PIECES: [&[u8]; 12] = [
    b"\0",
    b"\x01",
    b"\x02",
    b"\x7f",
    b"+",
    b" ",
    b"\xff",
    "\u{85}".as_bytes(),
    "ß".as_bytes(),
    "\u{200b}".as_bytes(),
    "\u{202e}".as_bytes(),
    "\u{feff}".as_bytes(),
];

#[test]
fn both_decode_the_same_entries() {
    let sound = entries(60, Contains::Everything);
    let mut random = TestRunner::deterministic().new_rng();
    let mut below = move |end: usize| random.next_u64() as usize % end;
    let mut altered = sound.clone();
    altered.extend((0..CASES).map(|case| {
        let mut entry = sound[case % sound.len()].clone();
        let at = below(entry.len());
        match below(6) {
            0 => entry[at] ^= 1 << below(8),
            1 => entry[at] = entry[at].wrapping_add(if below(2) == 0 { 1 } else { 255 }),
            2 => entry.insert(at, u8::try_from(below(256)).unwrap()),
            3 => drop(entry.remove(at)),
            4 => entry.truncate(at),
            // Of the same length, so that what follows is read as before.
            _ => entry.iter_mut().skip(at).zip(PIECES[below(PIECES.len())]).for_each(|(old, new)| *old = *new),
        }
        entry
    }));
    let said = filter("decode_entries.py", &[], &altered.iter().map(|entry| hex(entry)).collect::<Vec<_>>());
    assert_eq!(said.len(), altered.len());
    let mut taken = 0;
    for (entry, said) in altered.iter().zip(&said) {
        let decoded = Entry::decode(entry);
        let expected = decoded.as_ref().map_or("refused".to_owned(), |_| leaf_hash(entry).to_hex());
        assert_eq!(said, &expected, "{decoded:?} of {}", hex(entry));
        taken += usize::from(decoded.is_ok());
    }
    // Otherwise this says little about one of the two.
    assert!(taken > CASES / 5 && altered.len() - taken > CASES / 5, "{taken} of {} taken", altered.len());
}
