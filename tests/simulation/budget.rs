//! The limits as their documentation defines them: a bucket knows when it will
//! be full again, and which actions are neither allowed nor denied yet.

use std::collections::BTreeMap;

use crate::script::{AGENTS, LimitKind, OPERATIONS, Plan, Terms};

/// A bucket that is ahead of its capacity by more than this, in microseconds,
/// was used before the clock was set back.
const REORDER_US: u64 = 10_000_000;

#[derive(Debug)]
pub(crate) struct Budget {
    buckets: BTreeMap<(&'static str, String), Bucket>,
    limits: Vec<Terms>,
}

/// Times are in microseconds.
#[derive(Debug)]
struct Bucket {
    terms: Terms,
    /// When it is full, but for what is pending.
    full_at: u64,
    /// By action, when it was taken.
    pending: BTreeMap<usize, u64>,
}

/// Why there is no room.
#[derive(Debug)]
pub(crate) struct Full {
    /// The limits with the longest wait; any of them may be named.
    pub(crate) limits: Vec<&'static str>,
    pub(crate) retry_after_ms: u64,
}

impl Budget {
    /// Every bucket of `limits`, full.
    pub(crate) fn new(limits: &[Terms]) -> Self {
        let mut budget = Self { buckets: BTreeMap::new(), limits: limits.to_vec() };
        for (agent, operation) in subjects() {
            for (terms, subject) in budget.covering(agent, operation) {
                let bucket = Bucket { terms, full_at: 0, pending: BTreeMap::new() };
                budget.buckets.insert((terms.kind.name(), subject), bucket);
            }
        }
        budget
    }

    fn covering(&self, agent: &str, operation: &str) -> Vec<(Terms, String)> {
        let subject = |terms: &Terms| match terms.kind {
            LimitKind::Agent => Some((*terms, agent.to_owned())),
            LimitKind::Files => operation.starts_with("files/").then(|| (*terms, format!("{agent} {operation}"))),
            LimitKind::Host => Some((*terms, String::new())),
        };
        self.limits.iter().filter_map(subject).collect()
    }

    /// Takes action `number` out of every bucket that covers it, or out of none.
    pub(crate) fn take(&mut self, number: usize, plan: &Plan) -> Result<(), Full> {
        let covering = self.covering(plan.agent, plan.operation).into_iter();
        let keys: Vec<_> = covering.map(|(terms, subject)| (terms.kind.name(), subject)).collect();
        let now = plan.time_ns / 1_000;
        let mut longest: Option<(u64, Vec<&'static str>)> = None;
        for key in &keys {
            let fits_at = self.buckets.get_mut(key).unwrap().fits_at(now);
            if fits_at <= now {
                continue;
            }
            match &mut longest {
                Some((most, names)) if *most == fits_at => names.push(key.0),
                Some((most, _)) if *most > fits_at => {}
                _ => longest = Some((fits_at, vec![key.0])),
            }
        }
        if let Some((fits_at, limits)) = longest {
            return Err(Full { limits, retry_after_ms: (fits_at * 1_000 - plan.time_ns).div_ceil(1_000_000) });
        }
        for key in &keys {
            self.buckets.get_mut(key).unwrap().pending.insert(number, now);
        }
        Ok(())
    }

    /// Action `number` did not happen.
    pub(crate) fn give_back(&mut self, number: usize) {
        for bucket in self.buckets.values_mut() {
            bucket.pending.remove(&number);
        }
    }

    /// Action `number` is allowed. It counts from when it was asked.
    pub(crate) fn keep(&mut self, number: usize) {
        for bucket in self.buckets.values_mut() {
            if let Some(from) = bucket.pending.remove(&number) {
                bucket.full_at = bucket.full_at.max(from) + bucket.terms.interval();
            }
        }
    }

    /// How many more such actions fit; `None` where no limit covers them.
    pub(crate) fn room(&mut self, agent: &str, operation: &str, now_ns: u64) -> Option<u64> {
        let now = now_ns / 1_000;
        let covering = self.covering(agent, operation).into_iter();
        let room = |(terms, subject): (Terms, String)| {
            let bucket = self.buckets.get_mut(&(terms.kind.name(), subject)).unwrap();
            bucket.notice_set_back(now);
            let debt = bucket.full_at.saturating_sub(now) + bucket.pending.len() as u64 * terms.interval();
            terms.capacity().saturating_sub(debt) / terms.interval()
        };
        covering.map(room).min()
    }
}

impl Terms {
    /// The time in which one action is refilled.
    fn interval(self) -> u64 {
        (self.period_ns / 1_000).div_ceil(u64::from(self.actions))
    }

    fn capacity(self) -> u64 {
        u64::from(self.burst) * self.interval()
    }
}

impl Bucket {
    /// When one more action fits, if all that are pending are allowed.
    fn fits_at(&mut self, now: u64) -> u64 {
        self.notice_set_back(now);
        let with_it = self.full_at.max(now) + (self.pending.len() as u64 + 1) * self.terms.interval();
        with_it - self.terms.capacity()
    }

    fn notice_set_back(&mut self, now: u64) {
        if self.full_at > now + self.terms.capacity() + REORDER_US {
            self.full_at = now + self.terms.capacity();
        }
    }
}

/// Everybody who can ask, and for what.
pub(crate) fn subjects() -> impl Iterator<Item = (&'static str, &'static str)> {
    AGENTS.into_iter().flat_map(|agent| OPERATIONS.into_iter().map(move |operation| (agent, operation)))
}
