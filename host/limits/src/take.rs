//! How an action takes from several keys at once.

use smallvec::SmallVec;
use vak_types::Action;

use crate::attempt::{Attempt, Stop};
use crate::counts::Counts;
use crate::refusal::Why;
use crate::set::{Entry, KindTerms, Set};
use crate::shard::Shard;
use crate::subject::Key;
use crate::sync::RwLockWriteGuard;
use crate::time::Tick;
use crate::took::{Reserved, Takes, Took};
use crate::wanted::{self, AllWanted, Wanted};
use crate::word::{State, Word};

/// Whether idle keys can still be dropped to make room.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Claim {
    First,
    Last,
}

impl Counts {
    /// Takes `action` out of every limit of `set` that covers it, or out of
    /// none. Adds what it took to `reserved`, which must be empty.
    pub(crate) fn take(&self, set: &Set, action: &Action, reserved: &mut Reserved) -> Result<(), Stop> {
        // Looked at again under the locks; here, so that nobody is refused for
        // limits that are gone.
        if !self.is_current(set) {
            return Err(Stop::Stale);
        }
        let Reserved { generation, takes, signals } = reserved;
        *generation = set.generation;
        let mut attempt = Attempt { set, action, refusal: None, signals, room: &self.room };
        let mut wanted = AllWanted::new();
        wanted::find(self.seed, &mut attempt, &mut wanted);
        attempt.result()?;
        match wanted[..] {
            [] => return Ok(()),
            [one] if let KindTerms::Rate(pace) = set.entries[one.entry].terms => {
                let shard = self.read(one.shard);
                if let Some(word) = shard.word(one.key, pace) {
                    return self.take_tokens(&mut attempt, one, &word, takes);
                }
            }
            _ => {}
        }
        if let Some(missing) = self.take_all(&mut attempt, &mut wanted, takes, Claim::First)? {
            self.room.make(missing, action.time, || self.sweep(set, action.time));
            self.take_all(&mut attempt, &mut wanted, takes, Claim::Last)?;
        }
        attempt.result()
    }

    fn take_tokens(
        &self,
        attempt: &mut Attempt<'_>,
        wanted: Wanted,
        word: &Word<'_>,
        takes: &mut Takes,
    ) -> Result<(), Stop> {
        if !self.is_current(attempt.set) {
            return Err(Stop::Stale);
        }
        let (entry, now) = (&attempt.set.entries[wanted.entry], Tick::of(attempt.action.time));
        match word.take(now, wanted.cost) {
            Ok(taken) => {
                if let Some(from) = taken.pending() {
                    takes.push(Took::tokens(&wanted, from));
                }
                attempt.tell_near(entry, || word.used_percent(now));
            }
            Err(fits_at) => {
                let wait_ns = fits_at.after_ns(attempt.action.time);
                attempt.refuse(wanted.entry, wanted.label, Why::Full { wait_ns });
            }
        }
        attempt.result()
    }

    /// Takes from all keys or from none. At the first claim it returns how many
    /// new keys there is no room for, having taken from none; at the last their
    /// limits have no room.
    fn take_all(
        &self,
        attempt: &mut Attempt<'_>,
        wanted: &mut AllWanted,
        takes: &mut Takes,
        claim: Claim,
    ) -> Result<Option<usize>, Stop> {
        let (set, action) = (attempt.set, attempt.action);
        let mut shards: SmallVec<[RwLockWriteGuard<'_, Shard>; 2]> = SmallVec::new();
        for run in wanted.chunk_by(Wanted::shares_shard) {
            shards.push(self.write(run[0].shard));
        }
        if !self.is_current(set) {
            return Err(Stop::Stale);
        }

        let mut missing: SmallVec<[Key; 4]> = SmallVec::new();
        for (shard, run) in shards.iter_mut().zip(wanted.chunk_by_mut(Wanted::shares_shard)) {
            for wanted in run.iter_mut().filter(|wanted| !wanted.skip) {
                match check(shard, &set.entries[wanted.entry], wanted, action) {
                    Ok(true) => {}
                    Ok(false) => missing.push(wanted.key),
                    Err(why) => wanted.skip = !attempt.refuse(wanted.entry, wanted.label, why),
                }
            }
        }
        attempt.result()?;
        if !missing.is_empty() && !self.room.claim(missing.len()) {
            if claim == Claim::First {
                return Ok(Some(missing.len()));
            }
            for wanted in wanted.iter_mut().filter(|wanted| missing.contains(&wanted.key)) {
                wanted.skip = !attempt.refuse(wanted.entry, wanted.label, Why::NoRoom);
            }
            attempt.result()?;
        }

        // Those that are there come first: adding a key can drop idle ones, and
        // what was taken from is not idle.
        for is_new in [false, true] {
            for (shard, run) in shards.iter_mut().zip(wanted.chunk_by(Wanted::shares_shard)) {
                let run = run.iter().filter(|wanted| !wanted.skip && missing.contains(&wanted.key) == is_new);
                for wanted in run {
                    let entry = &set.entries[wanted.entry];
                    if is_new {
                        self.room.release(shard.insert(wanted.key, set, entry.terms, action.time));
                    }
                    takes.extend(take(attempt, shard, entry, wanted));
                }
            }
        }
        // Settled by shard.
        takes.sort_unstable_by_key(|took| took.shard);
        Ok(None)
    }
}

/// Whether the action fits, and if so whether the key is there.
fn check(shard: &mut Shard, entry: &Entry, wanted: &Wanted, action: &Action) -> Result<bool, Why> {
    match entry.terms {
        KindTerms::Rate(pace) => {
            let now = Tick::of(action.time);
            let wait = |fits_at: Tick| Why::Full { wait_ns: fits_at.after_ns(action.time) };
            match shard.word(wanted.key, pace) {
                Some(word) => word.check(now, wanted.cost).map(|()| true).map_err(wait),
                None => State::of(0).check(pace, now, wanted.cost).map(|()| false).map_err(wait),
            }
        }
        KindTerms::Meter(terms) => match shard.meter(wanted.key, terms, action.time) {
            Some(meter) => match meter.check(terms, wanted.cost) {
                Ok(()) => Ok(true),
                Err(u64::MAX) => Err(Why::Full { wait_ns: u64::MAX }),
                Err(at_ns) => Err(Why::Full { wait_ns: at_ns.saturating_sub(action.time.as_nanos()) }),
            },
            None => Ok(false),
        },
    }
}

/// Takes what was found to fit. Should it not be there after all, the action
/// is refused, and what it took is given back.
fn take(attempt: &mut Attempt<'_>, shard: &mut Shard, entry: &Entry, wanted: &Wanted) -> Option<Took> {
    let found = match entry.terms {
        KindTerms::Rate(pace) => {
            let now = Tick::of(attempt.action.time);
            shard.word(wanted.key, pace).and_then(|word| {
                let taken = word.take(now, wanted.cost).ok()?;
                attempt.tell_near(entry, || word.used_percent(now));
                Some(taken.pending().map(|from| Took::tokens(wanted, from)))
            })
        }
        KindTerms::Meter(terms) => shard.meter_as_is(wanted.key).map(|meter| {
            let part = meter.hold(wanted.cost);
            attempt.tell_near(entry, || meter.used_percent(terms));
            Some(Took::part(wanted, terms.waits, part))
        }),
    };
    found.unwrap_or_else(|| {
        attempt.refuse(wanted.entry, wanted.label, Why::NoRoom);
        None
    })
}
