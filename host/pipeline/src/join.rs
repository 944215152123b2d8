//! How many voices become one verdict.

use vak_types::{Decision, Effect, Failure, Obligation, Reason, Source, Verdict, printable};

use crate::approval::Approval;
use crate::ports::{Exceeded, Finding, Guard, Standing};

/// Longest rule name and reason that is kept of a guard's finding, in bytes:
/// enough for a sentence, and 64 policies still fit in one ledger entry.
const TEXT_BYTES_MAX: usize = 1_024;

/// Joins the voices of one decision. The order in which guards are heard
/// changes the order of the reasons and nothing else.
#[derive(Debug)]
pub struct Join<'a> {
    approval: Option<&'a Approval>,
    reasons: Vec<Reason>,
    strictest: Option<Decision>,
    permitted: bool,
    unsigned: bool,
    retry_after_ms: Option<u64>,
    obligations: Vec<Obligation>,
}

impl<'a> Join<'a> {
    /// A decision nobody has spoken in. `unsigned` marks the verdict from the
    /// start, for a host that runs an unsigned component.
    pub fn new(unsigned: bool) -> Self {
        Self {
            approval: None,
            reasons: Vec::new(),
            strictest: None,
            permitted: false,
            unsigned,
            retry_after_ms: None,
            obligations: Vec::new(),
        }
    }

    /// The same, with a person's yes to what was escalated.
    #[must_use]
    pub fn with_approval(self, approval: Option<&'a Approval>) -> Self {
        Self { approval, ..self }
    }

    /// Hears a limit without room. It denies.
    pub fn exceed(&mut self, exceeded: Exceeded) {
        self.retry_after_ms = exceeded.retry_after_ms;
        self.push(Reason {
            source: Source::Limit(exceeded.limit),
            effect: Effect::Forbid,
            rule: None,
            failure: None,
            message: exceeded.message,
        });
    }

    /// Hears a guard. A failure to answer denies.
    pub fn hear(&mut self, guard: &(impl Guard + ?Sized), answer: Result<Finding, Failure>) {
        self.unsigned |= guard.component().signer.is_none();
        let source = Source::Component(guard.component().clone());
        let finding = match answer {
            Ok(finding) => finding,
            Err(Failure { kind, message }) => {
                let failure = Some(kind);
                self.push(Reason { source, effect: Effect::Forbid, rule: None, failure, message: line(&message) });
                return;
            }
        };
        let Finding { mut effect, rule, mut reason, obligations, approvals } = finding;
        if guard.standing() == Standing::MayPermit {
            // Whoever may permit can also say "yes, if a person agrees" or
            // "yes, but not like this": those stand on a permit of its own.
            self.permitted |= !matches!(effect, Effect::Abstain | Effect::Forbid);
        } else if effect == Effect::Permit {
            effect = Effect::Abstain;
            reason = format!("permits, but is not granted `may_permit`: {reason}");
        }
        let rule = rule.as_deref().map(line);
        for approval in approvals {
            let (source, rule, message) = (source.clone(), rule.clone(), line(&approval));
            let wants = Reason { source, effect: Effect::Escalate, rule, failure: None, message };
            let agreed = self.approval.is_some_and(|approval| approval.agrees(&wants));
            self.push(if agreed { answered(wants, Effect::Abstain) } else { wants });
        }
        // They only tighten, so they count whoever wants them.
        self.oblige_also(&obligations);
        // A yes with a condition that is met is a yes, where yes counts.
        let met = if guard.standing() == Standing::MayPermit { Effect::Permit } else { Effect::Abstain };
        let said = Reason { source, effect, rule, failure: None, message: line(&reason) };
        let agreed = self.approval.is_some_and(|approval| approval.answers(&said));
        self.push(if agreed { answered(said, met) } else { said });
    }

    /// Hears the host itself.
    pub(crate) fn object(&mut self, message: &str) {
        self.push(Reason::host(Effect::Forbid, line(message)));
    }

    /// What has to be done if the action is allowed.
    pub(crate) fn obligations(&self) -> &[Obligation] {
        &self.obligations
    }

    /// More that has to be done.
    pub(crate) fn oblige_also(&mut self, obligations: &[Obligation]) {
        for obligation in obligations {
            if !self.obligations.contains(obligation) {
                self.obligations.push(obligation.clone());
            }
        }
    }

    /// Whether it would be allowed as it stands.
    pub(crate) fn allows(&self) -> bool {
        self.permitted && self.strictest == Some(Decision::Allow)
    }

    /// Hears what was said of the same action with other arguments. Its permits
    /// are no permits here.
    pub(crate) fn hear_again(&mut self, again: Join<'_>) {
        self.unsigned |= again.unsigned;
        if !again.allows() {
            self.object("with the arguments that its obligations make of it, the action is not allowed");
        }
        for reason in again.reasons.into_iter().filter(|reason| reason.effect > Effect::Permit) {
            self.push(reason);
        }
    }

    /// The verdict: the strictest voice, or a deny when nobody permitted.
    pub fn finish(mut self) -> Verdict {
        let denied = self.strictest == Some(Decision::Deny);
        if !self.permitted && !denied {
            self.push(Reason::host(Effect::Forbid, "no policy permits this action"));
        }
        Verdict {
            decision: self.strictest.unwrap_or(Decision::Deny),
            reasons: self.reasons,
            obligations: self.obligations,
            retry_after_ms: self.retry_after_ms,
            past: None,
            approval: self.approval.map(|approval| approval.seq),
            unsigned: self.unsigned,
        }
    }

    fn push(&mut self, reason: Reason) {
        if let Some(decision) = reason.effect.decision() {
            self.strictest = Some(self.strictest.map_or(decision, |strictest| strictest.join(decision)));
        }
        self.reasons.push(reason);
    }
}

/// An escalation to which a person said yes.
fn answered(escalation: Reason, met: Effect) -> Reason {
    let message = line(&format!("asked a person, who agreed: {}", escalation.message));
    Reason { effect: met, message, ..escalation }
}

/// What a guard says, heard by itself: its voice as it would stand in a verdict,
/// and what it would have had done. Of several the strictest.
pub fn alone(guard: &impl Guard, answer: Result<Finding, Failure>) -> (Reason, Vec<Obligation>) {
    let mut join = Join::new(false);
    join.hear(guard, answer);
    let Join { reasons, obligations, .. } = join;
    let voice = reasons.into_iter().rev().max_by_key(|reason| reason.effect);
    (voice.unwrap_or_else(|| Reason::host(Effect::Abstain, "")), obligations)
}

/// A text made fit for a reason.
pub(crate) fn line(text: &str) -> String {
    printable(text, TEXT_BYTES_MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use vak_types::{Action, ComponentRef, Digest, FailureKind, Past};

    use super::*;

    #[derive(Debug, Clone)]
    struct Voice {
        standing: Standing,
        answer: Result<Effect, FailureKind>,
        component: Arc<ComponentRef>,
    }

    impl Guard for Voice {
        fn component(&self) -> &Arc<ComponentRef> {
            &self.component
        }

        fn standing(&self) -> Standing {
            self.standing
        }

        fn evaluate(&self, _: &Action, _: Option<&Arc<Past>>) -> Result<Finding, Failure> {
            unreachable!("the join is fed by hand")
        }
    }

    impl Voice {
        fn answer(&self) -> Result<Finding, Failure> {
            match self.answer {
                Ok(effect) => {
                    Ok(Finding { effect, rule: None, reason: String::new(), obligations: vec![], approvals: vec![] })
                }
                Err(kind) => Err(Failure { kind, message: String::new() }),
            }
        }
    }

    fn decide(voices: &[Voice]) -> Verdict {
        decide_with(voices, None)
    }

    fn decide_with(voices: &[Voice], approval: Option<&Approval>) -> Verdict {
        let mut join = Join::new(false).with_approval(approval);
        for voice in voices {
            join.hear(voice, voice.answer());
        }
        join.finish()
    }

    /// A person's yes to all that `verdict` asks.
    fn yes(verdict: &Verdict) -> Approval {
        Approval { seq: 7, answered: verdict.escalations().cloned().collect() }
    }

    fn voice() -> impl Strategy<Value = Voice> {
        let effect = prop_oneof![
            Just(Effect::Abstain),
            Just(Effect::Permit),
            Just(Effect::Permit),
            Just(Effect::Backtrack),
            Just(Effect::Escalate),
            Just(Effect::Forbid),
        ];
        let answer = prop_oneof![9 => effect.prop_map(Ok), 1 => Just(Err(FailureKind::Trap))];
        (any::<bool>(), answer).prop_map(|(may_permit, answer)| Voice {
            standing: if may_permit { Standing::MayPermit } else { Standing::RestrictOnly },
            answer,
            component: Arc::new(ComponentRef {
                name: "voice".parse().unwrap(),
                digest: Digest::of(b""),
                config: None,
                signer: None,
            }),
        })
    }

    fn grants(voice: &Voice) -> bool {
        let yes = [Ok(Effect::Permit), Ok(Effect::Backtrack), Ok(Effect::Escalate)];
        voice.standing == Standing::MayPermit && yes.contains(&voice.answer)
    }

    proptest! {
        #[test]
        fn allow_means_permitted_and_unopposed(voices in prop::collection::vec(voice(), 0..6)) {
            let harmless = voices.iter().all(|voice| {
                matches!(voice.answer, Ok(Effect::Abstain | Effect::Permit))
            });
            let expected = harmless && voices.iter().any(grants);
            prop_assert_eq!(decide(&voices).is_allow(), expected);
        }

        #[test]
        fn order_does_not_matter(mut voices in prop::collection::vec(voice(), 0..6)) {
            let decision = decide(&voices).decision;
            voices.reverse();
            prop_assert_eq!(decide(&voices).decision, decision);
        }

        #[test]
        fn only_a_granted_permit_loosens(voices in prop::collection::vec(voice(), 0..6), more in voice()) {
            let before = decide(&voices).decision;
            let granted = grants(&more);
            let after = decide(&[voices, vec![more]].concat()).decision;
            prop_assert!(after >= before || granted);
        }

        /// With a person's yes nothing is in the way of an allow but what was no
        /// question, and a yes to nothing changes nothing.
        #[test]
        fn a_yes_takes_away_what_was_asked_and_nothing_else(voices in prop::collection::vec(voice(), 0..6)) {
            let asked = decide(&voices);
            let answered = decide_with(&voices, Some(&yes(&asked)));
            let others: Vec<_> =
                voices.iter().filter(|voice| voice.answer != Ok(Effect::Escalate)).cloned().collect();
            let permitted = voices.iter().any(grants);
            let expected = match decide(&others).decision {
                // The escalation was the permit, or is nobody's now.
                Decision::Deny if !others.iter().any(|voice| matches!(voice.answer, Ok(Effect::Forbid) | Err(_))) => {
                    match (permitted, others.iter().any(|voice| voice.answer == Ok(Effect::Backtrack))) {
                        (false, _) => Decision::Deny,
                        (true, true) => Decision::Backtrack,
                        (true, false) => Decision::Allow,
                    }
                }
                other => other,
            };
            // Without a permit there is nothing to say yes to.
            prop_assert_eq!(answered.decision, expected);
            prop_assert_eq!(answered.approval, Some(7));
            prop_assert!(answered.deciding().is_some());
            prop_assert!(!answered.is_allow() || asked.decision <= Decision::Escalate);
            let nothing = Approval { seq: 7, answered: Vec::new() };
            prop_assert_eq!(decide_with(&voices, Some(&nothing)).decision, asked.decision);
        }

        /// Whoever asks something else, or comes later, is as strict as ever.
        #[test]
        fn a_yes_is_to_what_was_asked(voices in prop::collection::vec(voice(), 0..6), more in voice()) {
            let approval = yes(&decide(&voices));
            let mut other = more.clone();
            other.component = Arc::new(ComponentRef { name: "other".parse().unwrap(), ..(*more.component).clone() });
            let before = decide_with(&voices, Some(&approval)).decision;
            let after = decide_with(&[voices, vec![other.clone()]].concat(), Some(&approval)).decision;
            prop_assert!(after >= before || grants(&other));
            prop_assert!(other.answer != Ok(Effect::Escalate) || after >= Decision::Escalate);
        }

        #[test]
        fn every_verdict_names_who_decided(voices in prop::collection::vec(voice(), 0..6)) {
            prop_assert!(decide(&voices).deciding().is_some());
        }
    }
}
