//! The limits of a host, checked and in the terms of the algorithms.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::hash::Seed;
use crate::meter::{HELD_SLICES, SPENT_SLICES, Terms};
use crate::rate::Pace;
use crate::ring::Slice;
use crate::{Error, Kind, Limit, Limits};

/// All limits that hold at one time.
#[derive(Debug)]
pub(crate) struct Set {
    /// Rises with each replacement.
    pub(crate) generation: u64,
    pub(crate) entries: Box<[Entry]>,
    /// Arrival times of buckets are never further ahead than this, in ticks.
    pub(crate) capacity_max: u64,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) limit: Limit,
    pub(crate) terms: KindTerms,
    /// The hash of its name.
    pub(crate) salt: u64,
    /// Stands for it in keys; never zero.
    pub(crate) number: u8,
    /// The generation since which what it counts goes on without a break.
    pub(crate) since: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KindTerms {
    Rate(Pace),
    Meter(Terms),
}

impl Set {
    /// The first limits of a host.
    pub(crate) fn first(limits: Vec<Limit>, seed: Seed) -> Result<Self, Error> {
        Self::new(limits, seed, 1, |_| None)
    }

    /// The limits that come after these. One of the same name that counts the
    /// same thing for the same subjects goes on where the old one was.
    pub(crate) fn next(&self, limits: Vec<Limit>, seed: Seed) -> Result<Self, Error> {
        Self::new(limits, seed, self.generation + 1, |new| self.entries.iter().find(|old| old.goes_on_as(new)))
    }

    fn new<'a>(
        limits: Vec<Limit>,
        seed: Seed,
        generation: u64,
        predecessor: impl Fn(&Limit) -> Option<&'a Entry>,
    ) -> Result<Self, Error> {
        if limits.len() > Limits::LIMITS_MAX {
            return Err(Error::TooMany { count: limits.len() });
        }
        let mut names = BTreeSet::new();
        if let Some(limit) = limits.iter().find(|limit| !names.insert(&limit.name)) {
            return Err(Error::Duplicate { name: limit.name.clone() });
        }
        let old: Vec<_> = limits.iter().map(|limit| predecessor(limit).map(|old| (old.number, old.since))).collect();
        let taken: BTreeSet<u8> = old.iter().flatten().map(|(number, _)| *number).collect();
        // At most a quarter of the numbers is taken, so they do not run out.
        let mut free = (1..=u8::MAX).filter(|number| !taken.contains(number));
        let mut entries = Vec::new();
        for (limit, old) in limits.into_iter().zip(old) {
            let (number, since) = old.unwrap_or_else(|| (free.next().unwrap_or(u8::MAX), generation));
            let terms = terms_of(&limit)?;
            entries.push(Entry { salt: seed.hash(limit.name.as_str().as_bytes()), terms, number, since, limit });
        }
        let capacity = |entry: &Entry| match entry.terms {
            KindTerms::Rate(pace) => pace.capacity,
            KindTerms::Meter(_) => 0,
        };
        let capacity_max = entries.iter().map(capacity).max().unwrap_or(0);
        Ok(Self { generation, entries: entries.into(), capacity_max })
    }

    /// The limit that had this number in that generation, if it is still there.
    pub(crate) fn find(&self, number: u8, generation: u64) -> Option<&Entry> {
        self.numbered(number).filter(|entry| entry.since <= generation)
    }

    /// The limit with this number.
    pub(crate) fn numbered(&self, number: u8) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.number == number)
    }
}

impl Entry {
    fn goes_on_as(&self, new: &Limit) -> bool {
        let Limit { name, per, kind, .. } = &self.limit;
        let same_unit = match (kind, &new.kind) {
            (Kind::Budget { cost, .. }, Kind::Budget { cost: other, .. }) => cost == other,
            (Kind::Rate { cost, .. }, Kind::Rate { cost: other, .. }) => cost == other,
            (kind, other) => std::mem::discriminant(kind) == std::mem::discriminant(other),
        };
        *name == new.name && *per == new.per && same_unit
    }
}

fn terms_of(limit: &Limit) -> Result<KindTerms, Error> {
    let name = || limit.name.clone();
    if let Some(percent) = limit.near_percent.filter(|percent| !(1..=100).contains(percent)) {
        return Err(Error::Near { name: name(), percent });
    }
    let (amount, window, refund, spends) = match &limit.kind {
        Kind::Rate { cost: Some(cost), .. } if cost.is_empty() => return Err(Error::Cost { name: name() }),
        Kind::Rate { rate, .. } => return Ok(KindTerms::Rate(rate.pace())),
        Kind::Quota { actions, window, refund } => (*actions, Some(*window), *refund, true),
        Kind::Concurrency { at_once } => (*at_once, None, true, false),
        Kind::Budget { amount, window, refund, cost } if !cost.is_empty() => (*amount, *window, *refund, true),
        Kind::Budget { .. } => return Err(Error::Cost { name: name() }),
    };
    if !(1..=Limit::AMOUNT_MAX).contains(&amount) {
        return Err(Error::Amount { name: name(), amount });
    }
    let window = match window {
        None => Slice::FOREVER,
        Some(window) => Slice::of(
            nanoseconds(window, Limit::WINDOW).ok_or_else(|| Error::Window { name: name(), window })?,
            SPENT_SLICES,
        ),
    };
    let hold_ns = nanoseconds(limit.hold, Limit::HOLD).ok_or_else(|| Error::Hold { name: name(), hold: limit.hold })?;
    Ok(KindTerms::Meter(Terms { amount, window, hold: Slice::of(hold_ns, HELD_SLICES), spends, waits: refund }))
}

fn nanoseconds(span: Duration, [least, most]: [Duration; 2]) -> Option<u64> {
    RangeInclusive::new(least, most).contains(&span).then(|| u64::try_from(span.as_nanos()).ok()).flatten()
}
