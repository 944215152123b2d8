//! Other limits in the place of those that hold.

use std::sync::Arc;

use vak_types::Timestamp;

use crate::counts::Counts;
use crate::rate::Pace;
use crate::set::{KindTerms, Set};
use crate::shard::Shard;
use crate::subject::Key;
use crate::time::Tick;
use crate::word::State;
use crate::{Error, Limit};

/// Makes `limits` the ones that hold and carries over what they keep.
pub(crate) fn replace(counts: &Counts, limits: Vec<Limit>, now: Timestamp) -> Result<Arc<Set>, Error> {
    let mut shards = counts.lock_all();
    let old = counts.current();
    let new = Arc::new(old.next(limits, counts.seed)?);
    for shard in &mut shards {
        let before = shard.keys();
        carry_over(shard, &old, &new, now);
        counts.room.release(before - shard.keys());
    }
    counts.set_current(Arc::clone(&new));
    Ok(new)
}

fn carry_over(shard: &mut Shard, old: &Set, new: &Set, now: Timestamp) {
    let terms = |key: Key| {
        let entry = old.numbered(key.limit())?;
        Some((entry.terms, new.find(key.limit(), old.generation)?.terms))
    };
    shard.words.rebuild(|key, bits| match terms(key)? {
        (KindTerms::Rate(from), KindTerms::Rate(to)) => Some(at_pace(State::of(bits), from, to, Tick::of(now)).bits()),
        _ => None,
    });
    let Shard { meters, epochs, .. } = shard;
    meters.retain(|meter| match terms(meter.key) {
        Some((KindTerms::Meter(from), KindTerms::Meter(to))) => {
            **meter = meter.under(from, to, now, epochs);
            true
        }
        _ => false,
    });
}

/// The same number of actions used, at another pace.
fn at_pace(state: State, from: Pace, to: Pace, now: Tick) -> State {
    if from == to {
        return state;
    }
    let debt = u128::from(state.seen(from, now).arrival.0.saturating_sub(now.0));
    let debt = (debt * u128::from(to.interval)).div_ceil(u128::from(from.interval)).min(u128::from(to.capacity));
    // The capacity is below 2^53.
    State { arrival: Tick(now.0.saturating_add(debt as u64)), ..state }
}
