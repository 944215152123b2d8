//! A host whose mail a person has to approve.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_executor::block_on;
use vak::{Able, Action, ActionRequest, ApprovalError, Config, Decided, Decision, Host, Person};
use vak_audit::{Body, Entry, LogReader};
use vak_test_support::Site;
use vak_types::Timestamp;

pub(crate) const SECOND: u64 = 1_000_000_000;

/// What an action waits for an answer, in seconds.
pub(crate) const WAIT: u64 = 900;

pub(crate) const RULES: &str = "
[[rule]]
id = 'all'
effect = 'permit'
[[rule]]
id = 'ask'
effect = 'escalate'
operations = ['mail/*', 'skill/*']
reason = 'somebody has to look'
[[rule]]
id = 'no-shell'
effect = 'forbid'
operations = ['shell/*']
";

/// A clock that tests set.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1_700_000_000 * SECOND)))
    }

    pub(crate) fn forward(&self, seconds: u64) {
        self.0.fetch_add(seconds * SECOND, Ordering::Relaxed);
    }

    pub(crate) fn back(&self, seconds: u64) {
        self.0.fetch_sub(seconds * SECOND, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::Relaxed))
    }

    pub(crate) fn host(&self, site: &Site) -> Host {
        let clock = self.clone();
        let config = Config::load(&site.config(), &[]).unwrap();
        Host::builder(config).clock(move || clock.now()).build().unwrap()
    }
}

pub(crate) fn site() -> Site {
    site_of(RULES)
}

/// A site with these rules.
pub(crate) fn site_of(rules: &str) -> Site {
    Site::new().rules(rules)
}

pub(crate) fn person(name: &str) -> Person {
    name.parse().unwrap()
}

pub(crate) fn grace() -> Person {
    person("grace")
}

pub(crate) fn action(host: &Host, agent: &str, operation: &str, text: &str) -> Action {
    let request: ActionRequest = serde_json::from_value(serde_json::json!({
        "agent": agent, "session": "s", "operation": operation, "resource": "r", "arguments": {"text": text},
    }))
    .unwrap();
    host.stamp(request).unwrap()
}

/// An action that was escalated, and its name.
pub(crate) fn escalated(host: &Host) -> (Action, u64) {
    escalated_as(host, "ada", "hello")
}

pub(crate) fn escalated_as(host: &Host, agent: &str, text: &str) -> (Action, u64) {
    let action = action(host, agent, "mail/send", text);
    let decided = block_on(host.decide(&action));
    assert_eq!(decided.verdict.decision, Decision::Escalate, "{:?}", decided.verdict);
    assert!(decided.held.is_none());
    (action, decided.receipt.unwrap().seq())
}

pub(crate) fn approve(host: &Host, seq: u64) -> Result<u64, ApprovalError> {
    block_on(host.approve(seq, &grace(), "")).map(|receipt| receipt.seq())
}

pub(crate) fn again(host: &Host, seq: u64, action: &Action) -> Result<Decided, ApprovalError> {
    block_on(host.decide_approved(seq, action, Able::default()))
}

/// The verdict of an action that was approved.
pub(crate) fn decision(decided: Result<Decided, ApprovalError>) -> Decision {
    decided.unwrap().verdict.decision
}

pub(crate) fn entries(log: &Path) -> Vec<Entry> {
    LogReader::open(log).unwrap().entries(0, u64::MAX).map(Result::unwrap).collect()
}

/// Places of answers in the log.
pub(crate) fn answers(log: &Path) -> Vec<u64> {
    let answers = entries(log).into_iter().filter(|entry| matches!(entry.body, Body::Approval(..)));
    answers.map(|entry| entry.seq).collect()
}

/// Matches an error by its variant.
#[macro_export]
macro_rules! refused {
    ($result:expr, $error:pat) => {
        match $result {
            Err($error) => {}
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("it was not refused"),
        }
    };
}
