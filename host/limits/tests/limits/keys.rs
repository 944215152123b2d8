//! Memory stays bounded whatever names agents think of.

use vak_limits::{Limits, Per};

use crate::support::{SECOND, action, each_second, limit, limits, spend};

#[test]
fn refuses_new_keys_when_full_until_others_idle() {
    let limits = limits([limit("sessions", Per::Session, "*", each_second(2))]);
    for n in 0..Limits::KEYS_MAX {
        limits.reserve(&action(&format!("agent-{} s{n} x", n % 97), SECOND)).unwrap().commit();
    }
    let exceeded = limits.reserve(&action("ada new x", SECOND)).unwrap_err();
    assert_eq!(exceeded.retry_after, None);
    assert_eq!(
        exceeded.to_string(),
        "limit `sessions`: `65536` agents, operations and sessions are counted, which is the most; \
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
    for n in 1..Limits::KEYS_MAX {
        limits.reserve(&action(&format!("ada s{n} x"), SECOND)).unwrap().commit();
    }
    assert!(limits.reserve(&action("ada new x", SECOND)).is_err());
    drop(held);
    // The search that just failed is not repeated at once.
    assert!(limits.reserve(&action("ada new x", SECOND)).is_err());
    limits.reserve(&action("ada new x", SECOND + SECOND / 100)).unwrap().commit();
    assert!(limits.reserve(&action("ada newer x", SECOND + SECOND / 100)).is_err());
}

#[test]
fn denied_actions_leave_room() {
    let limits = limits([limit("sessions", Per::Session, "*", each_second(2))]);
    for n in 0..2 * Limits::KEYS_MAX {
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
    for n in 0..Limits::KEYS_MAX - 2 {
        limits.reserve(&action(&format!("ada s{n} x"), SECOND)).unwrap().commit();
    }
    for n in 0..5 {
        assert!(limits.reserve(&action(&format!("bob s{n} mail"), SECOND)).is_err());
    }
    drop(limits.reserve(&action("ada s0 mail", 2 * SECOND)).unwrap());
    assert_eq!(spend(&limits, "cy s mail", 2 * SECOND) + spend(&limits, "cy t mail", 2 * SECOND), 2);
}
