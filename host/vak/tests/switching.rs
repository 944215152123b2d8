//! Another configuration takes over between two decisions.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::atomic::{AtomicBool, Ordering};

use futures_executor::block_on;
use vak::{ActionRequest, Config, Decided, Host, Json, Name};
use vak_audit::{Body, LogReader};
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
