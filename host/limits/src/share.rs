//! One limit by itself, for whoever counts elsewhere than in
//! [`Limits`](crate::Limits).

use std::fmt;
use std::time::Duration;

use vak_types::{Action, Label};

use crate::refusal::{Why, cost_of};
use crate::subject::Subject;
use crate::{Exceeded, Limit, Limits, Per};

/// What an action needs of one limit for one subject.
///
/// Printed it is the beginning of a sentence: ``agent `ada` is limited to 10 in
/// 60s in `*` ``.
#[derive(Clone, Copy)]
pub struct Share<'a> {
    limit: &'a Limit,
    action: &'a Action,
    label: Option<&'a Label>,
    /// How much, in the limit's unit.
    pub cost: u64,
}

impl Limit {
    /// What `action` needs of this limit: nothing if it is not covered, and
    /// as much for each of its labels where they have counts of their own.
    ///
    /// # Errors
    /// It does not say what it costs, costs more than there ever is, or has
    /// more labels than are counted.
    pub fn shares<'a>(&'a self, action: &'a Action) -> Result<Vec<Share<'a>>, Exceeded> {
        let refused = |why: Why| why.explain(self, action, None, String::new);
        let Some(needs) = needs(self, action).map_err(refused)? else { return Ok(Vec::new()) };
        let share = |label| Share { limit: self, action, label, cost: needs.cost };
        if self.per != Per::Label {
            return Ok(vec![share(None)]);
        }
        // A label that is there twice counts once.
        let first = |(at, label): &(usize, &Label)| !action.labels[..*at].contains(label);
        Ok(action.labels.iter().enumerate().filter(first).map(|(_, label)| share(Some(label))).collect())
    }
}

impl Share<'_> {
    /// Who it counts for: two subjects, of whatever limits, differ in these
    /// three, which may contain any character.
    pub fn subject(&self) -> [&str; 3] {
        let Action { agent, operation, session, .. } = self.action;
        match self.limit.per {
            Per::Agent => ["agent", agent.as_str(), ""],
            Per::Operation => ["operation", operation.as_str(), ""],
            Per::AgentAndOperation => ["agent-and-operation", agent.as_str(), operation.as_str()],
            Per::Session => ["session", agent.as_str(), session.as_str()],
            Per::Label => ["label", self.label.map_or("", Label::as_str), ""],
            Per::Host => ["host", "", ""],
        }
    }

    /// The refusal where there is no room for it before `retry_after`.
    pub fn exceeded(&self, retry_after: Duration) -> Exceeded {
        let wait_ns = u64::try_from(retry_after.as_nanos()).unwrap_or(u64::MAX);
        Why::Full { wait_ns }.explain(self.limit, self.action, self.label, String::new)
    }
}

impl fmt::Display for Share<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, action, label, .. } = *self;
        let subject = Subject { per: limit.per, action, label };
        write!(f, "{subject} is limited to {} in `{}`", limit.kind, limit.operations)
    }
}

/// What an action that is covered needs.
pub(crate) struct Needs {
    /// How many times: once, or for each label.
    pub(crate) times: usize,
    /// How much each time.
    pub(crate) cost: u64,
}

/// `None` if `limit` does not cover the action.
pub(crate) fn needs(limit: &Limit, action: &Action) -> Result<Option<Needs>, Why> {
    let times = if limit.per == Per::Label { action.labels.len() } else { 1 };
    if times == 0 || !limit.operations.matches(&action.operation) {
        return Ok(None);
    }
    if times > Limits::LABELS_MAX {
        return Err(Why::Labels);
    }
    Ok(Some(Needs { times, cost: cost_of(&limit.kind, action)? }))
}
