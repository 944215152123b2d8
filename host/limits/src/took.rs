//! What an action took.

use smallvec::SmallVec;

use crate::Signal;
use crate::meter::Part;
use crate::subject::Key;
use crate::time::Tick;
use crate::wanted::Wanted;

/// Most actions come under one or two limits; what more take goes to the heap.
pub(crate) type Takes = SmallVec<[Took; 2]>;

/// What an action took and what there is to tell. Filled in place: moving these
/// around costs more than finding the keys.
#[derive(Debug, Default)]
pub(crate) struct Reserved {
    /// Of the limits it was taken under.
    pub(crate) generation: u64,
    pub(crate) takes: Takes,
    pub(crate) signals: Vec<Signal>,
}

/// What one action took under one key, in half a cache line: a reservation is
/// moved around more than it is looked at.
#[derive(Debug)]
pub(crate) struct Took {
    pub(crate) key: Key,
    pub(crate) shard: u16,
    pub(crate) what: What,
    epoch: u32,
    /// The tick of tokens, or the slice of a part.
    pub(crate) at: u64,
    pub(crate) amount: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// Out of a bucket.
    Tokens,
    /// Of a meter, spent when the action starts.
    Part,
    /// Of a meter, until the outcome.
    WaitingPart,
}

impl Took {
    pub(crate) fn tokens(wanted: &Wanted, from: Tick) -> Self {
        let Wanted { key, shard, cost, .. } = *wanted;
        Self { key, shard, what: What::Tokens, epoch: 0, at: from.0, amount: cost }
    }

    pub(crate) fn part(wanted: &Wanted, waits: bool, Part { amount, epoch, slice }: Part) -> Self {
        let Wanted { key, shard, .. } = *wanted;
        let what = if waits { What::WaitingPart } else { What::Part };
        Self { key, shard, what, epoch, at: slice, amount }
    }

    pub(crate) fn as_part(&self) -> Part {
        Part { amount: self.amount, epoch: self.epoch, slice: self.at }
    }

    pub(crate) fn shares_shard(&self, other: &Self) -> bool {
        self.shard == other.shard
    }
}
