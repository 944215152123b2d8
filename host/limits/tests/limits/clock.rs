//! Clocks that jump, and the ends of time.

use std::time::Duration;

use vak_limits::{Per, Rate};

use crate::support::{SECOND, action, each_second, limit, limits, spend};

const START: u64 = 1_700_000_000 * SECOND;
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
    let limits = limits([limit("agent", Per::Agent, "*", each_second(5))]);
    assert_eq!(spend(&limits, "ada s x", START), 5);
    assert_eq!(spend(&limits, "ada s x", FAR), 5);
    // Set right again: nothing at once, then as ever.
    assert_eq!(spend(&limits, "ada s x", START + SECOND), 0);
    let exceeded = limits.reserve(&action("ada s x", START + SECOND)).unwrap_err();
    assert_eq!(exceeded.retry_after, Some(Duration::from_secs(1)));
    assert_eq!(spend(&limits, "ada s x", START + 2 * SECOND), 1);
    assert_eq!(spend(&limits, "ada s x", START + 60 * SECOND), 5);
}

#[test]
fn a_jump_back_leaves_nothing_of_a_bucket_half_used_since() {
    let limits = limits([limit("agent", Per::Agent, "*", each_second(5))]);
    limits.reserve(&action("ada s x", FAR)).unwrap().commit();
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
fn the_ends_of_time_and_of_rates_do_not_overflow() {
    let most = Rate::new(Rate::ACTIONS_MAX, Rate::ACTIONS_MAX, Rate::PERIOD_MAX).unwrap();
    let slowest = Rate::new(Rate::ACTIONS_MAX, 1, Rate::PERIOD_MAX).unwrap();
    let fastest = Rate::new(1, Rate::ACTIONS_MAX, Duration::from_nanos(1)).unwrap();
    for rate in [most, slowest, fastest] {
        let limits = limits([limit("host", Per::Host, "*", rate)]);
        for time in [0, u64::MAX, u64::MAX, 1, 0, u64::MAX - 1, u64::MAX] {
            let held = limits.reserve(&action("ada s x", time));
            spend(&limits, "ada s x", time);
            drop(held);
        }
    }
    let limits = limits([limit("host", Per::Host, "*", slowest)]);
    spend(&limits, "ada s x", u64::MAX);
    let exceeded = limits.reserve(&action("ada s x", 0)).unwrap_err();
    assert_eq!(exceeded.retry_after, Some(Rate::PERIOD_MAX));
}
