//! What an allow obliges to: met, judged again, or denied.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;

use futures_executor::block_on;
use vak_pipeline::{
    Able, Approval, Decided, Exceeded, Finding, Guard, Ledger, LedgerError, Limiter, Pipeline, Reservation, Standing,
};
use vak_types::{
    Action, ActionRequest, ComponentRef, Decision, Digest, Effect, Failure, Json, KeyId, Obligation, Past, Timestamp,
    Verdict,
};

/// A guard that answers by a function of the arguments.
struct Voice {
    component: Arc<ComponentRef>,
    standing: Standing,
    answer: fn(&str) -> Finding,
}

impl Guard for Voice {
    fn component(&self) -> &Arc<ComponentRef> {
        &self.component
    }

    fn standing(&self) -> Standing {
        self.standing
    }

    fn evaluate(&self, action: &Action, _: Option<&Arc<Past>>) -> Result<Finding, Failure> {
        Ok((self.answer)(action.arguments.as_str()))
    }
}

struct Unlimited;

impl Limiter for Unlimited {
    type Reservation = Self;

    fn reserve(&self, _: &Action) -> Result<Self, Exceeded> {
        Ok(Self)
    }
}

impl Reservation for Unlimited {
    type Held = ();

    fn hold(self) {}
}

struct Takes;

impl Ledger for Takes {
    type Receipt = ();

    async fn record(&self, _: &Action, _: &Verdict) -> Result<(), LedgerError> {
        Ok(())
    }
}

fn finding(effect: Effect, obligations: &str) -> Finding {
    let obligations: Vec<Obligation> = serde_json::from_str(obligations).unwrap();
    Finding { effect, rule: None, reason: String::new(), obligations, approvals: Vec::new() }
}

fn permits(_: &str) -> Finding {
    finding(Effect::Permit, "[]")
}

/// Who may permit or not, and what it says of arguments.
type Said = (Standing, fn(&str) -> Finding);

fn decide(voices: &[Said], able: Able, arguments: &str) -> Decided<(), ()> {
    decide_upon(voices, able, arguments, None)
}

fn decide_upon(voices: &[Said], able: Able, arguments: &str, approval: Option<&Approval>) -> Decided<(), ()> {
    let component = ComponentRef {
        name: "voice".parse().unwrap(),
        digest: Digest::of(b""),
        config: None,
        signer: Some(KeyId::of(&[1; 32])),
    };
    let component = Arc::new(component);
    let voice =
        |(standing, answer): &(_, _)| Voice { component: component.clone(), standing: *standing, answer: *answer };
    let pipeline = Pipeline::new(Unlimited, voices.iter().map(voice).collect::<Vec<_>>(), Takes, false);
    let request = ActionRequest {
        agent: "a".parse().unwrap(),
        session: "s".parse().unwrap(),
        operation: "o".parse().unwrap(),
        resource: "r".parse().unwrap(),
        arguments: Json::parse(arguments).unwrap(),
        attributes: Default::default(),
        labels: Vec::new(),
    };
    let action = request.at("1".parse().unwrap(), Timestamp::default());
    match approval {
        Some(approval) => block_on(pipeline.decide_approved(&action, able, approval)),
        None => block_on(pipeline.decide(&action, able)),
    }
}

const PERMITS: Said = (Standing::MayPermit, permits);

#[track_caller]
fn denied(decided: &Decided<(), ()>, why: &str) {
    assert_eq!((decided.verdict.decision, &decided.arguments), (Decision::Deny, &None));
    let deciding = decided.verdict.deciding().unwrap().to_string();
    assert!(deciding.contains(why), "{deciding}");
}

fn caps(_: &str) -> Finding {
    finding(Effect::Abstain, r#"[{"cap": {"argument": "/n", "at_most": 10}}]"#)
}

#[test]
fn arguments_become_what_is_wanted_for_whoever_can() {
    let voices = [PERMITS, (Standing::RestrictOnly, caps)];
    let decided = decide(&voices, Able::ARGUMENTS, r#"{"n":50}"#);
    assert!(decided.verdict.is_allow());
    assert_eq!(decided.arguments.unwrap().as_str(), r#"{"n":10}"#);
    assert_eq!(decided.verdict.obligations.len(), 1);
    denied(&decide(&voices, Able::default(), r#"{"n":50}"#), "the argument `/n` at most 10");
    // Also where it happens to be met: what may change is not for luck.
    denied(&decide(&voices, Able::default(), r#"{"n":5}"#), "the argument `/n` at most 10");
    let decided = decide(&voices, Able::ARGUMENTS, r#"{"n":5}"#);
    assert!(decided.verdict.is_allow() && decided.arguments.is_none());
    denied(&decide(&voices, Able::ALL, r#"{"n":"50"}"#), "is to be capped and is not a number");
    // Nobody is more permitted for it.
    denied(&decide(&[(Standing::RestrictOnly, caps)], Able::ALL, r#"{"n":5}"#), "no policy permits");
}

#[test]
fn headers_are_for_those_who_send_them() {
    fn wants(_: &str) -> Finding {
        finding(Effect::Permit, r#"[{"header": {"name": "x-agent", "value": "ada"}}]"#)
    }
    let voices = [(Standing::MayPermit, wants as fn(&str) -> Finding)];
    let decided = decide(&voices, Able::ALL, "{}");
    assert!(decided.verdict.is_allow() && decided.arguments.is_none());
    assert_eq!(decided.verdict.obligations[0].to_string(), "the header `x-agent`");
    denied(&decide(&voices, Able::ARGUMENTS, "{}"), "the header `x-agent`");
}

#[test]
fn an_approval_is_a_persons() {
    fn asks(_: &str) -> Finding {
        Finding { approvals: vec!["ask the owner".to_owned()], ..permits("") }
    }
    let decided = decide(&[(Standing::MayPermit, asks)], Able::ALL, "{}");
    assert_eq!(decided.verdict.decision, Decision::Escalate);
    assert!(decided.verdict.deciding().unwrap().to_string().contains("ask the owner"));
    let decided = decide(&[PERMITS, (Standing::RestrictOnly, asks)], Able::ALL, "{}");
    assert_eq!(decided.verdict.decision, Decision::Escalate);
}

/// A yes to what was asked is none to what comes of it.
#[test]
fn what_obligations_make_of_it_is_asked_again() {
    fn asks(arguments: &str) -> Finding {
        Finding { reason: format!("with {arguments}"), ..finding(Effect::Escalate, "[]") }
    }
    fn asks_the_same(_: &str) -> Finding {
        Finding { approvals: vec!["ask the owner".to_owned()], ..permits("") }
    }
    let capped = |voice: fn(&str) -> Finding| {
        let voices = [(Standing::MayPermit, voice), (Standing::RestrictOnly, caps as fn(&str) -> Finding)];
        let asked = decide(&voices, Able::ALL, r#"{"n":50}"#).verdict;
        assert_eq!(asked.decision, Decision::Escalate);
        let approval = Approval { seq: 3, answered: asked.escalations().cloned().collect() };
        let decided = decide_upon(&voices, Able::ALL, r#"{"n":50}"#, Some(&approval));
        assert_eq!(decided.verdict.approval, Some(3));
        decided
    };
    fn asks_by_a_rule(arguments: &str) -> Finding {
        Finding { rule: Some("ask".to_owned()), ..asks(arguments) }
    }
    denied(&capped(asks), "with the arguments that its obligations make of it");
    for voice in [asks_by_a_rule, asks_the_same] {
        let decided = capped(voice);
        assert!(decided.verdict.is_allow());
        assert_eq!(decided.arguments.unwrap().as_str(), r#"{"n":10}"#);
    }
}

/// Under one rule there may be several, of which one was not asked for.
#[test]
fn each_agreement_is_answered_by_its_words() {
    fn asks(arguments: &str) -> Finding {
        let mut approvals = vec!["finance".to_owned()];
        approvals.extend(arguments.contains("10").then(|| "legal".to_owned()));
        Finding { approvals, rule: Some("pay".to_owned()), ..permits("") }
    }
    let voices = [(Standing::MayPermit, asks as fn(&str) -> Finding)];
    let approval = |arguments| {
        let asked = decide(&voices, Able::ALL, arguments).verdict;
        Approval { seq: 3, answered: asked.escalations().cloned().collect() }
    };
    let decided = decide_upon(&voices, Able::ALL, r#"{"n":10}"#, Some(&approval(r#"{"n":1}"#)));
    assert_eq!(decided.verdict.decision, Decision::Escalate);
    assert_eq!(decided.verdict.deciding().unwrap().message, "legal");
    assert!(decide_upon(&voices, Able::ALL, r#"{"n":10}"#, Some(&approval(r#"{"n":10}"#))).verdict.is_allow());
}

/// Who may only restrict puts another path in place of a harmless one.
#[test]
fn what_is_put_in_place_is_judged_like_what_was_asked() {
    fn redirects(_: &str) -> Finding {
        finding(Effect::Abstain, r#"[{"redact": {"argument": "/path", "replacement": "/etc/passwd"}}]"#)
    }
    fn guards(arguments: &str) -> Finding {
        let effect = if arguments.contains("/etc") { Effect::Forbid } else { Effect::Permit };
        Finding { rule: Some("no-etc".to_owned()), ..finding(effect, "[]") }
    }
    fn permits_tmp(arguments: &str) -> Finding {
        finding(if arguments.contains("/tmp") { Effect::Permit } else { Effect::Abstain }, "[]")
    }
    let redirect = (Standing::RestrictOnly, redirects as fn(&str) -> Finding);
    let decided = decide(&[(Standing::MayPermit, guards), redirect], Able::ALL, r#"{"path":"/tmp/a"}"#);
    denied(&decided, "with the arguments that its obligations make of it");
    assert!(
        decided
            .verdict
            .reasons
            .iter()
            .any(|reason| reason.rule.as_deref() == Some("no-etc") && reason.effect == Effect::Forbid)
    );
    let decided = decide(&[(Standing::MayPermit, permits_tmp), redirect], Able::ALL, r#"{"path":"/tmp/a"}"#);
    denied(&decided, "with the arguments that its obligations make of it");
    assert!(decide(&[PERMITS, redirect], Able::ALL, r#"{"path":"/tmp/a"}"#).verdict.is_allow());
}

#[test]
fn what_never_settles_is_denied() {
    fn restless(arguments: &str) -> Finding {
        let other = if arguments.contains("ping") { "pong" } else { "ping" };
        finding(Effect::Permit, &format!(r#"[{{"redact": {{"argument": "/x", "replacement": "{other}"}}}}]"#))
    }
    fn other(_: &str) -> Finding {
        finding(Effect::Abstain, r#"[{"redact": {"argument": "/x", "replacement": "other"}}]"#)
    }
    fn later(arguments: &str) -> Finding {
        match arguments.contains("10") {
            true => finding(Effect::Permit, r#"[{"header": {"name": "x", "value": ""}}]"#),
            false => permits(""),
        }
    }
    let restless = (Standing::MayPermit, restless as fn(&str) -> Finding);
    denied(&decide(&[restless], Able::ALL, r#"{"x":"ping"}"#), "obliges to something else again");
    let other = (Standing::RestrictOnly, other as fn(&str) -> Finding);
    denied(&decide(&[restless, other], Able::ALL, r#"{"x":"ping"}"#), "is to be replaced by two texts");
    // What is only wanted of the new arguments has to be met as well.
    let voices = [(Standing::MayPermit, later as fn(&str) -> Finding), (Standing::RestrictOnly, caps)];
    denied(&decide(&voices, Able::ARGUMENTS, r#"{"n":50}"#), "obliges to something else again");
    let decided = decide(&voices, Able::ALL, r#"{"n":50}"#);
    assert!(decided.verdict.is_allow());
    assert_eq!(decided.verdict.obligations.len(), 2);
}
