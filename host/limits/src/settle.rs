//! What becomes of what an action took.

use vak_types::Timestamp;

use crate::counts::Counts;
use crate::set::{Entry, KindTerms, Set};
use crate::shard::Shard;
use crate::time::Tick;
use crate::took::{Reserved, Took, What};

/// How a reservation goes on.
#[derive(Clone, Copy)]
pub(crate) enum Settle<'a> {
    /// The action does not happen.
    GiveBack,
    /// The action starts.
    Hold,
    /// It did what it was to do, at these costs by attribute.
    Succeed(&'a [(&'a str, u64)], Timestamp),
    /// It did not.
    Fail(Timestamp),
}

impl Counts {
    /// Goes on with what [`Counts::take`] began; what is left in `takes` waits
    /// for the outcome. `set` is the set it was taken under, or an earlier one.
    pub(crate) fn settle(&self, set: &Set, reserved: &mut Reserved, how: Settle<'_>) {
        let Reserved { generation, takes, .. } = reserved;
        for run in takes.chunk_by(Took::shares_shard) {
            if let [took] = run
                && took.what == What::Tokens
            {
                let shard = self.read(run[0].shard);
                self.with_current(set, |set| settle_tokens(&shard, set.find(took.key.limit(), *generation), took, how));
                continue;
            }
            let mut shard = self.write(run[0].shard);
            self.with_current(set, |set| {
                for took in run {
                    let entry = set.find(took.key.limit(), *generation);
                    match took.what {
                        What::Tokens => settle_tokens(&shard, entry, took, how),
                        What::Part | What::WaitingPart => settle_part(&mut shard, entry, took, how),
                    }
                }
            });
        }
        match how {
            Settle::Hold => takes.retain(|took| took.what == What::WaitingPart),
            _ => takes.clear(),
        }
    }

    /// Calls `with` the current set, which `set` nearly always is. To be called
    /// with a shard locked.
    fn with_current(&self, set: &Set, with: impl FnOnce(&Set)) {
        if self.is_current(set) { with(set) } else { with(&self.current()) }
    }
}

fn settle_tokens(shard: &Shard, entry: Option<&Entry>, took: &Took, how: Settle<'_>) {
    let Some(KindTerms::Rate(pace)) = entry.map(|entry| entry.terms) else { return };
    let Some(word) = shard.word(took.key, pace) else { return };
    match how {
        Settle::GiveBack => word.give_back(took.amount),
        Settle::Hold | Settle::Succeed(..) | Settle::Fail(_) => word.keep(Tick(took.at), took.amount),
    }
}

fn settle_part(shard: &mut Shard, entry: Option<&Entry>, took: &Took, how: Settle<'_>) {
    let Some(entry) = entry else { return };
    let KindTerms::Meter(terms) = entry.terms else { return };
    let meter = match how {
        Settle::Hold if took.what == What::WaitingPart => return,
        Settle::GiveBack | Settle::Hold => shard.meter_as_is(took.key),
        Settle::Fail(now) | Settle::Succeed(_, now) => shard.meter(took.key, terms, now),
    };
    let spent = match how {
        Settle::GiveBack | Settle::Fail(_) => None,
        Settle::Hold => Some(took.amount),
        Settle::Succeed(actual, _) => Some(entry.limit.kind.actual_cost(actual).unwrap_or(took.amount)),
    };
    if let Some(meter) = meter {
        meter.release(took.as_part());
        spent.inspect(|amount| meter.spend(terms, *amount));
    }
}
