//! Which keys an action needs.

use smallvec::SmallVec;

use crate::Per;
use crate::attempt::Attempt;
use crate::counts::Counts;
use crate::hash::Seed;
use crate::share::{Needs, needs};
use crate::subject::{Key, NameHashes};

/// In the order of their shards, each key once.
pub(crate) type AllWanted = SmallVec<[Wanted; 4]>;

/// A key that an action needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) shard: u16,
    pub(crate) key: Key,
    pub(crate) entry: usize,
    pub(crate) label: Option<usize>,
    pub(crate) cost: u64,
    /// A limit in shadow mode that has no room is left alone.
    pub(crate) skip: bool,
}

impl Wanted {
    pub(crate) fn shares_shard(&self, other: &Self) -> bool {
        self.shard == other.shard
    }
}

/// The keys that the action needs, in the order of their shards.
pub(crate) fn find(seed: Seed, attempt: &mut Attempt<'_>, wanted: &mut AllWanted) {
    let (set, action) = (attempt.set, attempt.action);
    let mut names = NameHashes::new(seed, action);
    for (at, entry) in set.entries.iter().enumerate() {
        let per = entry.limit.per;
        let Needs { times, cost } = match needs(&entry.limit, action) {
            Ok(Some(needs)) => needs,
            Ok(None) => continue,
            Err(why) => {
                attempt.refuse(at, None, why);
                continue;
            }
        };
        let shard =
            if per.divides_agents() { names.agent() as u16 % Counts::AGENT_SHARDS } else { Counts::AGENT_SHARDS };
        for label in 0..times {
            let label = (per == Per::Label).then_some(label);
            let key = names.key(per, label.map(|label| &action.labels[label]), entry.number, entry.salt);
            wanted.push(Wanted { shard, key, entry: at, label, cost, skip: false });
        }
    }
    if wanted.len() > 1 {
        wanted.sort_unstable_by_key(|wanted| (wanted.shard, wanted.key));
        // A label that is there twice counts once.
        wanted.dedup_by_key(|wanted| wanted.key);
    }
}
