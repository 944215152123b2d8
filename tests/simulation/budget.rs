//! The limits as their documentation defines them, the slow way: every bucket
//! keeps its whole history and replays it each time it is asked. Giving back is
//! forgetting.

use std::collections::BTreeMap;

use crate::script::{AGENTS, LimitKind, OPERATIONS, Plan, SECOND, Terms};

/// A time that is earlier than the latest by more than this means that the
/// clock was set back.
const REORDER_NS: u64 = 10 * SECOND;

#[derive(Debug)]
pub(crate) struct Budget {
    latest_ns: u64,
    buckets: BTreeMap<(&'static str, String), Bucket>,
    limits: Vec<Terms>,
}

#[derive(Debug)]
struct Bucket {
    terms: Terms,
    touched_ns: u64,
    history: Vec<(u64, Event)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Taken(usize),
    /// The clock was set back, from then, and what was left counts as spent.
    SetBack {
        from_ns: u64,
        left: u128,
    },
}

/// Why there is no room.
#[derive(Debug)]
pub(crate) struct Full {
    /// The limits with the longest wait; any of them may be named.
    pub(crate) limits: Vec<&'static str>,
    pub(crate) retry_after_ms: u64,
}

impl Budget {
    /// Every bucket of `limits`, full and touched at `time_ns`.
    pub(crate) fn new(limits: &[Terms], time_ns: u64) -> Self {
        let mut budget = Self { latest_ns: 0, buckets: BTreeMap::new(), limits: limits.to_vec() };
        for (agent, operation) in subjects() {
            for (terms, subject) in budget.covering(agent, operation) {
                let bucket = Bucket { terms, touched_ns: time_ns, history: Vec::new() };
                budget.buckets.insert((terms.kind.name(), subject), bucket);
                budget.latest_ns = time_ns;
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

    fn keys(&self, plan: &Plan) -> Vec<(&'static str, String)> {
        let covering = self.covering(plan.agent, plan.operation);
        covering.into_iter().map(|(terms, subject)| (terms.kind.name(), subject)).collect()
    }

    pub(crate) fn latest_ns(&self) -> u64 {
        self.latest_ns
    }

    /// Takes action `number` out of every bucket that covers it, or out of none.
    pub(crate) fn take(&mut self, number: usize, plan: &Plan) -> Result<(), Full> {
        let keys = self.keys(plan);
        if keys.is_empty() {
            return Ok(());
        }
        self.observe(plan.time_ns);
        let now_ns = self.latest_ns;
        let mut longest: Option<(u64, Vec<&'static str>)> = None;
        for key in &keys {
            let bucket = self.buckets.get_mut(key).unwrap();
            bucket.touched_ns = now_ns;
            let Some(wait_ns) = bucket.wait_ns(now_ns) else { continue };
            match &mut longest {
                Some((most_ns, names)) if *most_ns == wait_ns => names.push(key.0),
                Some((most_ns, _)) if *most_ns > wait_ns => {}
                _ => longest = Some((wait_ns, vec![key.0])),
            }
        }
        if let Some((wait_ns, limits)) = longest {
            let late_ns = now_ns - plan.time_ns;
            return Err(Full { limits, retry_after_ms: (wait_ns + late_ns).div_ceil(1_000_000) });
        }
        for key in &keys {
            self.buckets.get_mut(key).unwrap().history.push((now_ns, Event::Taken(number)));
        }
        Ok(())
    }

    /// Action `number` did not happen.
    pub(crate) fn give_back(&mut self, number: usize) {
        for bucket in self.buckets.values_mut() {
            bucket.history.retain(|(_, event)| *event != Event::Taken(number));
        }
    }

    /// How many more such actions fit now; `None` where no limit covers them.
    pub(crate) fn room(&mut self, agent: &str, operation: &str) -> Option<u128> {
        let now_ns = self.latest_ns;
        let covering = self.covering(agent, operation).into_iter();
        let room = |(terms, subject): (Terms, String)| {
            let bucket = self.buckets.get_mut(&(terms.kind.name(), subject)).unwrap();
            bucket.touched_ns = now_ns;
            (terms.capacity() - bucket.debt(now_ns)) / terms.cost()
        };
        covering.map(room).min()
    }

    fn observe(&mut self, time_ns: u64) {
        if time_ns + REORDER_NS < self.latest_ns {
            for bucket in self.buckets.values_mut().filter(|bucket| bucket.touched_ns > time_ns) {
                let left = bucket.terms.capacity() - bucket.debt(bucket.touched_ns);
                bucket.history.push((time_ns, Event::SetBack { from_ns: bucket.touched_ns, left }));
                bucket.touched_ns = time_ns;
            }
            self.latest_ns = time_ns;
        }
        self.latest_ns = self.latest_ns.max(time_ns);
    }
}

/// A debt counts in units of which one action costs as many as its period has
/// nanoseconds, so that the refill of a nanosecond is a whole number too.
impl Terms {
    fn cost(self) -> u128 {
        u128::from(self.period_ns)
    }

    fn capacity(self) -> u128 {
        u128::from(self.burst) * self.cost()
    }
}

impl Bucket {
    fn debt(&self, now_ns: u64) -> u128 {
        let after = |debt: u128, from_ns: u64, to_ns: u64| {
            debt.saturating_sub(u128::from(to_ns - from_ns) * u128::from(self.terms.actions))
        };
        let (mut debt, mut at_ns) = (0, 0);
        for (time_ns, event) in &self.history {
            debt = match event {
                Event::Taken(_) => after(debt, at_ns, *time_ns) + self.terms.cost(),
                Event::SetBack { from_ns, left } => after(debt, at_ns, *from_ns) + left,
            };
            at_ns = *time_ns;
        }
        after(debt, at_ns, now_ns)
    }

    fn wait_ns(&self, now_ns: u64) -> Option<u64> {
        let excess = (self.debt(now_ns) + self.terms.cost()).checked_sub(self.terms.capacity())?;
        (excess > 0).then(|| u64::try_from(excess.div_ceil(u128::from(self.terms.actions))).unwrap())
    }
}

/// Everybody who can ask, and for what.
pub(crate) fn subjects() -> impl Iterator<Item = (&'static str, &'static str)> {
    AGENTS.into_iter().flat_map(|agent| OPERATIONS.into_iter().map(move |operation| (agent, operation)))
}
