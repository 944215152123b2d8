//! All buckets of a host, and how several are taken from at once.

use std::hash::RandomState;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use smallvec::SmallVec;
use vak_types::Action;

use crate::clock::Clock;
use crate::room::Room;
use crate::subject::{NameHashes, Subject};
use crate::table::Table;
use crate::{Exceeded, Limit};

/// Buckets in tables, each under a lock of its own.
///
/// An agent's buckets are all in the one table its name hashes to; buckets that
/// agents share are in the last table. So an action needs two tables at most.
/// It locks them in that order, which is the same for everybody, checks every
/// bucket and only then takes from any. All or nothing holds without undoing
/// anything: no other action ever sees, and fails for, what an action took and
/// then had to return because its next limit refused it.
///
/// Names come from agents, so the hash is keyed (SipHash under a key of this
/// process): nobody can choose names that collide. The key decides which table
/// a bucket is in, and nothing else: time, the number of keys and the search
/// for room span all tables, so no verdict depends on it.
#[derive(Debug)]
pub(crate) struct Counts {
    limits: Box<[Limit]>,
    clock: Clock,
    hash: RandomState,
    tables: Box<[Mutex<Table>]>,
    room: Room,
}

/// Most actions come under few limits; more than this many go to the heap.
const INLINE: usize = 4;

/// What an action took. Filled in place: moving these around costs more than
/// finding the buckets.
pub(crate) type Takes = SmallVec<[Taken; INLINE]>;

/// One action taken from one bucket.
#[derive(Debug)]
pub(crate) struct Taken {
    table: usize,
    slot: usize,
    id: u64,
}

/// How a reservation ends.
#[derive(Clone, Copy)]
pub(crate) enum Settle {
    Keep,
    GiveBack,
}

/// A bucket that an action needs.
struct Wanted {
    table: usize,
    limit: usize,
    hash: u64,
    slot: Option<usize>,
}

impl Wanted {
    fn shares_table(&self, other: &Self) -> bool {
        self.table == other.table
    }
}

#[derive(Clone, Copy)]
enum Refusal {
    /// `limit` has the longest wait.
    Exceeded { limit: usize, wait_ns: u64 },
    /// `missing` buckets have no room; `limit` needs one of them.
    NoRoom { limit: usize, missing: usize },
}

impl Counts {
    /// Tables for agents. A lock is held for a fraction of a microsecond, so
    /// as many tables as a large machine has cores are free nearly always.
    const AGENT_TABLES: usize = 64;

    /// Slots that are looked at for buckets to drop when a key is new: more
    /// than one, so that dropping outruns adding, and few, so that it takes no
    /// longer than adding does.
    const SWEEP_SLOTS: usize = 4;

    pub(crate) fn new(limits: Vec<Limit>, keys_max: usize) -> Self {
        Self {
            limits: limits.into(),
            clock: Clock::default(),
            hash: RandomState::new(),
            tables: (0..=Self::AGENT_TABLES).map(|_| Mutex::default()).collect(),
            room: Room::new(keys_max),
        }
    }

    /// Takes `action` out of every bucket it comes under, or out of none.
    /// Adds what it took to `takes`, which must be empty.
    pub(crate) fn take(&self, action: &Action, takes: &mut Takes) -> Result<(), Exceeded> {
        let mut wanted = SmallVec::new();
        self.find_wanted(action, &mut wanted);
        if wanted.is_empty() {
            return Ok(());
        }
        let mut result = self.try_take(action, &mut wanted, takes);
        if let Err(Refusal::NoRoom { missing, .. }) = result
            && self.room.make(missing, || self.clock.latest(), &self.tables)
        {
            result = self.try_take(action, &mut wanted, takes);
        }
        result.map_err(|refusal| self.explain(refusal, action))
    }

    /// Ends what [`Counts::take`] began.
    pub(crate) fn settle(&self, takes: &[Taken], how: Settle) {
        for takes in takes.chunk_by(|one, next| one.table == next.table) {
            let mut table = lock(&self.tables[takes[0].table]);
            for taken in takes {
                // A bucket that is gone was full: there is nothing to give back.
                let Some(bucket) = table.bucket(taken.slot) else { continue };
                match how {
                    Settle::Keep => bucket.keep(taken.id),
                    Settle::GiveBack => bucket.give_back(taken.id),
                }
            }
        }
    }

    /// The buckets that `action` needs, in the order of their tables.
    fn find_wanted(&self, action: &Action, wanted: &mut SmallVec<[Wanted; INLINE]>) {
        let mut names = NameHashes::new(&self.hash, action);
        for (limit, Limit { per, operations, .. }) in self.limits.iter().enumerate() {
            if operations.matches(&action.operation) {
                let table =
                    if per.divides_agents() { names.agent() as usize % Self::AGENT_TABLES } else { Self::AGENT_TABLES };
                wanted.push(Wanted { table, limit, hash: names.subject(*per, limit), slot: None });
            }
        }
        if wanted.len() > 1 {
            wanted.sort_by_key(|wanted| wanted.table);
        }
    }

    fn try_take(&self, action: &Action, wanted: &mut [Wanted], takes: &mut Takes) -> Result<(), Refusal> {
        let mut tables: SmallVec<[MutexGuard<'_, Table>; 2]> = SmallVec::new();
        for run in wanted.chunk_by(Wanted::shares_table) {
            tables.push(lock(&self.tables[run[0].table]));
        }
        let now_ns = self.clock.observe(action.time.as_nanos());

        let mut longest = None;
        let mut missing = 0;
        let mut without_bucket = 0;
        for (table, run) in tables.iter_mut().zip(wanted.chunk_by_mut(Wanted::shares_table)) {
            for Wanted { limit, hash, slot, .. } in run {
                *slot = table.find(*hash, *limit, action);
                let Some(bucket) = slot.and_then(|slot| table.bucket(slot)) else {
                    missing += 1;
                    without_bucket = *limit;
                    continue;
                };
                bucket.advance(now_ns);
                longest = longest.max(bucket.wait_ns().map(|wait_ns| (wait_ns, *limit)));
            }
        }
        if let Some((wait_ns, limit)) = longest {
            // Time stands still for a late action, so it waits longer by that.
            let late_ns = now_ns.saturating_sub(action.time.as_nanos());
            return Err(Refusal::Exceeded { limit, wait_ns: wait_ns.saturating_add(late_ns) });
        }
        if missing > 0 && !self.room.claim(missing) {
            return Err(Refusal::NoRoom { limit: without_bucket, missing });
        }

        for (table, run) in tables.iter_mut().zip(wanted.chunk_by(Wanted::shares_table)) {
            for wanted in run {
                let slot = wanted.slot.unwrap_or_else(|| self.add_bucket(table, wanted, action, now_ns));
                takes.push(Taken { table: wanted.table, slot, id: table.take(slot) });
            }
        }
        if missing > 0 {
            // Only now, since a sweep drops full buckets and some were found above.
            for table in &mut tables {
                self.room.release(table.sweep(missing * Self::SWEEP_SLOTS, now_ns));
            }
        }
        Ok(())
    }

    fn add_bucket(&self, table: &mut Table, wanted: &Wanted, action: &Action, now_ns: u64) -> usize {
        let Limit { per, rate, .. } = self.limits[wanted.limit];
        table.insert(wanted.hash, wanted.limit, Subject::of(per, action), rate, now_ns)
    }

    fn explain(&self, refusal: Refusal, action: &Action) -> Exceeded {
        match refusal {
            Refusal::Exceeded { limit, wait_ns } => {
                let Limit { name, per, operations, rate } = &self.limits[limit];
                let wait = Duration::from_nanos(wait_ns);
                let subject = Subject::of(*per, action);
                Exceeded {
                    limit: name.clone(),
                    retry_after: Some(wait),
                    message: format!("{subject} is limited to {rate} in `{operations}`; try again in {wait:?}"),
                }
            }
            Refusal::NoRoom { limit, .. } => Exceeded {
                limit: self.limits[limit].name.clone(),
                retry_after: None,
                message: self.room.full_message(),
            },
        }
    }
}

/// Nothing in a table is half done when a thread panics: the debts in it are
/// single numbers, and the bucket of an index entry is put there first.
pub(crate) fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}
