//! Limits that several hosts share, from the configuration to the outcome.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code)]
#[path = "../../limits-redis/tests/shared/server.rs"]
mod server;

use std::time::{Duration, Instant};

use futures_executor::block_on;
use server::{Redis, free_port, pretend, url};
use vak::{Action, Decided, Host, Outcome};
use vak_test_support::Site;

const RULES: &str = "[[rule]]\nid = 'all'\neffect = 'permit'\n\
                     [[rule]]\nid = 'not-this'\neffect = 'forbid'\noperations = ['forbidden']\n";

const LIMITS: &str = "
[[limits]]
name = 'money'
kind = 'budget'
per = 'agent'
amount = 100
window_s = 3600
cost = 'cents'
shared = true
[[limits]]
name = 'own'
kind = 'quota'
per = 'session'
actions = 30
window_s = 3600
";

fn site(port: u16) -> Site {
    let sharing = format!("[sharing]\nredis = '{}'\ntimeout_ms = 300", url(port));
    Site::new().rules(RULES).section(LIMITS).section(&sharing)
}

fn decide(host: &Host, operation: &str, cents: u64) -> (Action, Decided) {
    let request = serde_json::json!({
        "agent": "ada", "session": "s", "operation": operation, "resource": "r", "attributes": {"cents": cents},
    });
    let action = host.stamp(serde_json::from_value(request).unwrap()).unwrap();
    let decided = block_on(host.decide(&action));
    (action, decided)
}

fn end(host: &Host, (action, decided): (Action, Decided), outcome: Outcome) {
    block_on(host.record_outcome(&action, decided, outcome)).unwrap();
}

#[track_caller]
fn denied_by(limit: &str, (_, decided): &(Action, Decided)) -> String {
    let why = decided.verdict.deciding().unwrap().to_string();
    assert!(!decided.verdict.is_allow() && why.starts_with(&format!("limit `{limit}`")), "{why}");
    why
}

#[test]
fn two_hosts_have_one_budget() {
    let redis = Redis::start();
    let sites = [site(redis.port()), site(redis.port())];
    let [one, two] = sites.each_ref().map(Site::host);
    let first = decide(&one, "pay", 60);
    assert!(first.1.verdict.is_allow());
    denied_by("money", &decide(&two, "pay", 60));
    // A policy denies it, so it costs nothing; it failed, so it comes back; it
    // was cheaper, so the rest comes back: to who had it.
    assert!(!decide(&one, "forbidden", 40).1.verdict.is_allow());
    end(&one, first, Outcome::failed("the bank is closed"));
    let second = decide(&one, "pay", 60);
    end(&one, second, Outcome::succeeded(b"paid").spent("cents", 20));
    assert!(decide(&one, "pay", 40).1.verdict.is_allow());
    // It was dearer, which counts for all.
    let third = decide(&one, "pay", 1);
    end(&one, third, Outcome::succeeded(b"paid").spent("cents", 300));
    denied_by("money", &decide(&one, "pay", 1));
    denied_by("money", &decide(&two, "pay", 0));
}

#[test]
fn what_one_kind_of_limit_refuses_costs_nothing_of_the_other() {
    let redis = Redis::start();
    let site = site(redis.port());
    let host = site.host();
    for _ in 0..40 {
        denied_by("money", &decide(&host, "pay", 101));
    }
    for _ in 0..30 {
        assert!(decide(&host, "pay", 1).1.verdict.is_allow());
    }
    for _ in 0..5 {
        denied_by("own", &decide(&host, "pay", 70));
    }
    assert_eq!(redis.leased(), 30);
}

/// A restart has no lease and no snapshot of these limits, and Redis remembers.
#[test]
fn a_restart_is_no_clean_slate_and_no_second_counting() {
    let redis = Redis::start();
    let site = site(redis.port());
    for _ in 0..2 {
        let host = site.host();
        assert!(decide(&host, "pay", 50).1.verdict.is_allow());
        host.close().unwrap();
    }
    denied_by("money", &decide(&site.host(), "pay", 1));
}

#[test]
fn without_redis_a_host_starts_and_denies_in_time() {
    let hung = pretend(|stream| {
        std::thread::sleep(Duration::from_secs(60));
        drop(stream);
    });
    for port in [free_port(), hung] {
        let site = site(port);
        let host = site.host();
        let start = Instant::now();
        let denied = decide(&host, "pay", 1);
        let why = denied_by("money", &denied);
        assert!(why.contains("Redis, which counts it, is away ("), "{why}");
        assert_eq!(denied.1.verdict.retry_after_ms, Some(1_000));
        for _ in 0..10 {
            denied_by("money", &decide(&host, "pay", 1));
        }
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }
}

#[test]
fn another_configuration_keeps_the_lease() {
    let redis = Redis::start();
    let site = site(redis.port());
    let host = site.host();
    assert!(decide(&host, "pay", 1).1.verdict.is_allow());
    let text = std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(site.config(), text.replace("amount = 100", "amount = 10")).unwrap();
    let next = host.prepare(vak::Config::load(&site.config(), &[]).unwrap()).unwrap();
    block_on(host.switch_to(next)).unwrap();
    assert_eq!((0..20).filter(|_| decide(&host, "pay", 1).1.verdict.is_allow()).count(), 9);
}

#[test]
fn what_cannot_be_shared_is_an_error_with_the_limits_name() {
    let limit = |rest: &str| format!("[[limits]]\nname = 'calls'\nper = 'agent'\nshared = true\n{rest}\n");
    let sharing = "[sharing]\nredis = 'redis://127.0.0.1:1'\n";
    let quota = limit("kind = 'quota'\nactions = 5\nwindow_s = 60");
    for (text, message) in [
        (quota.clone(), "limit `calls` is shared and there is no `[sharing]`"),
        (limit("burst = 1\nactions = 1\nperiod_s = 1") + sharing, "limit `calls` cannot be shared"),
        (limit("kind = 'concurrency'\nat_once = 1") + sharing, "limit `calls` cannot be shared"),
        (limit("kind = 'budget'\namount = 1\ncost = 'c'") + sharing, "limit `calls` cannot be shared"),
        (
            limit("kind = 'quota'\nactions = 5\nwindow_s = 60\nmode = 'shadow'") + sharing,
            "limit `calls` cannot be shared",
        ),
        (
            limit("kind = 'quota'\nactions = 5\nwindow_s = 60\nnear_percent = 5") + sharing,
            "limit `calls` cannot be shared",
        ),
        (
            limit("kind = 'quota'\nactions = 5000000000000000\nwindow_s = 60") + sharing,
            "limit `calls` cannot be shared at",
        ),
        (limit("kind = 'quota'\nactions = 5\nwindow_s = 60\nhold_s = 5") + sharing, "what is shared is not held"),
        (quota.clone() + &quota + sharing, "two limits are named `calls`"),
        (quota.clone() + "[sharing]\nredis = 'rediss://127.0.0.1'", "the address of Redis is not possible"),
        (quota.clone() + "[sharing]\nredis = 'redis://u:secret@h:x'", "the address of Redis is not possible"),
        (quota.clone() + sharing + "timeout_ms = 0", "a time-out of 0 ms is not possible"),
        (quota.clone() + sharing + "timeout_ms = 1001", "a time-out of 1001 ms is not possible"),
        (quota.clone() + sharing + "server = 1", "unknown field `server`"),
    ] {
        let error = Site::new().section(&text).try_host().expect_err(&text).to_string();
        assert!(error.contains(message) && !error.contains("secret"), "{text}: {error}");
    }
}
