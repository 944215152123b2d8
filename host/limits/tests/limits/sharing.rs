//! Who shares a bucket, and what an action that is stopped leaves behind.

use std::time::Duration;

use vak_limits::{Error, Limits, Per, Rate, Reservation};

use crate::support::{SECOND, action, each_second, limit, limits, spend, start};

#[test]
fn shares_a_bucket_with_its_like_and_nobody_else() {
    // Under each kind of limit, of one action each: is the second refused?
    let cases = [
        (Per::Agent, "ada s x", "ada t y", true),
        (Per::Agent, "ada s x", "bob s x", false),
        (Per::Operation, "ada s x", "bob t x", true),
        (Per::Operation, "ada s x", "ada s y", false),
        (Per::AgentAndOperation, "ada s x", "ada t x", true),
        (Per::AgentAndOperation, "ada s x", "ada s y", false),
        (Per::AgentAndOperation, "ada s x", "bob s x", false),
        (Per::AgentAndOperation, "a s bc", "ab s c", false),
        (Per::Session, "ada s x", "ada s y", true),
        (Per::Session, "ada s x", "ada t x", false),
        (Per::Session, "ada s x", "bob s x", false),
        (Per::Session, "a bc x", "ab c x", false),
        (Per::Label, "ada s x web", "bob t y mail web", true),
        (Per::Label, "ada s x web", "ada s x mail", false),
        (Per::Label, "ada s x web", "ada s x web", true),
        (Per::Host, "ada s x", "bob t y", true),
    ];
    for (per, first, second, refused) in cases {
        let limits = limits([limit("one", per, "*", each_second(1))]);
        assert_eq!(spend(&limits, first, SECOND), 1);
        assert_eq!(spend(&limits, second, SECOND), usize::from(!refused), "{per:?}: {first} and {second}");
    }
}

#[test]
fn counts_only_what_a_limit_covers() {
    let limits = limits([limit("files", Per::Host, "files/*", each_second(2))]);
    assert_eq!(spend(&limits, "ada s mail/send", SECOND), 1_000);
    assert_eq!(spend(&limits, "ada s files/read", SECOND), 2);
    assert_eq!(spend(&limits, "ada s mail/send", SECOND), 1_000);
}

#[test]
fn a_denied_action_consumes_nothing_anywhere() {
    let limits = limits([
        limit("agent", Per::Agent, "*", each_second(10)),
        limit("write", Per::Operation, "write", each_second(1)),
        limit("host", Per::Host, "*", each_second(100)),
    ]);
    assert_eq!(spend(&limits, "ada s write", SECOND), 1);
    for _ in 0..50 {
        assert_eq!(limits.reserve(&action("ada s write", SECOND)).unwrap_err().limit.as_str(), "write");
        drop(limits.reserve(&action("ada s read", SECOND)).unwrap());
    }
    assert_eq!(spend(&limits, "ada s read", SECOND), 9);
    let others: usize = (0..20).map(|n| spend(&limits, &format!("agent-{n} s read"), SECOND)).sum();
    assert_eq!(others, 90);
}

#[test]
fn a_flood_of_denied_parallel_actions_consumes_nothing() {
    // Ten a second, used up. Two hundred overlapping denied actions in the
    // next tenth of a second must not eat the one action that it refills.
    let rate = Rate::new(10, 10, Duration::from_secs(1)).unwrap();
    let limits = limits([limit("agent", Per::Agent, "*", rate)]);
    assert_eq!(spend(&limits, "ada s x", SECOND), 10);
    let mut at = SECOND + SECOND / 10;
    let mut previous: Option<Reservation> = None;
    for _ in 0..200 {
        at += SECOND / 1_000;
        let next = limits.reserve(&action("ada s x", at));
        drop(previous.take());
        previous = next.ok();
    }
    drop(previous);
    // 0.3 s have passed since the burst: three actions, and no fourth.
    assert_eq!(spend(&limits, "ada s x", at), 3);
}

#[test]
fn gives_back_when_the_caller_is_cancelled_and_only_then() {
    fn is_send<T: Send + 'static>(_: &T) {}
    let limits = limits([limit("agent", Per::Agent, "*", each_second(1))]);
    let action = action("ada s x", SECOND);
    let reservation = limits.reserve(&action).unwrap();
    is_send(&reservation);
    assert!(limits.reserve(&action).is_err());
    let cancelled = std::thread::spawn(move || {
        let _held = reservation;
        std::panic::resume_unwind(Box::new("cancelled"));
    });
    assert!(cancelled.join().is_err());
    start(&limits, &action);
    assert!(limits.reserve(&action).is_err());
}

#[test]
fn what_is_pending_keeps_its_place_and_returns_once() {
    // However old the reservation, its token is not refilled while it is open.
    let limits = limits([limit("agent", Per::Agent, "*", each_second(2))]);
    let held = limits.reserve(&action("ada s x", SECOND)).unwrap();
    assert_eq!(spend(&limits, "ada s x", 9 * SECOND), 1);
    drop(held);
    assert_eq!(spend(&limits, "ada s x", 9 * SECOND), 1);
}

#[test]
fn names_the_limit_with_the_longest_wait() {
    let rate = Rate::new(1, 1, Duration::from_secs(60)).unwrap();
    let limits = limits([
        limit("short", Per::Host, "*", each_second(1)),
        limit("long", Per::Agent, "files/*", rate),
        limit("medium", Per::Session, "*", Rate::new(1, 1, Duration::from_secs(9)).unwrap()),
    ]);
    let action = action("ada s files/read", SECOND);
    start(&limits, &action);
    let exceeded = limits.reserve(&action).unwrap_err();
    assert_eq!(exceeded.retry_after, Some(Duration::from_secs(60)));
    assert_eq!(
        exceeded.to_string(),
        "limit `long`: agent `ada` is limited to 1 at once and 1 more each 60s in `files/*`; try again in 60s"
    );
}

#[test]
fn refuses_ambiguous_and_unbounded_configurations() {
    let one = |name: &str| limit(name, Per::Host, "*", each_second(1));
    assert_eq!(
        Limits::new(vec![one("a"), one("b"), one("a")]).unwrap_err(),
        Error::Duplicate { name: "a".parse().unwrap() }
    );
    let many = |count: usize| (0..count).map(|n| one(&format!("limit-{n}"))).collect::<Vec<_>>();
    assert!(Limits::new(many(Limits::LIMITS_MAX)).is_ok());
    assert_eq!(Limits::new(many(Limits::LIMITS_MAX + 1)).unwrap_err(), Error::TooMany { count: 65 });
}
