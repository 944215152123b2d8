//! Another configuration takes over between two decisions.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};

use futures_executor::block_on;
use vak::{ActionRequest, Config, Decided, Host, Json, Name};
use vak_audit::{Body, LogReader};
use vak_pipeline::Guard as _;
use vak_test_support::Site;
use vak_types::{Digest, Source};

const PERMITS: &str = "[[rule]]\nid = 'all'\neffect = 'permit'\n";
const FORBIDS: &str = "[[rule]]\nid = 'none'\neffect = 'forbid'\n";

fn decide(host: &Host) -> Decided {
    let request = ActionRequest {
        agent: "ada".parse().unwrap(),
        session: "s".parse().unwrap(),
        operation: "o".parse().unwrap(),
        resource: "r".parse().unwrap(),
        arguments: Json::default(),
        attributes: Default::default(),
        labels: Vec::new(),
    };
    block_on(host.decide(&host.stamp(request).unwrap()))
}

/// The site's configuration with other rules.
fn with(site: &Site, rules: &str) -> Config {
    std::fs::write(site.path().join("rules.toml"), rules).unwrap();
    Config::load(&site.config(), &[]).unwrap()
}

#[test]
fn the_next_decision_is_by_the_new_rules_and_the_log_says_so() {
    let site = Site::new().rules(PERMITS);
    let host = site.host();
    assert!(decide(&host).verdict.is_allow());
    let before = host.config().effective().unwrap();
    let next = host.prepare(with(&site, FORBIDS)).unwrap();
    // Prepared is not yet deciding.
    assert!(decide(&host).verdict.is_allow());
    let receipt = block_on(host.switch_to(next)).unwrap();
    let denied = decide(&host);
    assert!(!denied.verdict.is_allow());
    assert_eq!(denied.receipt.unwrap().seq(), receipt.seq() + 1);

    // With a skill more, and one policy less.
    let config = std::fs::read_to_string(site.config()).unwrap();
    let skill = site.skill("calculator");
    std::fs::write(skill.path().join("rules.toml"), PERMITS).unwrap();
    let next = host.prepare(Config::load(&skill.config(), &[]).unwrap()).unwrap();
    block_on(host.switch_to(next)).unwrap();
    let calculator: Name = "calculator".parse().unwrap();
    assert!(host.skills().contains_key(&calculator) && decide(&host).verdict.is_allow());
    std::fs::write(skill.config(), config.replace("[[policies]]", "[[policies]]\nmode = 'off'")).unwrap();
    let next = host.prepare(Config::load(&skill.config(), &[]).unwrap()).unwrap();
    block_on(host.switch_to(next)).unwrap();
    assert!(host.skills().is_empty() && host.policies().is_empty() && !decide(&host).verdict.is_allow());

    let log = host.log();
    host.close().unwrap();
    let reader = LogReader::open(&log).unwrap();
    let entries = reader.entries(0, 100).map(|entry| entry.unwrap().body);
    let digests: Vec<_> = entries
        .filter_map(|body| match body {
            Body::Configuration(configuration) => Some(configuration.digest),
            _ => None,
        })
        .collect();
    // The text is the same for other rules: components say which they have.
    assert_eq!((digests.len(), digests[0]), (4, Digest::of(before.as_bytes())));
}

#[test]
fn what_does_not_load_changes_nothing() {
    let site = Site::new().rules(PERMITS);
    let host = site.host();
    let error = host.prepare(with(&site, "[[rule]]\nid = 'a'\n")).err().unwrap().to_string();
    assert!(error.contains("rules.toml:") && error.contains("missing field `effect`"), "{error}");
    let mut fixed = with(&site, PERMITS);
    fixed.audit.origin = "example.org/other".to_owned();
    let error = host.prepare(fixed).err().unwrap().to_string();
    assert_eq!(error, "`audit` cannot change while the host runs; start it again");
    assert!(decide(&host).verdict.is_allow());
}

/// Whoever may sign is not whoever was looked at: a digest names one component.
#[test]
fn another_component_than_was_pinned_does_not_decide() {
    let site = Site::new().rules(PERMITS);
    let host = site.host();
    let digest = host.policies()[0].component().digest;
    let text = std::fs::read_to_string(site.config()).unwrap();
    let pinned = |digest: Digest| {
        let pin = format!("name = 'rules'\ndigest = '{digest}'");
        std::fs::write(site.config(), text.replace("name = 'rules'", &pin)).unwrap();
        host.prepare(Config::load(&site.config(), &[]).unwrap())
    };
    assert!(pinned(digest).is_ok());
    let error = pinned(Digest::of(b"what was looked at")).err().unwrap().to_string();
    assert!(error.contains(&format!("its digest is {digest}, and `digest` asks for sha256:")), "{error}");
    assert!(Config::load(&site.config(), &[]).is_ok());
    std::fs::write(site.config(), text.replace("name = 'rules'", "name = 'rules'\ndigest = 'sha256:1234'")).unwrap();
    assert!(Config::load(&site.config(), &[]).is_err());
}

#[test]
fn a_limit_is_not_got_round_by_a_change_elsewhere() {
    let limit = "limits = [{ name = 'few', per = 'agent', burst = 1, actions = 1, period_s = 3600 }]\n";
    let site = Site::new().rules(PERMITS);
    let limited = limit.to_owned() + &std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(site.config(), limited).unwrap();
    let host = site.host();
    assert!(decide(&host).verdict.is_allow());
    let next = host.prepare(with(&site, &PERMITS.replace("all", "everything"))).unwrap();
    block_on(host.switch_to(next)).unwrap();
    let decided = decide(&host);
    assert!(!decided.verdict.is_allow() && decided.verdict.retry_after_ms.is_some());
}

/// While others decide. Each verdict stands in the log after the entry of the
/// configuration that gave it, and before the next one.
#[test]
fn every_verdict_is_by_the_configuration_before_it() {
    let site = Site::new().rules(PERMITS);
    let host = site.host();
    let stop = AtomicBool::new(false);
    std::thread::scope(|threads| {
        let decides = || {
            while !stop.load(Ordering::Relaxed) {
                decide(&host);
            }
        };
        (0..4).for_each(|_| drop(threads.spawn(decides)));
        for round in 0..6 {
            let config = with(&site, if round % 2 == 0 { FORBIDS } else { PERMITS });
            let next = host.prepare(config).unwrap();
            block_on(host.switch_to(next)).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        stop.store(true, Ordering::Relaxed);
    });
    let log = host.log();
    host.close().unwrap();
    let (mut policy, mut configurations, mut decisions) = (None, 0, 0);
    for entry in LogReader::open(&log).unwrap().entries(0, u64::MAX) {
        match entry.unwrap().body {
            Body::Configuration(configuration) => {
                configurations += 1;
                policy = configuration.components.first().cloned();
            }
            Body::Decision(_, decision) => {
                decisions += 1;
                let Source::Component(component) = &decision.verdict.reasons[0].source else { panic!() };
                assert_eq!(Some(&**component), policy.as_deref());
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(configurations == 7 && decisions > 20, "{configurations} {decisions}");
}

/// A switch that waits for its entry: the log's own thread is slower than this.
fn begun<'h>(host: &'h Host, next: vak::Prepared) -> Option<std::pin::Pin<Box<dyn Future<Output = ()> + 'h>>> {
    let mut switch: std::pin::Pin<Box<dyn Future<Output = ()> + 'h>> =
        Box::pin(async { drop(host.switch_to(next).await.unwrap()) });
    let pending = switch.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending();
    pending.then_some(switch)
}

/// On the one thread of an executor nobody may wait for whoever needs it.
#[test]
fn who_looks_does_not_wait_for_a_switch() {
    let site = Site::new().rules(PERMITS);
    let host = site.host();
    for _ in 0..20 {
        let switch = begun(&host, host.prepare(with(&site, FORBIDS)).unwrap());
        assert_eq!((host.policies().len(), host.skills().len()), (1, 0));
        assert!(host.config().limits.is_empty());
        if let Some(switch) = switch {
            block_on(switch);
            return;
        }
    }
    panic!("no switch ever waited");
}

#[test]
fn a_switch_that_is_given_up_stops_the_host() {
    let site = Site::new().rules(PERMITS);
    for _ in 0..20 {
        let host = site.host();
        if let Some(switch) = begun(&host, host.prepare(with(&site, PERMITS)).unwrap()) {
            drop(switch);
            let decided = decide(&host);
            let why = decided.verdict.reasons.last().unwrap().to_string();
            assert!(!decided.verdict.is_allow() && why.contains("was interrupted"), "{why}");
            return;
        }
    }
    panic!("no switch ever waited");
}

/// What a policy says in its own words, and wants in place of an argument.
#[test]
fn nothing_that_quotes_an_erasable_argument_is_in_an_entry() {
    let rules = "[[rule]]\nid = 'all'\neffect = 'permit'\nwhen = [{ argument = '/card', starts_with = '4' }]\n\
                 obligations = [{ redact = { argument = '/card', with = '4111 (redacted)' } }]\n";
    let site = Site::new().rules(rules);
    let config = std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(site.config(), config.replace("key = 'log.key'", "key = 'log.key', payloads = 'erasable'")).unwrap();
    let host = site.host();
    let request = ActionRequest {
        agent: "ada".parse().unwrap(),
        session: "s".parse().unwrap(),
        operation: "o".parse().unwrap(),
        resource: "r".parse().unwrap(),
        arguments: Json::parse(r#"{"card":"4111 1111"}"#).unwrap(),
        attributes: Default::default(),
        labels: Vec::new(),
    };
    let decided = block_on(host.decide_for(&host.stamp(request).unwrap(), vak::Able::ALL));
    // Whoever asked is told all of it.
    assert!(decided.verdict.reasons[0].message.contains("4111 1111"), "{:?}", decided.verdict);
    let (log, seq) = (host.log(), decided.receipt.unwrap().seq());
    host.close().unwrap();
    let entry = LogReader::open(&log).unwrap().entry(seq).unwrap();
    assert!(!String::from_utf8_lossy(&entry.encode().unwrap()).contains("4111"));
    let Body::Decision(_, decision) = entry.body else { panic!() };
    assert_eq!(decision.verdict.reasons[0].rule.as_deref(), Some("all"));
    assert_eq!(decision.verdict.obligations[0].to_string(), "the argument `/card` redacted");
}
