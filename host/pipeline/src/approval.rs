//! A person's yes to what was escalated.

use vak_types::{Effect, Reason, Source};

/// That a person agreed to an action, and to which objections. It permits
/// nothing: it takes away what voices had against the action, as long as they
/// have nothing else against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The place of the answer in the log.
    pub seq: u64,
    /// The escalations that were answered.
    pub answered: Vec<Reason>,
}

impl Approval {
    /// Whether the person was asked this by a voice: by the same component of the
    /// same signer and under the same rule. What it says beside that may vary
    /// with the time and with what its session did. Where it is of another version
    /// or configured otherwise, or names no rule, it has to say the same as well.
    pub(crate) fn answers(&self, escalation: &Reason) -> bool {
        self.asked(escalation).any(|answered| {
            let same_rule = answered.source == escalation.source && escalation.rule.is_some();
            same_rule || answered.message == escalation.message
        })
    }

    /// The same for an agreement that an action is obliged to: there may be several
    /// under one rule, so its words always count.
    pub(crate) fn agrees(&self, escalation: &Reason) -> bool {
        self.asked(escalation).any(|answered| answered.message == escalation.message)
    }

    /// What was asked by the same under the same rule.
    fn asked(&self, escalation: &Reason) -> impl Iterator<Item = &Reason> {
        let same = |answered: &&Reason| {
            let (Source::Component(before), Source::Component(now)) = (&answered.source, &escalation.source) else {
                return false;
            };
            (answered.effect, escalation.effect) == (Effect::Escalate, Effect::Escalate)
                && (&before.name, before.signer, &answered.rule) == (&now.name, now.signer, &escalation.rule)
        };
        self.answered.iter().filter(same)
    }
}
