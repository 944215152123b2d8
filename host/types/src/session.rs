//! What a session did before.

use std::collections::VecDeque;
use std::time::Duration;

use crate::{Action, ActionId, Label, Operation, Pattern, Resource, Timestamp};

/// What every step takes beside its texts, in bytes, at most.
const STEP_BYTES: usize = 192;

/// One earlier action of a session, which policies were asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The action's id.
    pub action: ActionId,
    /// What was to be done.
    pub operation: Operation,
    /// What it was to be done to.
    pub resource: Resource,
    /// Where its arguments came from.
    pub labels: Vec<Label>,
    /// Whether it was allowed.
    pub allowed: bool,
    /// When it was asked.
    pub time: Timestamp,
}

/// What a session did before an action, as far as it is remembered: everything
/// from some time on, in the order in which it was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    since: Timestamp,
    steps: VecDeque<Step>,
    bytes: usize,
}

/// Which past a verdict was given upon. With the entries of a log that come
/// before, it says which steps policies could see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PastMark {
    /// How many steps were remembered.
    pub steps: u64,
    /// Since when all steps are.
    pub since: Timestamp,
}

/// Part of what was asked about is not remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the host no longer remembers all that the session did in that time")]
pub struct Forgotten;

/// How many steps were allowed, and how many were not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Those that were allowed.
    pub allowed: u32,
    /// Those that were not.
    pub refused: u32,
}

/// An earlier action as cases of tests tell it, first things first.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    operation: Operation,
    resource: Resource,
    #[serde(default)]
    labels: Vec<Label>,
    /// Whether it was allowed.
    allowed: bool,
    /// How long before the action it was asked.
    seconds_ago: u64,
}

impl Step {
    /// What becomes of `action` once it is judged.
    pub fn of(action: &Action, allowed: bool) -> Self {
        Self {
            action: action.id.clone(),
            operation: action.operation.clone(),
            resource: action.resource.clone(),
            labels: action.labels.clone(),
            allowed,
            time: action.time,
        }
    }

    fn bytes(&self) -> usize {
        let labels = self.labels.iter().map(|label| label.as_str().len() + size_of::<Label>());
        let texts = self.action.as_str().len() + self.operation.as_str().len() + self.resource.as_str().len();
        STEP_BYTES + texts + labels.sum::<usize>()
    }
}

impl Past {
    /// A session that did nothing since then, as far as anybody knows.
    pub fn new(since: Timestamp) -> Self {
        Self { since, steps: VecDeque::new(), bytes: 0 }
    }

    /// The past of a session that did just that before `now`.
    pub fn told(steps: &[Told], now: Timestamp) -> Self {
        let mut past = Self::new(Timestamp::default());
        for (at, told) in steps.iter().enumerate() {
            let Ok(action) = format!("earlier-{at}").parse() else { continue };
            past.push(Step {
                action,
                operation: told.operation.clone(),
                resource: told.resource.clone(),
                labels: told.labels.clone(),
                allowed: told.allowed,
                time: now.before(Duration::from_secs(told.seconds_ago)),
            });
        }
        past
    }

    /// Which past this is.
    pub fn mark(&self) -> PastMark {
        PastMark { steps: self.steps.len() as u64, since: self.since }
    }

    /// Memory that its steps take, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds what was done last.
    pub fn push(&mut self, step: Step) {
        self.bytes += step.bytes();
        self.steps.push_back(step);
    }

    /// Forgets the first step.
    pub fn forget_first(&mut self) {
        if let Some(step) = self.steps.pop_front() {
            self.bytes -= step.bytes();
            self.since = self.since.max(step.time.after(Duration::from_nanos(1)));
        }
    }

    /// Forgets all steps, and that there were none up to `time`.
    pub fn forget_until(&mut self, time: Timestamp) {
        while !self.steps.is_empty() {
            self.forget_first();
        }
        self.since = self.since.max(time.after(Duration::from_nanos(1)));
    }

    /// What came before the step of this action; none if that is not remembered.
    #[must_use]
    pub fn before(mut self, action: &ActionId) -> Option<Self> {
        let at = self.steps.iter().rposition(|step| step.action == *action)?;
        let after = self.steps.drain(at..);
        self.bytes -= after.map(|step| step.bytes()).sum::<usize>();
        Some(self)
    }

    /// Forgets what comes before the first step that was asked at `time` or
    /// later.
    pub fn forget_before(&mut self, time: Timestamp) {
        while self.steps.front().is_some_and(|step| step.time < time) {
            self.forget_first();
        }
    }

    /// The same as it was remembered by who made `mark`, who may have forgotten
    /// more. None if steps are missing here, or others are in their place.
    #[must_use]
    pub fn as_of(mut self, mark: PastMark) -> Option<Self> {
        while self.mark().steps > mark.steps {
            self.forget_first();
        }
        let same = self.mark().steps == mark.steps
            && self.since <= mark.since
            && self.steps.iter().all(|step| step.time >= mark.since);
        self.since = mark.since;
        same.then_some(self)
    }

    /// The steps of the time `within` up to `now`, newest first.
    ///
    /// # Errors
    /// Some of that time is not remembered.
    pub fn within(&self, now: Timestamp, within: Duration) -> Result<impl Iterator<Item = &Step>, Forgotten> {
        let from = now.before(within);
        match self.since <= from {
            true => Ok(self.steps.iter().rev().filter(move |step| step.time > from)),
            false => Err(Forgotten),
        }
    }

    /// How many steps of these `operations` there were.
    ///
    /// # Errors
    /// Some of that time is not remembered.
    pub fn tally(&self, now: Timestamp, within: Duration, operations: &Pattern<Operation>) -> Result<Tally, Forgotten> {
        let mut tally = Tally::default();
        for step in self.within(now, within)?.filter(|step| operations.matches(&step.operation)) {
            match step.allowed {
                true => tally.allowed += 1,
                false => tally.refused += 1,
            }
        }
        Ok(tally)
    }

    /// The labels that steps had, each with the first step that had it, in the
    /// order of those steps.
    ///
    /// # Errors
    /// Some of that time is not remembered.
    pub fn labels(&self, now: Timestamp, within: Duration) -> Result<Vec<(&Label, &Step)>, Forgotten> {
        let mut steps: Vec<_> = self.within(now, within)?.collect();
        steps.reverse();
        let mut origins: Vec<(&Label, &Step)> = Vec::new();
        for (step, label) in steps.into_iter().flat_map(|step| step.labels.iter().map(move |label| (step, label))) {
            if !origins.iter().any(|(known, _)| *known == label) {
                origins.push((label, step));
            }
        }
        Ok(origins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(id: u64, operation: &str, allowed: bool, label: &str, seconds: u64) -> Step {
        Step {
            action: id.to_string().parse().unwrap(),
            operation: operation.parse().unwrap(),
            resource: "r".parse().unwrap(),
            labels: vec![label.parse().unwrap()],
            allowed,
            time: at(seconds),
        }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000)
    }

    fn past() -> Past {
        let mut past = Past::new(at(100));
        past.push(step(1, "pay/send", true, "mail", 110));
        past.push(step(2, "pay/send", false, "web", 120));
        past.push(step(3, "files/read", true, "mail", 130));
        past
    }

    #[test]
    fn what_is_not_remembered_is_not_answered() {
        let past = past();
        let all = Pattern::every();
        let asked = |within| past.tally(at(140), Duration::from_secs(within), &all);
        assert_eq!(asked(40), Ok(Tally { allowed: 2, refused: 1 }));
        assert_eq!(asked(41), Err(Forgotten));
        assert_eq!(asked(30), Ok(Tally { allowed: 1, refused: 1 }), "the step at 110 is 30 s ago, and so outside");
        assert_eq!(past.tally(at(140), Duration::MAX, &all), Err(Forgotten));
        assert_eq!(
            Past::new(at(0)).tally(at(140), Duration::MAX, &all),
            Ok(Tally::default()),
            "a log that begins with it knows everything"
        );
    }

    #[test]
    fn counts_by_operation_and_tells_where_labels_come_from() {
        let past = past();
        let within = Duration::from_secs(40);
        let paid = past.tally(at(140), within, &"pay/*".parse().unwrap()).unwrap();
        assert_eq!(paid, Tally { allowed: 1, refused: 1 });
        let origins = past.labels(at(140), within).unwrap();
        let origins: Vec<_> = origins.iter().map(|(label, step)| (label.as_str(), step.action.as_str())).collect();
        assert_eq!(origins, [("mail", "1"), ("web", "2")]);
        let recent: Vec<_> = past.within(at(140), within).unwrap().map(|step| step.action.as_str()).collect();
        assert_eq!(recent, ["3", "2", "1"]);
    }

    #[test]
    fn is_found_again_only_whole() {
        let live = |forgets: usize| {
            let mut live = past();
            for _ in 0..forgets {
                live.forget_first();
            }
            live
        };
        for forgets in 0..=3 {
            let live = live(forgets);
            assert_eq!(past().as_of(live.mark()), Some(live), "{forgets} forgotten");
        }
        let missing = {
            let mut missing = Past::new(at(100));
            past().steps.into_iter().enumerate().filter(|(at, _)| *at != 1).for_each(|(_, step)| missing.push(step));
            missing
        };
        assert_eq!(missing.clone().as_of(past().mark()), None);
        assert_eq!(missing.as_of(live(1).mark()), None, "an older step is not taken for the missing one");
        assert_eq!(past().as_of(PastMark { steps: 3, since: at(90) }), None, "begins later");
    }

    #[test]
    fn forgetting_is_remembered() {
        let mut past = past();
        let bytes = past.bytes();
        past.forget_first();
        assert_eq!(past.mark().steps, 2);
        assert!(past.bytes() < bytes);
        let all = Pattern::every();
        assert_eq!(past.tally(at(140), Duration::from_secs(30), &all), Err(Forgotten));
        assert_eq!(past.tally(at(140), Duration::from_secs(29), &all), Ok(Tally { allowed: 1, refused: 1 }));
        past.forget_before(at(200));
        assert_eq!((past.mark().steps, past.bytes()), (0, 0));
    }
}
