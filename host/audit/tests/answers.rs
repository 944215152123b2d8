//! Persons' answers, and what was decided upon them, as a verifier sees them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Kind, ON_DISK, Place, Storage as _, action, draft, erasure, key};
use futures_executor::block_on;
use vak_audit::{
    Answer, AppendError, ApprovalFault, Draft, Expected, Given, Log, Payloads, Receipt, Report, Tier, VerifyError,
    verify_all,
};
use vak_types::{Action, Decision, Effect, Reason, Timestamp, Verdict};

const TIME: u64 = 1_700_000_000_000_000_000;

fn at(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(TIME + nanos)
}

fn verdict(decision: Decision, approval: Option<u64>) -> Verdict {
    Verdict {
        decision,
        reasons: vec![Reason::host(Effect::Escalate, "a person has to look")],
        obligations: Vec::new(),
        retry_after_ms: None,
        past: None,
        approval,
        unsigned: false,
    }
}

/// Appends it, and gives its place and hash.
fn append(log: &Log, draft: Draft) -> (u64, vak_types::Digest) {
    match block_on(log.append(draft, Tier::Durable)).unwrap() {
        Receipt::Durable { seq, leaf, .. } => (seq, leaf),
        other => panic!("{other:?}"),
    }
}

fn asks(log: &Log, action: &Action, payloads: Payloads) -> (u64, vak_types::Digest) {
    append(log, Draft::decision(action, &verdict(Decision::Escalate, None), payloads).unwrap())
}

fn answers(log: &Log, action: &Action, asked: (u64, vak_types::Digest), answer: Answer) -> u64 {
    let given = Given { decision: asked.0, leaf: &asked.1, answer, by: &"grace".parse().unwrap() };
    append(log, Draft::approval(action, at(1), &given, "fine", Payloads::Erasable).unwrap()).0
}

fn again(log: &Log, action: &Action, decision: Decision, answer: u64, payloads: Payloads) -> u64 {
    let action = Action { time: at(2), ..action.clone() };
    append(log, Draft::decision(&action, &verdict(decision, Some(answer)), payloads).unwrap()).0
}

const YES: Answer = Answer::Approved { until: Timestamp::from_nanos(TIME + 10) };

fn verified(place: &Place, from: u64) -> Result<Report, VerifyError> {
    let key = key();
    verify_all(&*place.source(), &Expected { range: Some(from..u64::MAX), ..Expected::of(&key) }, |_, _| ())
}

/// Wherever parts stand, and when they are gone.
#[test]
fn an_action_is_the_same_wherever_its_parts_stand() {
    use Payloads::{Erasable, Inline};
    for kind in ON_DISK {
        let place = Place::new(kind);
        let log = place.open();
        let mut erasures = Vec::new();
        for (number, payloads) in
            [(Inline, Inline), (Inline, Erasable), (Erasable, Inline), (Erasable, Erasable)].into_iter().enumerate()
        {
            let action = action(&format!("a-{number}"));
            let asked = asks(&log, &action, payloads.0);
            let answer = answers(&log, &action, asked, YES);
            // Nothing is done upon a deny, so it still counts after it.
            again(&log, &action, Decision::Deny, answer, payloads.1);
            let allowed = again(&log, &action, Decision::Allow, answer, payloads.1);
            erasures.extend([asked.0, answer, allowed]);
        }
        log.close().unwrap();
        assert_eq!(verified(&place, 0).unwrap().approvals, 4);
        let log = place.open();
        let entries = block_on(async {
            let mut follower = log.subscribe(0);
            let mut entries = Vec::new();
            for _ in 0..16 {
                entries.push(follower.next().await.unwrap().unwrap().entry);
            }
            entries
        });
        for seq in erasures {
            for commitment in entries[usize::try_from(seq).unwrap()].body.commitments() {
                append(&log, erasure(commitment.digest));
            }
        }
        log.close().unwrap();
        let report = verified(&place, 0).unwrap();
        assert_eq!((report.approvals, report.erased), (4, 4 + 4));
    }
}

/// Of what is in the part that is read nothing is left out.
#[test]
fn a_part_of_a_log_is_verified_without_what_is_before_it() {
    let place = Place::new(Kind::File);
    let log = place.open();
    for number in 0..253 {
        append(&log, draft(&format!("a-{number}"), "no"));
    }
    let [before, across, within] = ["before", "across", "within"].map(action);
    let (before_asked, across_asked) = (asks(&log, &before, Payloads::Inline), asks(&log, &across, Payloads::Inline));
    let before_answer = answers(&log, &before, before_asked, YES);
    assert_eq!(before_answer, 255);
    let across_answer = answers(&log, &across, across_asked, YES);
    again(&log, &before, Decision::Allow, before_answer, Payloads::Inline);
    again(&log, &across, Decision::Allow, across_answer, Payloads::Inline);
    let within_asked = asks(&log, &within, Payloads::Inline);
    let within_answer = answers(&log, &within, within_asked, YES);
    let bad = again(&log, &across, Decision::Allow, within_answer, Payloads::Inline);
    log.close().unwrap();
    let other = VerifyError::Approval { seq: bad, fault: ApprovalFault::OtherAction };
    assert_eq!(verified(&place, 0), Err(other.clone()));
    assert_eq!(verified(&place, 256), Err(other));
}

#[test]
fn what_was_used_within_a_part_is_not_used_again() {
    let place = Place::new(Kind::File);
    let log = place.open();
    for number in 0..255 {
        append(&log, draft(&format!("a-{number}"), "no"));
    }
    let across = action("across");
    let asked = asks(&log, &across, Payloads::Inline);
    let answer = answers(&log, &across, asked, YES);
    again(&log, &across, Decision::Escalate, answer, Payloads::Inline);
    let twice = again(&log, &across, Decision::Deny, answer, Payloads::Inline);
    log.close().unwrap();
    for from in [0, 256] {
        let used = VerifyError::Approval { seq: twice, fault: ApprovalFault::Used };
        assert_eq!(verified(&place, from), Err(used), "{from}");
    }
}

/// Whoever writes the log does not get there.
#[test]
fn nothing_counts_on_what_is_not_there() {
    let place = Place::new(Kind::Memory);
    let log = place.open();
    let action = action("a");
    let missing = |draft| match block_on(log.append(draft, Tier::Durable)) {
        Err(AppendError::NoSuchDecision { decision, .. }) => decision,
        other => panic!("{other:?}"),
    };
    let allow = verdict(Decision::Allow, Some(7));
    assert_eq!(missing(Draft::decision(&action, &allow, Payloads::Inline).unwrap()), 7);
    let leaf = vak_types::Digest::of(b"");
    let given = Given { decision: 8, leaf: &leaf, answer: YES, by: &"grace".parse().unwrap() };
    assert_eq!(missing(Draft::approval(&action, at(0), &given, "", Payloads::Inline).unwrap()), 8);
    log.close().unwrap();
}
