//! What a session did before counts, also after a restart, and policies in
//! shadow say what they would have said.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_executor::block_on;
use vak::{Action, ActionRequest, Config, Decided, Host};
use vak_audit::{Body, Entry, LogReader, What};
use vak_test_support::{Site, components};
use vak_types::{Decision, Effect, FailureKind, Source, Timestamp, Verdict};

const SECOND: u64 = 1_000_000_000;

/// Three payments an hour, and none after something from the web.
const PAYMENTS: &str = "
[[rule]]
id = 'all'
effect = 'permit'
[[rule]]
id = 'three'
effect = 'forbid'
operations = ['pay/*']
when = [{ earlier = { operations = 'pay/*', within = '1h' }, at_least = 3 }]
[[rule]]
id = 'tainted'
effect = 'escalate'
operations = ['pay/*']
when = [{ earlier = { label = 'web', within = '12h' } }]
";

const PERMITS: &str = "[[rule]]\nid = 'all'\neffect = 'permit'\n";

fn request(session: &str, operation: &str, label: Option<&str>) -> ActionRequest {
    serde_json::from_value(serde_json::json!({
        "agent": "ada", "session": session, "operation": operation, "resource": "r",
        "arguments": {"to": "bob"}, "labels": label.as_slice(),
    }))
    .unwrap()
}

fn decide(host: &Host, session: &str, operation: &str, label: Option<&str>) -> (Action, Decided) {
    let action = host.stamp(request(session, operation, label)).unwrap();
    let decided = block_on(host.decide(&action));
    (action, decided)
}

fn says(decided: &Decided) -> (Decision, Option<&str>) {
    let rule = decided.verdict.deciding().and_then(|reason| reason.rule.as_deref());
    (decided.verdict.decision, rule)
}

/// A host whose clock shows what `now` holds.
fn host_at(config: Config, now: &Arc<AtomicU64>) -> Host {
    let now = Arc::clone(now);
    Host::builder(config).clock(move || Timestamp::from_nanos(now.load(Ordering::Relaxed))).build().unwrap()
}

fn load(site: &Site) -> Config {
    Config::load(&site.config(), &[]).unwrap()
}

fn entries(log: &Path) -> Vec<Entry> {
    LogReader::open(log).unwrap().entries(0, u64::MAX).map(Result::unwrap).collect()
}

fn decisions(log: &Path) -> Vec<Verdict> {
    let verdict = |entry: Entry| match entry.body {
        Body::Decision(_, decision) => Some(decision.verdict),
        _ => None,
    };
    entries(log).into_iter().filter_map(verdict).collect()
}

#[test]
fn counts_within_the_hour_and_in_its_session() {
    let site = Site::new().rules(PAYMENTS);
    let now = Arc::new(AtomicU64::new(1_700_000_000 * SECOND));
    let host = host_at(load(&site), &now);
    for _ in 0..3 {
        assert_eq!(says(&decide(&host, "s", "pay/send", None).1), (Decision::Allow, Some("all")));
    }
    assert_eq!(says(&decide(&host, "s", "pay/send", None).1), (Decision::Deny, Some("three")));
    assert_eq!(says(&decide(&host, "other", "pay/send", None).1), (Decision::Allow, Some("all")));
    assert_eq!(says(&decide(&host, "s", "mail/read", Some("web")).1), (Decision::Allow, Some("all")));
    now.fetch_add(3_600 * SECOND, Ordering::Relaxed);
    // The denied one does not count; what was read from the web does.
    let (_, decided) = decide(&host, "s", "pay/send", None);
    assert_eq!(says(&decided), (Decision::Escalate, Some("tainted")));
    let reason = decided.verdict.deciding().unwrap();
    assert_eq!(reason.message, "earlier label is `web`");
    now.fetch_add(12 * 3_600 * SECOND, Ordering::Relaxed);
    assert_eq!(says(&decide(&host, "s", "pay/send", None).1), (Decision::Allow, Some("all")));
    // Verdicts say upon how much they were given.
    let log = host.log();
    host.close().unwrap();
    let known: Vec<_> = decisions(&log).iter().map(|verdict| verdict.past.unwrap().steps).collect();
    assert_eq!(known, [0, 1, 2, 3, 0, 4, 5, 6]);
}

/// Restarting a host is not a way to a clean slate, whatever payloads are.
#[test]
fn a_restart_forgets_nothing() {
    for payloads in ["inline", "erasable"] {
        let site = Site::new().rules(PAYMENTS);
        let config = std::fs::read_to_string(site.config()).unwrap();
        std::fs::write(site.config(), config.replace("'log.key' }", &format!("'log.key', payloads = '{payloads}' }}")))
            .unwrap();
        let now = Arc::new(AtomicU64::new(1_700_000_000 * SECOND));
        for _ in 0..3 {
            let host = host_at(load(&site), &now);
            assert_eq!(says(&decide(&host, "s", "pay/send", None).1), (Decision::Allow, Some("all")));
            host.close().unwrap();
            now.fetch_add(SECOND, Ordering::Relaxed);
        }
        let host = host_at(load(&site), &now);
        assert_eq!(says(&decide(&host, "s", "pay/send", None).1), (Decision::Deny, Some("three")));
        decide(&host, "s", "mail/read", Some("web"));
        host.close().unwrap();
        now.fetch_add(4_000 * SECOND, Ordering::Relaxed);
        let host = host_at(load(&site), &now);
        assert_eq!(says(&decide(&host, "s", "pay/send", None).1), (Decision::Escalate, Some("tainted")));
        host.close().unwrap();
    }
}

/// A day on which nothing was asked is remembered, too.
#[test]
fn a_host_starts_after_days_without_an_action() {
    let site = Site::new().rules(PAYMENTS);
    let now = Arc::new(AtomicU64::new(1_700_000_000 * SECOND));
    for _ in 0..2 {
        let host = host_at(load(&site), &now);
        assert_eq!(says(&decide(&host, "s", "pay/send", None).1), (Decision::Allow, Some("all")));
        host.close().unwrap();
        now.fetch_add(3 * 24 * 3_600 * SECOND, Ordering::Relaxed);
    }
}

/// A configuration that begins to ask knows what was done before it.
#[test]
fn a_switch_knows_what_was_before() {
    let site = Site::new().rules(PERMITS);
    let host = site.host();
    for _ in 0..3 {
        let (_, decided) = decide(&host, "s", "pay/send", None);
        assert_eq!((says(&decided), decided.verdict.past), ((Decision::Allow, Some("all")), None));
    }
    std::fs::write(site.path().join("rules.toml"), PAYMENTS).unwrap();
    block_on(host.switch_to(host.prepare(load(&site)).unwrap())).unwrap();
    assert_eq!(says(&decide(&host, "s", "pay/send", None).1), (Decision::Deny, Some("three")));
    // Another configuration that asks goes on with it.
    std::fs::write(site.path().join("rules.toml"), PAYMENTS.replace("three", "still-three")).unwrap();
    block_on(host.switch_to(host.prepare(load(&site)).unwrap())).unwrap();
    assert_eq!(says(&decide(&host, "s", "pay/send", None).1), (Decision::Deny, Some("still-three")));
}

/// A site with one policy that decides and one, of these rules, in shadow.
fn shadowed(rules: &str) -> Site {
    let site = Site::new().rules(PERMITS);
    std::fs::write(site.path().join("shadow.toml"), rules).unwrap();
    let component = components().join("rules.wasm");
    site.section(&format!(
        "[[policies]]\nname = 'tried'\ncomponent = '{}'\nconfig = 'shadow.toml'\nmode = 'shadow'\nmay_permit = true\n",
        component.display()
    ))
}

#[test]
fn a_shadow_says_what_it_would_say_and_decides_nothing() {
    let site = shadowed(PAYMENTS);
    let host = site.host();
    for _ in 0..5 {
        let (_, decided) = decide(&host, "s", "pay/send", None);
        assert_eq!(says(&decided), (Decision::Allow, Some("all")));
        assert_eq!(decided.verdict.reasons.len(), 1);
    }
    let log = host.log();
    host.close().unwrap();
    let mut found = Vec::new();
    for Entry { body, .. } in entries(&log) {
        if let Body::Shadow(_, shadow) = body {
            assert!(
                matches!(&shadow.reason.source, Source::Component(component) if component.name.as_str() == "tried")
            );
            found.push((shadow.decision, shadow.reason.effect, shadow.reason.rule.unwrap()));
        }
    }
    // Each sees of the session what was before its own action.
    let permit = |seq| (seq, Effect::Permit, "all".to_owned());
    let forbid = |seq| (seq, Effect::Forbid, "three".to_owned());
    let seqs: Vec<_> = found.iter().map(|(seq, ..)| *seq).collect();
    assert_eq!(found, [permit(seqs[0]), permit(seqs[1]), permit(seqs[2]), forbid(seqs[3]), forbid(seqs[4])]);
}

/// A flood does not wait for a slow policy in shadow; what it did not get to is
/// counted.
#[test]
fn a_slow_shadow_holds_nothing_up() {
    let rules: String = (0..200)
        .map(|at| {
            format!(
                "[[rule]]\nid = '{at}'\neffect = 'forbid'\nwhen = [{{ argument = '/to', regex = '(.*a){{20}}' }}]\n"
            )
        })
        .collect();
    let site = shadowed(&rules);
    let host = site.host();
    let asked = 3_000;
    let request = |number: usize| {
        let mut request = request("s", "pay/send", None);
        request.arguments = vak::Json::parse(&format!("{{\"to\":\"{}{number}\"}}", "a".repeat(2_000))).unwrap();
        host.stamp(request).unwrap()
    };
    std::thread::scope(|threads| {
        for thread in 0..4 {
            let (host, request) = (&host, &request);
            threads.spawn(move || {
                for number in 0..asked / 4 {
                    assert!(block_on(host.decide(&request(thread * asked + number))).verdict.is_allow());
                }
            });
        }
    });
    let log = host.log();
    host.close().unwrap();
    let (mut said, mut missing) = (0, 0);
    for Entry { body, .. } in entries(&log) {
        match body {
            Body::Shadow(..) => said += 1,
            Body::Drop(dropped) => match dropped.what {
                What::Shadows { count } => missing += count,
                what => panic!("{what:?}"),
            },
            _ => {}
        }
    }
    assert_eq!(said + missing, asked as u64);
}

/// A shadow that fails is said to, and nobody is denied for it.
#[test]
fn a_shadow_that_fails_is_no_deny() {
    let site = shadowed("[[rule]]\nid = 'a'\neffect = 'permit'\nwhen = [{ argument = '/to', equals = 'bob' }]\n");
    let config = std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(site.config(), config.trim_end().to_owned() + "\nlimits = { fuel_max = 100_000 }\n").unwrap();
    let host = site.host();
    let mut request = request("s", "pay/send", None);
    request.arguments = vak::Json::parse(&format!("{{\"to\":\"{}\\n\"}}", "a".repeat(500_000))).unwrap();
    assert!(block_on(host.decide(&host.stamp(request).unwrap())).verdict.is_allow());
    let log = host.log();
    host.close().unwrap();
    let failures: Vec<_> = entries(&log)
        .into_iter()
        .filter_map(|entry| match entry.body {
            Body::Shadow(_, shadow) => Some(shadow.reason.failure),
            _ => None,
        })
        .collect();
    assert_eq!(failures, [Some(FailureKind::Fuel)]);
}
