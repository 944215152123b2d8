//! What has to be in the log when the host is gone.

use std::path::Path;

use vak::{Action, Decided, Expected, Receipt, VerifierKey, open_source, verify_all};
use vak_audit::{Body, LogReader};

/// The log at `path` verifies and holds exactly the decisions `told`, denials
/// like any other, in their order.
pub(crate) fn check(path: &Path, key: &VerifierKey, told: &[(Action, Decided)]) {
    let report = verify_all(&*open_source(path).unwrap(), &Expected::of(key), |_, _| ()).unwrap();
    assert_eq!((report.decisions, report.outcomes), (told.len() as u64, 0));
    let reader = LogReader::open(path).unwrap();
    let mut entries: Vec<_> = reader.entries(0, u64::MAX).map(Result::unwrap).collect();
    let Body::Configuration(configuration) = entries.remove(0).body else { panic!("began without a configuration") };
    assert!(configuration.software.starts_with("vak "));
    // Each answer comes right before what was decided upon it.
    entries.retain(|entry| !matches!(entry.body, Body::Approval(..)));
    assert_eq!(entries.len(), told.len());
    for (number, (entry, (action, decided))) in (1..).zip(entries.into_iter().zip(told)) {
        let answers = told[..number].iter().filter(|(_, decided)| decided.verdict.approval.is_some()).count();
        let seq = (number + answers) as u64;
        assert!(decided.verdict.approval.is_none_or(|answer| answer + 1 == seq));
        assert_eq!((entry.seq, &entry.origin), (seq, key.name()));
        assert_eq!(decided.receipt.as_ref().map(Receipt::seq), Some(seq));
        let Body::Decision(about, decision) = entry.body else { panic!("entry {seq} is no decision") };
        let who = (&about.action, &about.agent, &about.session, entry.time);
        assert_eq!(who, (&action.id, &action.agent, &action.session, action.time));
        assert_eq!((&decision.operation, &decision.resource), (&action.operation, &action.resource));
        assert_eq!(decision.arguments.value().unwrap(), action.arguments.as_str());
        assert_eq!(decision.verdict, decided.verdict);
    }
}
