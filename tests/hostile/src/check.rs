//! What must hold whenever a component misbehaves.

use std::time::{Duration, Instant};

use vak::{ActionRequest, Decided, Decision, Expected, Host, open_source, verify_all};
use vak_audit::{Body, Entry, LogReader, Report};
use vak_engine::CallLimits;
use vak_types::{FailureKind, Source};

/// What a stopped call may take over its wall-time limit on a machine that
/// does other things too: this tells a call that was stopped from one that was
/// not, and says nothing about speed.
const SLACK: Duration = Duration::from_secs(2);

/// Decides `operation` with nothing else that matters in the action.
pub fn decide(host: &Host, operation: &str) -> Decided {
    let request = ActionRequest {
        session: "s1".parse().unwrap(),
        agent: "ada".parse().unwrap(),
        operation: operation.parse().unwrap(),
        resource: "r".parse().unwrap(),
        arguments: Default::default(),
        attributes: [("role".to_owned(), vak_types::AttributeValue::Text("clerk".to_owned()))].into(),
        labels: vec!["untrusted-input".parse().unwrap()],
    };
    futures_executor::block_on(host.decide(&host.stamp(request).unwrap()))
}

/// Checks that `operation` is denied because the policy `hostile` fails in the
/// way `kind`, that exactly this verdict is in the log, that it came within
/// the limits, and that the host then decides something else as if nothing had
/// been.
pub fn denied(host: &Host, operation: &str, kind: FailureKind, limits: &CallLimits) {
    let start = Instant::now();
    let decided = decide(host, operation);
    let took = start.elapsed();
    let verdict = &decided.verdict;
    println!("{operation:30.30} {kind:12} {took:10.2?}  {}", verdict.reasons.last().unwrap());

    assert_eq!(verdict.decision, Decision::Deny, "{operation}");
    let hostile = verdict.reasons.iter().find(|reason| match &reason.source {
        Source::Component(component) => component.name.as_str() == "hostile",
        _ => false,
    });
    assert_eq!(hostile.unwrap().failure, Some(kind), "{operation}: {verdict:?}");
    assert!(verdict.reasons.iter().all(|reason| reason.message.len() <= 1_024), "{operation}");
    assert!(!verdict.reasons.iter().any(|reason| reason.message.contains(char::is_control)), "{operation}");
    assert!(took < Duration::from_millis(limits.wall_ms_max) * 10 + SLACK, "{operation} took {took:?}");

    let entry = entry(host, decided.receipt.as_ref().expect("recorded").seq());
    assert!(matches!(entry.body, Body::Decision(_, recorded) if recorded.verdict == *verdict), "{operation}");
    assert!(decide(host, "good/act").verdict.is_allow(), "after {operation}");
}

/// The entry `seq` of the host's log.
pub fn entry(host: &Host, seq: u64) -> Entry {
    let reader = LogReader::open(&host.log()).unwrap();
    reader.entries(seq, 1).next().expect("the entry is there").unwrap()
}

/// Verifies the log that the host wrote so far.
pub fn verified(host: &Host) -> Report {
    verify_all(&*open_source(&host.log()).unwrap(), &Expected::of(host.verifier_key()), |_, _| ()).unwrap()
}
