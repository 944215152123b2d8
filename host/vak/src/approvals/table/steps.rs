//! From the question to the answer, and from a yes to its use.

use std::sync::Arc;
use std::time::Duration;

use vak_pipeline::Approval;
use vak_types::{Action, Digest, Person, Reason, Timestamp};

use super::{Closed, Open, State, Table, Yes};
use crate::approvals::ApprovalError;

impl Table {
    /// Whose answer is asked for; nobody else can answer from here on. A yes will
    /// be `good` for so long.
    pub(in crate::approvals) fn begin_answer(
        &mut self,
        seq: u64,
        good: Duration,
        allowed: impl FnOnce(&Action) -> Result<(), ApprovalError>,
    ) -> Result<(Arc<Action>, Digest), ApprovalError> {
        let Some(open) = self.open.get_mut(&seq) else {
            return Err(match self.closed(seq) {
                ApprovalError::Rejected(_) | ApprovalError::Used(_) => ApprovalError::Answered(seq),
                error => error,
            });
        };
        if !matches!(open.state, State::Waiting) {
            return Err(ApprovalError::Answered(seq));
        }
        allowed(&open.asked.action)?;
        open.state = State::Answering(self.time.passed() + good);
        Ok((Arc::clone(&open.asked.action), open.asked.leaf))
    }

    /// There is no answer after all.
    pub(in crate::approvals) fn unanswer(&mut self, seq: u64) {
        if let Some(open) = self.open.get_mut(&seq) {
            open.state = State::Waiting;
            self.soonest = self.soonest.min(open.ends);
        }
    }

    /// The answer in entry `answer` is yes, and good until then.
    pub(in crate::approvals) fn approve(&mut self, seq: u64, answer: u64, by: Person, until: Timestamp) {
        if let Some(open) = self.open.get_mut(&seq) {
            open.ends = match open.state {
                State::Answering(ends) => ends,
                _ => self.time.passed_at(until),
            };
            open.state = State::Approved(Yes { seq: answer, by });
            self.soonest = self.soonest.min(open.ends);
        }
    }

    pub(in crate::approvals) fn reject(&mut self, seq: u64, by: Person, note: String) {
        self.close(seq, Closed::Rejected { by, note });
    }

    /// An answer of which nobody knows whether it counts.
    pub(in crate::approvals) fn give_up(&mut self, seq: u64) {
        self.close(seq, Closed::Answered);
    }

    /// The yes to `action`, which nobody else can use from here on.
    pub(in crate::approvals) fn begin_use(&mut self, seq: u64, action: &Action) -> Result<Approval, ApprovalError> {
        let Some(open) = self.open.get_mut(&seq) else { return Err(self.closed(seq)) };
        if !same(&open.asked.action, action) {
            return Err(ApprovalError::OtherAction(seq));
        }
        let yes = match &open.state {
            State::Waiting | State::Answering(_) => return Err(ApprovalError::Unanswered(seq)),
            State::Using(_) => return Err(ApprovalError::Used(seq)),
            State::Approved(yes) => yes.clone(),
        };
        let approval = Approval { seq: yes.seq, answered: open.asked.questions().cloned().collect() };
        open.state = State::Using(yes);
        Ok(approval)
    }

    /// An approved action that is the same as `action` but for its id and when it
    /// was asked.
    pub(in crate::approvals) fn approved_like(&self, action: &Action) -> Option<(u64, Action)> {
        let approved = |open: &&Open| matches!(open.state, State::Approved(_)) && alike(&open.asked.action, action);
        self.open.values().find(approved).map(|open| (open.asked.seq, (*open.asked.action).clone()))
    }

    /// Nothing was done upon it.
    pub(in crate::approvals) fn unuse(&mut self, seq: u64) {
        if let Some(open) = self.open.get_mut(&seq)
            && let State::Using(yes) = &open.state
        {
            open.state = State::Approved(yes.clone());
            self.soonest = self.soonest.min(open.ends);
        }
    }

    pub(in crate::approvals) fn used(&mut self, seq: u64) {
        self.close(seq, Closed::Used);
    }

    /// The yes in entry `answer` was used, according to the log. Gives what it
    /// answered.
    pub(in crate::approvals) fn used_before(&mut self, answer: u64) -> Vec<Reason> {
        let by = |open: &&Open| matches!(&open.state, State::Approved(yes) if yes.seq == answer);
        let Some(open) = self.open.values().find(by) else { return Vec::new() };
        let (seq, answered) = (open.asked.seq, open.asked.questions().cloned().collect());
        self.close(seq, Closed::Used);
        answered
    }
}

/// Whether `now` asks for what was asked `before`, byte for byte, but for when.
fn same(before: &Action, now: &Action) -> bool {
    before.id == now.id && alike(before, now)
}

/// The same, of two that have an id each.
fn alike(before: &Action, now: &Action) -> bool {
    let Action { id: _, session, agent, operation, resource, arguments, attributes, labels, time: _ } = before;
    (session, agent) == (&now.session, &now.agent)
        && (operation, resource) == (&now.operation, &now.resource)
        && (arguments, attributes, labels) == (&now.arguments, &now.attributes, &now.labels)
}
