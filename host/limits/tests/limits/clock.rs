//! Clocks that jump, and the ends of time.

use std::time::Duration;

use vak_limits::{Held, Kind, Limit, Per, Rate, Reservation};

use crate::support::{
    DAY, SECOND, START, action, at, budget, costing, each_second, limit, limit_of, limits, spend, start,
};

const FAR: u64 = START + 100 * 365 * 86_400 * SECOND;

#[test]
fn refills_with_time_up_to_the_burst() {
    let limits = limits([limit("agent", Per::Agent, "*", each_second(5))]);
    for (seconds, allowed) in [(0, 5), (1, 1), (3, 2), (3, 0), (100, 5)] {
        assert_eq!(spend(&limits, "ada s x", START + seconds * SECOND), allowed, "after {seconds} s");
    }
}

#[test]
fn a_jump_forward_gives_one_burst_and_a_jump_back_none() {
    let agent = || limit("agent", Per::Agent, "*", each_second(5));
    // Alone, and with another limit to be taken from at once.
    for limits in [limits([agent()]), limits([agent(), limit("host", Per::Host, "*", each_second(1_000))])] {
        assert_eq!(spend(&limits, "ada s x", START), 5);
        assert_eq!(spend(&limits, "ada s x", FAR), 5);
        // Set right again: nothing at once, then as ever.
        assert_eq!(spend(&limits, "ada s x", START + SECOND), 0);
        let exceeded = limits.reserve(&action("ada s x", START + SECOND)).unwrap_err();
        assert_eq!(exceeded.retry_after, Some(Duration::from_secs(1)));
        assert_eq!(spend(&limits, "ada s x", START + 2 * SECOND), 1);
        assert_eq!(spend(&limits, "ada s x", START + 60 * SECOND), 5);
    }
}

#[test]
fn a_jump_back_leaves_nothing_of_a_bucket_half_used_since() {
    let limits = limits([limit("agent", Per::Agent, "*", each_second(5))]);
    start(&limits, &action("ada s x", FAR));
    assert_eq!(spend(&limits, "ada s x", START), 0);
    assert_eq!(spend(&limits, "ada s x", START + 5 * SECOND), 5);
}

#[test]
fn a_bucket_that_was_not_used_in_the_future_is_not_affected() {
    let limits = limits([limit("agent", Per::Agent, "*", each_second(5))]);
    assert_eq!(spend(&limits, "ada s x", START), 5);
    assert_eq!(spend(&limits, "bob s x", FAR), 5);
    assert_eq!(spend(&limits, "ada s x", START + 2 * SECOND), 2);
    assert_eq!(spend(&limits, "eve s x", START + 2 * SECOND), 5);
}

#[test]
fn late_actions_refill_nothing() {
    // A thousand a second: each step back and forth by a second would refill
    // the burst a hundred times over.
    let rate = Rate::new(10, 1_000, Duration::from_secs(1)).unwrap();
    let limits = limits([limit("agent", Per::Agent, "*", rate)]);
    assert_eq!(spend(&limits, "ada s x", START), 10);
    for _ in 0..100 {
        assert_eq!(spend(&limits, "ada s x", START - SECOND), 0);
        assert_eq!(spend(&limits, "ada s x", START), 0);
    }
    let exceeded = limits.reserve(&action("ada s x", START - SECOND)).unwrap_err();
    assert_eq!(exceeded.retry_after, Some(Duration::from_millis(1_001)));
}

#[test]
fn a_jump_back_counts_all_of_a_window_as_new_and_a_jump_forward_none() {
    let limits = limits([limit_of("money", Per::Agent, "*", budget(10, Some(DAY)))]);
    let attempt = |cost: i64, time_ns: u64| {
        let held = limits.reserve(&costing(cost, "ada s x", time_ns)).map(Reservation::hold);
        held.map(|held| held.succeed(&[], at(time_ns))).is_ok()
    };
    assert!(attempt(10, FAR));
    // Late by up to ten seconds, time stands still.
    assert!(!attempt(1, FAR - 10 * SECOND));
    // Set back: gone a window after that, and not before.
    assert!(!attempt(1, START));
    assert!(!attempt(1, START + 86_400 * SECOND - 1));
    assert!(attempt(10, START + 94_000 * SECOND));
    assert!(attempt(10, FAR));
}

#[test]
fn what_is_held_across_a_jump_returns_once() {
    let limits = limits([limit_of("calls", Per::Agent, "*", Kind::Concurrency { at_once: 2 })]);
    let old = start(&limits, &action("ada s x", FAR));
    let new = start(&limits, &action("ada s x", START));
    assert!(limits.reserve(&action("ada s x", START)).is_err());
    // Where the old one lies is not known any more, so it waits for its time.
    old.fail(at(START + SECOND));
    assert!(limits.reserve(&action("ada s x", START + SECOND)).is_err());
    new.fail(at(START + SECOND));
    let newer = start(&limits, &action("ada s x", START + SECOND));
    assert!(limits.reserve(&action("ada s x", START + SECOND)).is_err());
    newer.succeed(&[], at(START + SECOND));
    let later = START + 4_600 * SECOND;
    let both = [start(&limits, &action("ada s x", later)), start(&limits, &action("ada s x", later))];
    assert!(both.iter().all(Held::awaits_outcome));
    assert!(limits.reserve(&action("ada s x", later)).is_err());
}

#[test]
fn the_ends_of_time_do_not_overflow() {
    let most = Rate::new(Rate::ACTIONS_MAX, Rate::ACTIONS_MAX, Rate::PERIOD_MAX).unwrap();
    let slowest = Rate::new(100, 1, Rate::PERIOD_MAX).unwrap();
    let fastest = Rate::new(1, 1, Rate::INTERVAL_MIN).unwrap();
    let kinds = [
        Kind::rate(most),
        Kind::rate(slowest),
        Kind::rate(fastest),
        Kind::Concurrency { at_once: 1 },
        Kind::Quota { actions: Limit::AMOUNT_MAX, window: Limit::WINDOW[1], refund: false },
        Kind::Quota { actions: 1, window: Limit::WINDOW[0], refund: true },
        budget(Limit::AMOUNT_MAX, None),
    ];
    for kind in kinds {
        let limits = limits([limit_of("host", Per::Host, "*", kind)]);
        for time_ns in [0, u64::MAX, u64::MAX, 1, 0, START, u64::MAX - 1, u64::MAX, 0] {
            let action = costing(i64::MAX / 10, "ada s x", time_ns);
            let held = limits.reserve(&action);
            if let Ok(reservation) = limits.reserve(&action) {
                reservation.hold().succeed(&[("cost", u64::MAX)], at(time_ns));
            }
            drop(held);
        }
        limits.replace(vec![], at(u64::MAX)).unwrap();
    }
    // Nothing is allowed at the end of time.
    assert_eq!(spend(&limits([limit("host", Per::Host, "*", fastest)]), "ada s x", u64::MAX), 0);
}
