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
    /// Whether the person was asked this: by the same component of the same
    /// signer, under the same rule, in the same words. Another version may ask;
    /// whoever asks something else is not answered.
    pub fn answers(&self, escalation: &Reason) -> bool {
        self.answered.iter().any(|answered| same(answered, escalation))
    }
}

fn same(answered: &Reason, escalation: &Reason) -> bool {
    let (Source::Component(before), Source::Component(now)) = (&answered.source, &escalation.source) else {
        return false;
    };
    answered.effect == Effect::Escalate
        && escalation.effect == Effect::Escalate
        && (&before.name, before.signer) == (&now.name, now.signer)
        && (&answered.rule, &answered.message) == (&escalation.rule, &escalation.message)
}
