//! What the verdict has to be: the rules of the decision path in their plainest
//! form, written from its documentation and not from its code.

use vak_types::{Decision, Effect, FailureKind};

use crate::budget::Full;
use crate::script::{Answer, LedgerEnd, Plan, Post, Site};

/// The verdict on one action, before the ledger has its say.
#[derive(Debug)]
pub(crate) struct Prediction {
    pub(crate) decision: Decision,
    pub(crate) voices: Vec<Voice>,
    pub(crate) retry_after_ms: Option<u64>,
    pub(crate) unsigned: bool,
}

/// One expected reason.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    /// Any of these limits.
    Limit(Vec<&'static str>),
    Guard(usize, Effect, Option<FailureKind>),
    /// The host denies.
    Host,
}

impl Prediction {
    /// `room` is what the limits say, `order` how the guards are asked, and
    /// `answered` what they said when a person was asked who agreed.
    pub(crate) fn of(
        site: &Site,
        plan: &Plan,
        room: Result<(), Full>,
        order: &[usize],
        answered: Option<&[Answer]>,
    ) -> Self {
        let unsigned = site.unsigned || site.guards.iter().any(|post| !post.signed);
        if let Err(Full { limits, retry_after_ms }) = room {
            let voices = vec![Voice::Limit(limits)];
            return Self { decision: Decision::Deny, voices, retry_after_ms: Some(retry_after_ms), unsigned };
        }
        // A question that was answered is a yes of whoever may say yes.
        let says = |index: usize| {
            let answer = plan.answers[index];
            let again = answered.is_some_and(|answered| answered[index] == answer);
            match (again && answer.said == Ok(Effect::Escalate), site.guards[index].may_permit) {
                (false, _) => answer.said,
                (true, true) => Ok(Effect::Permit),
                (true, false) => Ok(Effect::Abstain),
            }
        };
        let said = || site.guards.iter().enumerate().map(|(index, post)| (post, says(index)));
        let anybody = |effect: Effect| said().any(|(_, said)| said == Ok(effect));
        // "Yes, if a person agrees" and "yes, but not like this" are permits
        // with a condition.
        let for_it = |(post, said): (&Post, Result<Effect, FailureKind>)| {
            post.may_permit && matches!(said, Ok(Effect::Permit | Effect::Escalate | Effect::Backtrack))
        };
        let against = anybody(Effect::Forbid) || said().any(|(_, said)| said.is_err());
        let nobody_permits = !against && !said().any(for_it);
        let decision = if against || nobody_permits {
            Decision::Deny
        } else if anybody(Effect::Escalate) {
            Decision::Escalate
        } else if anybody(Effect::Backtrack) {
            Decision::Backtrack
        } else {
            Decision::Allow
        };
        let voice = |index: &usize| match (site.guards[*index].may_permit, says(*index)) {
            (_, Err(kind)) => Voice::Guard(*index, Effect::Forbid, Some(kind)),
            (false, Ok(Effect::Permit)) => Voice::Guard(*index, Effect::Abstain, None),
            (_, Ok(effect)) => Voice::Guard(*index, effect, None),
        };
        let mut voices: Vec<_> = order.iter().map(voice).collect();
        voices.extend(nobody_permits.then_some(Voice::Host));
        Self { decision, voices, retry_after_ms: None, unsigned }
    }

    /// Whether a verdict that the ledger treats so is an allow when it leaves.
    pub(crate) fn releases_allow(&self, end: LedgerEnd) -> bool {
        self.decision == Decision::Allow && end == LedgerEnd::Acknowledges
    }
}
