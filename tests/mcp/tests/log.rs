//! What the log says when the gateway is gone.

use vak_audit::{
    Acceptance, Body, Decision, Dropped, Expected, LogReader, Outcome, Signer, Status, What, open_source, verify_all,
};
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

/// The calls that were refused before they were actions, as the log tells: how
/// many, and why.
pub(crate) fn refused(site: &Site) -> Vec<(u64, String)> {
    let log = LogReader::open(&site.path().join("state/audit.sqlite")).unwrap();
    let entries = log.entries(0, u64::MAX).map(|entry| entry.unwrap().body);
    let told = entries.filter_map(|body| match body {
        Body::Drop(Dropped { what: What::Calls { count }, reason }) => Some((count, reason)),
        _ => None,
    });
    told.collect()
}

/// What was accepted of upstreams' words, as the log tells: of what, the digest before
/// and the one from then on.
pub(crate) fn acceptances(site: &Site) -> Vec<(String, Option<String>, String)> {
    let log = LogReader::open(&site.path().join("state/audit.sqlite")).unwrap();
    let entries = log.entries(0, u64::MAX).map(|entry| entry.unwrap().body);
    let told = entries.filter_map(|body| match body {
        Body::Acceptance(Acceptance { upstream, what, name, before, accepted }) => {
            Some((format!("{what} {upstream}/{name}"), before.map(|before| before.to_string()), accepted.to_string()))
        }
        _ => None,
    });
    told.collect()
}

/// The decisions of a site's log, in their order. The log verifies.
pub(crate) fn recorded(site: &Site) -> Vec<Recorded> {
    let path = site.path().join("state/audit.sqlite");
    let key = vak::PrivateKey::read(&site.path().join("log.key")).unwrap();
    let signer = Signer::new("example.org/test".parse().unwrap(), &key.seed());
    let key = signer.verifier();
    verify_all(&*open_source(&path).unwrap(), &Expected::of(key), |_, _| ()).unwrap();
    let mut recorded = std::collections::BTreeMap::new();
    for entry in LogReader::open(&path).unwrap().entries(0, u64::MAX) {
        let entry = entry.unwrap();
        // A session of the gateway, or that of a token for `vak serve`.
        let ours = |about: &vak_audit::About| {
            about.agent.as_str() == "ada" && ["mcp-", "token/"].iter().any(|of| about.session.as_str().starts_with(of))
        };
        assert!(entry.body.about().is_none_or(ours), "{entry:?}");
        match entry.body {
            Body::Decision(_, decision) => {
                recorded.insert(entry.seq, Recorded { decision, outcome: None });
            }
            Body::Outcome(_, outcome) => {
                let of = recorded.get_mut(&outcome.decision).unwrap();
                assert!(of.decision.verdict.is_allow() && of.outcome.is_none(), "{of:?}");
                of.outcome = Some(outcome);
            }
            Body::Configuration(_) => assert_eq!(entry.seq, 0),
            Body::Approval(..) | Body::Acceptance(_) | Body::Drop(Dropped { what: What::Calls { .. }, .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    recorded.into_values().collect()
}
