//! What was used of a limit is still used after a restart and after a crash.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;

use futures_executor::block_on;
use vak::{Action, ActionRequest, BuildError, Config, Decided, Host, KeptError, Outcome, PrivateKey, open_log};
use vak_audit::{Draft, Dropped, LogReader, Origin, Signer, Tier, What};
use vak_test_support::Site;

const PERMITS: &str = "[[rule]]\nid = 'all'\neffect = 'permit'\n";

const LIMITS: &str = "
[[limits]]
name = 'rate'
kind = 'rate'
per = 'agent'
operations = 'rate/*'
burst = 3
actions = 1
period_s = 86400
[[limits]]
name = 'quota'
kind = 'quota'
per = 'session'
operations = 'quota/*'
actions = 3
window_s = 86400
refund = true
[[limits]]
name = 'money'
kind = 'budget'
per = 'agent'
operations = 'money/*'
amount = 30
cost = 'cents'
refund = true
";

fn site() -> Site {
    Site::new().rules(PERMITS).section(LIMITS)
}

fn decide(host: &Host, operation: &str) -> (Action, Decided) {
    let request: ActionRequest = serde_json::from_value(serde_json::json!({
        "agent": "ada", "session": "s", "operation": operation, "resource": "r", "attributes": {"cents": 10},
    }))
    .unwrap();
    let action = host.stamp(request).unwrap();
    let decided = block_on(host.decide(&action));
    (action, decided)
}

/// Whether it is allowed and what came of it then.
fn act(host: &Host, operation: &str, outcome: Outcome) -> bool {
    let (action, decided) = decide(host, operation);
    let allowed = decided.verdict.is_allow();
    if allowed {
        block_on(host.record_outcome(&action, decided, outcome)).unwrap();
    }
    allowed
}

fn snapshot(site: &Site) -> PathBuf {
    site.path().join("state/limits")
}

/// Ends a host as a crash does: what is on disk is all there is.
fn crash(site: &Site, host: Host) {
    let kept = std::fs::read(snapshot(site)).ok();
    host.close().unwrap();
    match kept {
        Some(bytes) => std::fs::write(snapshot(site), bytes).unwrap(),
        None => std::fs::remove_file(snapshot(site)).unwrap(),
    }
}

fn ends(crashes: bool) {
    let site = site();
    for _ in 0..3 {
        let host = site.host();
        for operation in ["rate/a", "quota/a", "money/a"] {
            assert!(act(&host, operation, Outcome::succeeded(b"")), "{operation}");
        }
        // What fails comes back, where the limit says so.
        for operation in ["quota/a", "money/a"] {
            if act(&host, operation, Outcome::failed("no")) {
                continue;
            }
            assert!(!act(&host, operation, Outcome::failed("no")));
        }
        match crashes {
            true => crash(&site, host),
            false => host.close().unwrap(),
        }
    }
    let host = site.host();
    for operation in ["rate/a", "quota/a", "money/a"] {
        assert!(!decide(&host, operation).1.verdict.is_allow(), "{operation}");
    }
}

#[test]
fn a_restart_is_no_clean_slate() {
    ends(false);
}

#[test]
fn a_crash_is_no_clean_slate() {
    ends(true);
}

/// Erasing what was asked does not make it unasked.
#[test]
fn what_was_erased_was_used() {
    let site = site();
    let text = std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(site.config(), text.replace("'log.key' }", "'log.key', payloads = 'erasable' }")).unwrap();
    let host = site.host();
    for _ in 0..3 {
        assert!(act(&host, "rate/a", Outcome::succeeded(b"")));
    }
    crash(&site, host);
    let config = Config::load(&site.config(), &[]).unwrap();
    let entries: Vec<_> = LogReader::open(&config.log()).unwrap().entries(0, 100).map(Result::unwrap).collect();
    let origin: Origin = "example.org/test".parse().unwrap();
    let seed = PrivateKey::read(&site.path().join("log.key")).unwrap().seed();
    let log = open_log(&config, origin.clone(), Signer::new(origin, &seed)).unwrap();
    let mut erased = 0;
    for commitment in entries.iter().flat_map(|entry| entry.body.commitments()) {
        let what = What::Payload { commitment: commitment.digest };
        let draft = Draft::dropped(entries[0].time, Dropped { what, reason: "asked to".to_owned() }).unwrap();
        block_on(log.append(draft, Tier::Durable)).unwrap();
        erased += 1;
    }
    log.close().unwrap();
    assert!(erased >= 3);
    assert!(!decide(&site.host(), "rate/a").1.verdict.is_allow());
}

/// What was spent beyond what was reserved stays spent.
#[test]
fn a_debt_outlives_a_restart() {
    let site = site();
    let host = site.host();
    assert!(act(&host, "money/a", Outcome::succeeded(b"").spent("cents", 95)));
    host.close().unwrap();
    let host = site.host();
    assert!(!decide(&host, "money/a").1.verdict.is_allow());
}

/// A limit that takes another's place counts on.
#[test]
fn a_changed_limit_knows_what_was_used() {
    let site = site();
    let host = site.host();
    for _ in 0..3 {
        assert!(act(&host, "quota/a", Outcome::succeeded(b"")));
    }
    host.close().unwrap();
    let config = std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(site.config(), config.replace("actions = 3\n", "actions = 4\n")).unwrap();
    let host = site.host();
    assert!(act(&host, "quota/a", Outcome::succeeded(b"")) && !act(&host, "quota/a", Outcome::succeeded(b"")));
}

#[test]
fn a_damaged_snapshot_is_told_and_not_taken() {
    let site = site();
    let host = site.host();
    assert!(act(&host, "rate/a", Outcome::succeeded(b"")));
    host.close().unwrap();
    let good = std::fs::read(snapshot(&site)).unwrap();
    for at in [20, good.len() - 1] {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        std::fs::write(snapshot(&site), &bytes).unwrap();
        let error = site.try_host().err().unwrap();
        assert!(matches!(&error, BuildError::Kept(KeptError::Snapshot { .. })), "{error}");
        assert!(error.to_string().contains("without that file, what was used is read from the log"), "{error}");
    }
    std::fs::write(snapshot(&site), &good[..7]).unwrap();
    assert!(matches!(site.try_host().err().unwrap(), BuildError::Kept(KeptError::Snapshot { .. })));
    // It is as the message says.
    std::fs::remove_file(snapshot(&site)).unwrap();
    let host = site.host();
    assert!(act(&host, "rate/a", Outcome::succeeded(b"")) && act(&host, "rate/a", Outcome::succeeded(b"")));
    assert!(!decide(&host, "rate/a").1.verdict.is_allow());
}
