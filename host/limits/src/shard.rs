//! A part of all keys, under one lock.

use hashbrown::HashTable;
use vak_types::Timestamp;

use crate::lines::Lines;
use crate::meter::{Epochs, Meter, Terms};
use crate::rate::Pace;
use crate::set::{KindTerms, Set};
use crate::subject::Key;
use crate::time::Tick;
use crate::word::{State, Word};

/// Words of token buckets and meters of everything else.
///
/// A subject without a key is one that has used nothing, so what is idle can go
/// at any time, and does when there is no room for another.
#[derive(Debug, Default)]
pub(crate) struct Shard {
    pub(crate) words: Lines,
    pub(crate) meters: HashTable<Box<Meter>>,
    pub(crate) epochs: Epochs,
}

impl Shard {
    pub(crate) fn word(&self, key: Key, pace: Pace) -> Option<Word<'_>> {
        self.words.find(key).map(|bits| Word { bits, pace })
    }

    /// The meter of `key` as of `now`.
    pub(crate) fn meter(&mut self, key: Key, terms: Terms, now: Timestamp) -> Option<&mut Meter> {
        let meter = self.meters.find_mut(key.0, |meter| meter.key == key)?;
        meter.advance(terms, now, &mut self.epochs);
        Some(meter)
    }

    /// The meter of `key` as it was last used.
    pub(crate) fn meter_as_is(&mut self, key: Key) -> Option<&mut Meter> {
        self.meters.find_mut(key.0, |meter| meter.key == key).map(|meter| &mut **meter)
    }

    /// Adds a key that is not there, after dropping what is idle if there is no
    /// room. Returns how many were dropped.
    pub(crate) fn insert(&mut self, key: Key, set: &Set, terms: KindTerms, now: Timestamp) -> usize {
        let mut dropped = 0;
        match terms {
            KindTerms::Rate(_) => {
                if self.words.is_full() {
                    dropped = self.sweep_words(set, now);
                }
                self.words.insert(key, 0);
            }
            KindTerms::Meter(terms) => {
                if self.meters.len() == self.meters.capacity() {
                    dropped = self.sweep_meters(set, now);
                }
                let mut meter = Meter::new(key, &mut self.epochs);
                meter.advance(terms, now, &mut self.epochs);
                self.insert_meter(meter);
            }
        }
        dropped
    }

    pub(crate) fn insert_meter(&mut self, meter: Meter) {
        self.meters.insert_unique(meter.key.0, Box::new(meter), |meter| meter.key.0);
    }

    pub(crate) fn keys(&self) -> usize {
        self.words.len() + self.meters.len()
    }

    /// Drops what is idle and returns how many keys that were.
    pub(crate) fn sweep(&mut self, set: &Set, now: Timestamp) -> usize {
        self.sweep_words(set, now) + self.sweep_meters(set, now)
    }

    fn sweep_words(&mut self, set: &Set, now: Timestamp) -> usize {
        let before = self.words.len();
        let now = Tick::of(now);
        // Which bucket is whose does not matter for what a clock that was set
        // back left in the future: no bucket takes longer than the slowest.
        let slowest = Pace { interval: 0, capacity: set.capacity_max };
        self.words.rebuild(|_, bits| {
            let state = State::of(bits).seen(slowest, now);
            (!state.is_idle(now)).then(|| state.bits())
        });
        before - self.words.len()
    }

    fn sweep_meters(&mut self, set: &Set, now: Timestamp) -> usize {
        let before = self.meters.len();
        let epochs = &mut self.epochs;
        self.meters.retain(|meter| match set.numbered(meter.key.limit()).map(|entry| entry.terms) {
            Some(KindTerms::Meter(terms)) => {
                meter.advance(terms, now, epochs);
                !meter.is_idle()
            }
            _ => false,
        });
        before - self.meters.len()
    }
}
