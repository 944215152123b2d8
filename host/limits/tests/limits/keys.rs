//! Memory stays bounded whatever names agents think of.

use vak_limits::{Error, Kind, Limit, Limits, Mode, Per, Signal};

use crate::support::{SECOND, action, each_second, limit, limit_of, spend, start};

const KEYS_MAX: usize = 5_000;

fn limits<const N: usize>(limits: [Limit; N]) -> Limits {
    Limits::with_keys_max(limits.into(), KEYS_MAX).unwrap()
}

#[test]
fn refuses_new_keys_when_full_until_others_idle() {
    let limits = limits([limit("sessions", Per::Session, "*", each_second(2))]);
    for n in 0..KEYS_MAX {
        start(&limits, &action(&format!("agent-{} s{n} x", n % 97), SECOND));
    }
    let exceeded = limits.reserve(&action("ada new x", SECOND)).unwrap_err();
    assert_eq!(exceeded.retry_after, None);
    assert_eq!(
        exceeded.to_string(),
        "limit `sessions`: `5000` agents, operations, sessions and labels are counted, which is the most; \
         try again when some idle"
    );
    // Known keys go on as before, and another second makes room.
    assert_eq!(spend(&limits, "agent-0 s0 x", SECOND), 1);
    assert_eq!(spend(&limits, "ada new x", 2 * SECOND), 2);
    // One bucket was in use longer than the others; dropping those kept it.
    assert_eq!(spend(&limits, "agent-0 s0 x", 2 * SECOND), 1);
}

#[test]
fn a_bucket_given_back_makes_room_after_a_pause() {
    let limits = limits([limit("sessions", Per::Session, "*", each_second(2))]);
    let held = limits.reserve(&action("ada held x", SECOND)).unwrap();
    for n in 1..KEYS_MAX {
        start(&limits, &action(&format!("ada s{n} x"), SECOND));
    }
    assert!(limits.reserve(&action("ada new x", SECOND)).is_err());
    drop(held);
    // The search that just failed is not repeated at once.
    assert!(limits.reserve(&action("ada new x", SECOND)).is_err());
    let after = SECOND + SECOND;
    start(&limits, &action("ada new x", after));
}

#[test]
fn denied_actions_leave_room() {
    let limits = limits([limit("sessions", Per::Session, "*", each_second(2))]);
    for n in 0..2 * KEYS_MAX {
        drop(limits.reserve(&action(&format!("ada s{n} x"), SECOND)).unwrap());
    }
}

#[test]
fn a_refused_key_takes_nothing_from_other_limits() {
    let limits = limits([
        limit("sessions", Per::Session, "*", each_second(1)),
        limit("mail", Per::Host, "mail", each_second(3)),
    ]);
    assert_eq!(spend(&limits, "ada s mail", SECOND), 1);
    for n in 0..KEYS_MAX - 2 {
        start(&limits, &action(&format!("ada s{n} x"), SECOND));
    }
    for n in 0..5 {
        assert!(limits.reserve(&action(&format!("bob s{n} mail"), SECOND)).is_err());
    }
    drop(limits.reserve(&action("ada s0 mail", 2 * SECOND)).unwrap());
    assert_eq!(spend(&limits, "cy s mail", 2 * SECOND) + spend(&limits, "cy t mail", 2 * SECOND), 2);
}

#[test]
fn bounds_every_kind_together() {
    for keys_max in [0, Limits::KEYS_MAX + 1] {
        assert_eq!(Limits::with_keys_max(vec![], keys_max).unwrap_err(), Error::Keys { keys_max });
    }
    let limits = limits([
        limit("agent", Per::Agent, "*", each_second(1)),
        limit_of("sessions", Per::Session, "*", Kind::Concurrency { at_once: 1 }),
    ]);
    let held: Vec<_> = (0..KEYS_MAX / 2).map(|n| start(&limits, &action(&format!("agent-{n} s x"), SECOND))).collect();
    assert_eq!(limits.reserve(&action("ada s x", SECOND)).unwrap_err().retry_after, None);
    assert_eq!(limits.keys(), KEYS_MAX);
    held.into_iter().for_each(|held| held.succeed(&[], Default::default()));
    for n in 0..KEYS_MAX / 2 {
        start(&limits, &action(&format!("agent-{n} t x"), 3 * SECOND));
    }
    assert!(limits.keys() <= KEYS_MAX);
}

#[test]
fn a_far_future_does_not_keep_keys() {
    let limits = limits([limit("sessions", Per::Session, "*", each_second(2))]);
    for n in 0..KEYS_MAX {
        start(&limits, &action(&format!("ada s{n} x"), u64::MAX / 2));
    }
    // Set back by centuries: all of it is seen to be gone within a burst.
    let now = 50 * SECOND;
    assert!(limits.reserve(&action("ada new x", now)).is_err());
    start(&limits, &action("ada new x", now + 2 * SECOND));
}

#[test]
fn shadow_without_room_stops_nothing() {
    let shadow = Limit { mode: Mode::Shadow, ..limit("sessions", Per::Session, "*", each_second(2)) };
    let limits = limits([shadow, limit("host", Per::Host, "*", each_second(1_000_000))]);
    for n in 0..KEYS_MAX - 1 {
        assert_eq!(start(&limits, &action(&format!("ada s{n} x"), SECOND)).signals(), []);
    }
    let held = start(&limits, &action("ada new x", SECOND));
    assert!(matches!(held.signals(), [Signal::Shadow(exceeded)] if exceeded.retry_after.is_none()), "{held:?}");
}
