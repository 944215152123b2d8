//! Words by key, one cache line a look-up.

use std::sync::atomic::Ordering::Relaxed;

use crate::subject::Key;
use crate::sync::AtomicU64;

/// A hash table of atomic words. Four keys and their four words share a cache
/// line: with a million keys the memory is what a look-up waits for, and here
/// it waits once.
///
/// A key is in the first line, from the one it hashes to, that had room. Keys
/// are not taken out one by one: when there is no room, the table is built anew
/// without those that are idle.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    lines: Vec<Line>,
    keys: usize,
}

#[derive(Debug, Default)]
#[repr(align(64))]
struct Line {
    /// Zero where there is room.
    keys: [u64; WIDTH],
    words: [AtomicU64; WIDTH],
}

const WIDTH: usize = 4;

impl Line {
    /// Branch-free, so that the processor runs ahead to the next look-up
    /// while this one waits for memory.
    fn position(&self, key: u64) -> Option<usize> {
        let found = (0..WIDTH).rev().fold(WIDTH, |found, at| if self.keys[at] == key { at } else { found });
        (found < WIDTH).then_some(found)
    }
}

impl Lines {
    pub(crate) fn len(&self) -> usize {
        self.keys
    }

    pub(crate) fn find(&self, key: Key) -> Option<&AtomicU64> {
        if self.lines.is_empty() {
            return None;
        }
        let mut at = self.home(key);
        loop {
            let line = &self.lines[at];
            if let Some(position) = line.position(key.0) {
                return Some(&line.words[position]);
            }
            line.position(0).is_none().then_some(())?;
            at = self.next(at);
        }
    }

    /// True when there is no room for one key more: at seven eighths the way
    /// to a line with room is still short.
    pub(crate) fn is_full(&self) -> bool {
        (self.keys + 1) * 8 > self.lines.len() * WIDTH * 7
    }

    /// Adds a key that is not there. To be called with room.
    pub(crate) fn insert(&mut self, key: Key, bits: u64) {
        if self.is_full() {
            self.rebuild(|_, bits| Some(bits));
        }
        let mut at = self.home(key);
        loop {
            if let Some(position) = self.lines[at].position(0) {
                self.lines[at].keys[position] = key.0;
                self.lines[at].words[position] = AtomicU64::new(bits);
                self.keys += 1;
                return;
            }
            at = self.next(at);
        }
    }

    /// Builds the table anew out of what `keep` returns, at most half full.
    pub(crate) fn rebuild(&mut self, mut keep: impl FnMut(Key, u64) -> Option<u64>) {
        let kept: Vec<_> = self.iter().filter_map(|(key, bits)| Some((key, keep(key, bits)?))).collect();
        let lines = (kept.len() * 2).max(1).div_ceil(WIDTH).next_power_of_two();
        *self = Self { lines: (0..lines).map(|_| Line::default()).collect(), keys: 0 };
        for (key, bits) in kept {
            self.insert(key, bits);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, u64)> {
        let words = |line: &Line| {
            let bits = line.words.each_ref().map(|word| word.load(Relaxed));
            line.keys.into_iter().zip(bits)
        };
        self.lines.iter().flat_map(words).filter(|(key, _)| *key != 0).map(|(key, bits)| (Key(key), bits))
    }

    fn home(&self, key: Key) -> usize {
        key.spread() & (self.lines.len() - 1)
    }

    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.lines.len() - 1)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a map, with keys that meet in few lines.
        #[test]
        fn equals_a_map(steps in vec((0..40u64, any::<bool>()), 1..200)) {
            let mut lines = Lines::default();
            let mut map = BTreeMap::new();
            for (number, (name, drops)) in steps.into_iter().enumerate() {
                let key = Key((name % 3) << 60 | name << 8 | 1);
                if drops {
                    lines.rebuild(|other, bits| (other.0 % 5 != key.0 % 5).then_some(bits + 1));
                    map.retain(|other, _| other % 5 != key.0 % 5);
                    map.values_mut().for_each(|bits| *bits += 1);
                } else if lines.find(key).is_none() {
                    lines.insert(key, number as u64);
                    prop_assert_eq!(map.insert(key.0, number as u64), None);
                }
                prop_assert_eq!(lines.len(), map.len());
                prop_assert_eq!(lines.iter().map(|(key, bits)| (key.0, bits)).collect::<BTreeMap<_, _>>(), map.clone());
                for (key, bits) in &map {
                    prop_assert_eq!(lines.find(Key(*key)).map(|word| word.load(Relaxed)), Some(*bits));
                }
            }
        }
    }
}
