//! What the log says when the gateway is gone.

use vak_audit::{Body, Decision, LogReader, Outcome, Signer, Status, verify};
use vak_test_support::Site;

/// One decision and how it ended, where it did.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) decision: Box<Decision>,
    pub(crate) outcome: Option<Outcome>,
}

impl Recorded {
    /// The operation, the decision and the status of the outcome.
    pub(crate) fn told(&self) -> (&str, String, Option<Status>) {
        let status = self.outcome.as_ref().map(|outcome| outcome.status);
        (self.decision.operation.as_str(), self.decision.verdict.decision.to_string(), status)
    }

    /// The outcome's sentence.
    pub(crate) fn detail(&self) -> &str {
        &self.outcome.as_ref().unwrap().detail
    }
}

/// The decisions of a site's log, in their order. The log verifies.
pub(crate) fn recorded(site: &Site) -> Vec<Recorded> {
    let path = site.path().join("state/audit.sqlite");
    let key = vak::PrivateKey::read(&site.path().join("log.key")).unwrap();
    let signer = Signer::new("example.org/test".parse().unwrap(), &key.seed());
    let key = signer.verifier();
    verify(&path, key.name(), key, None, |_, _| ()).unwrap();
    let mut recorded = std::collections::BTreeMap::new();
    for entry in LogReader::open(&path).unwrap().entries(0, u64::MAX) {
        let entry = entry.unwrap();
        assert!(entry.agent.as_str() == "ada" && entry.session.as_str().starts_with("mcp-"), "{entry:?}");
        match entry.body {
            Body::Decision(decision) => {
                recorded.insert(entry.seq, Recorded { decision, outcome: None });
            }
            Body::Outcome(outcome) => {
                let of = recorded.get_mut(&outcome.decision).unwrap();
                assert!(of.decision.verdict.is_allow() && of.outcome.is_none(), "{of:?}");
                of.outcome = Some(outcome);
            }
        }
    }
    recorded.into_values().collect()
}
