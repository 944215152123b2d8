//! Limits that change while they are in use, and counts that outlive a host.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use vak_limits::{Error, Kind, Limit, Limits, Per, Rate};

use crate::support::{
    DAY, SECOND, START, action, at, budget, costing, each_second, limit, limit_of, limits, spend, start,
};

fn calls(at_once: u64) -> Limit {
    limit_of("calls", Per::Agent, "*", Kind::Concurrency { at_once })
}

fn money(amount: u64, window: Option<Duration>) -> Limit {
    limit_of("money", Per::Agent, "*", budget(amount, window))
}

fn fits(limits: &Limits, cost: u64, time_ns: u64) -> bool {
    limits.reserve(&costing(cost as i64, "ada s x", time_ns)).is_ok()
}

#[test]
fn what_is_used_stays_used_in_absolute_terms() {
    let rate = |burst: u32, seconds: u64| Rate::new(burst, 1, Duration::from_secs(seconds)).unwrap();
    // Three are used, under five at one a minute. What is left is left.
    for (burst, seconds, left) in [(5, 60, 2), (10, 60, 7), (10, 1, 7), (3, 60, 0), (2, 60, 0)] {
        let limits = limits([limit("agent", Per::Agent, "*", rate(5, 60))]);
        (0..3).for_each(|_| drop(start(&limits, &action("ada s x", START))));
        let replaced = limits.replace(vec![limit("agent", Per::Agent, "*", rate(burst, seconds))], at(START)).unwrap();
        // Through the old handle as through the new.
        assert_eq!(spend(&limits, "ada s x", START), left, "{burst} and one each {seconds} s");
        assert_eq!(spend(&replaced, "bob s x", START), burst as usize);
        assert_eq!(spend(&replaced, "ada s x", START + seconds * SECOND), 1);
    }
    for (amount, window, left) in [(10, Some(DAY), 4), (20, Some(DAY), 14), (20, Some(DAY * 30), 14), (20, None, 14)] {
        let limits = limits([money(10, Some(DAY))]);
        start(&limits, &costing(4, "ada s x", START)).succeed(&[], at(START));
        let held = start(&limits, &costing(2, "ada s x", START));
        let limits = limits.replace(vec![money(amount, window)], at(START)).unwrap();
        assert!(fits(&limits, left, START) && !fits(&limits, left + 1, START), "{amount} in {window:?}");
        held.fail(at(START));
        // Of other slices, what is held waits for its time.
        let back = if window == Some(DAY) { 2 } else { 0 };
        let left = amount - 6 + back;
        assert!(fits(&limits, left, START) && !fits(&limits, left + 1, START), "{amount} in {window:?}");
    }
}

#[test]
fn what_is_above_a_smaller_limit_blocks_until_it_has_left() {
    let limits = limits([money(10, Some(DAY))]);
    start(&limits, &costing(6, "ada s x", START)).succeed(&[], at(START));
    let limits = limits.replace(vec![money(5, Some(DAY))], at(START)).unwrap();
    assert!(!fits(&limits, 0, START) && !fits(&limits, 0, START + 86_399 * SECOND));
    assert!(fits(&limits, 5, START + 94_000 * SECOND));
}

#[test]
fn what_counts_something_else_starts_anew() {
    let tokens = Kind::Budget { amount: 2, window: None, cost: "tokens".to_owned(), refund: true };
    let others = [
        limit_of("calls", Per::Session, "*", Kind::Concurrency { at_once: 2 }),
        limit_of("calls", Per::Agent, "*", tokens),
        limit_of("calls", Per::Agent, "*", Kind::Quota { actions: 2, window: DAY, refund: true }),
        limit("calls", Per::Agent, "*", each_second(2)),
        limit_of("places", Per::Agent, "*", Kind::Concurrency { at_once: 2 }),
    ];
    for other in others {
        let limits = limits([calls(2)]);
        let mut action = action("ada s x", START);
        action.attributes.insert("tokens".to_owned(), vak_types::AttributeValue::Integer(1));
        let (denied, old) = (limits.reserve(&action).unwrap(), start(&limits, &action));
        let replaced = limits.replace(vec![other.clone()], at(START)).unwrap();
        assert_eq!(replaced.keys(), 0);
        let held = [start(&limits, &action), start(&replaced, &action)];
        // What ends under limits that are gone takes nothing from the new ones.
        drop(denied);
        old.fail(at(START));
        assert!(limits.reserve(&action).is_err(), "{other:?}");
        // And back again: what was taken before the break is not known.
        let limits = replaced.replace(vec![calls(1)], at(START)).unwrap();
        let again = start(&limits, &action);
        held.into_iter().for_each(|held| held.fail(at(START)));
        assert!(limits.reserve(&action).is_err(), "{other:?}");
        again.fail(at(START));
        assert!(limits.reserve(&action).is_ok());
    }
}

#[test]
fn what_is_open_is_settled_under_the_new_limits() {
    let limits = limits([limit("agent", Per::Agent, "*", each_second(3))]);
    let [denied, allowed] = [0; 2].map(|_| limits.reserve(&action("ada s x", START)).unwrap());
    limits.replace(vec![calls(9), limit("agent", Per::Agent, "*", each_second(4))], at(START)).unwrap();
    drop(denied);
    allowed.hold();
    assert_eq!(spend(&limits, "ada s x", START), 3);
}

#[test]
fn an_old_handle_follows() {
    let limits = limits([money(1, None)]);
    assert!(limits.reserve(&action("ada s x", START)).is_err(), "it does not say what it costs");
    limits.replace(vec![], at(START)).unwrap();
    assert!(!start(&limits, &action("ada s x", START)).awaits_outcome());
    limits.replace(vec![calls(1)], at(START)).unwrap();
    let held = start(&limits, &action("ada s x", START));
    assert!(limits.reserve(&action("ada s x", START)).is_err());
    held.fail(at(START));
    assert!(limits.reserve(&action("ada s x", START)).is_ok());
}

#[test]
fn refuses_bad_limits_and_keeps_the_old() {
    let limits = limits([limit("agent", Per::Agent, "*", each_second(2))]);
    assert_eq!(
        limits.replace(vec![calls(1), calls(2)], at(START)).unwrap_err(),
        Error::Duplicate { name: "calls".parse().unwrap() }
    );
    assert_eq!(spend(&limits, "ada s x", START), 2);
}

fn everything() -> Vec<Limit> {
    vec![
        limit("agent", Per::Agent, "*", each_second(5)),
        money(10, Some(DAY)),
        calls(3),
        limit_of(
            "tokens",
            Per::Label,
            "llm/*",
            Kind::Budget { amount: 9, window: None, cost: "tokens".to_owned(), refund: false },
        ),
        limit_of("daily", Per::Host, "*", Kind::Quota { actions: 100, window: DAY, refund: true }),
    ]
}

/// Counts after a day with everything in it.
fn used() -> Limits {
    let limits = Limits::new(everything()).unwrap();
    start(&limits, &costing(4, "ada s x", START)).succeed(&[], at(START));
    drop(start(&limits, &costing(3, "ada s x", START)));
    start(&limits, &costing(2, "bob s x", START)).fail(at(START));
    limits
}

fn import(bytes: &[u8], now_ns: u64) -> Result<Limits, Error> {
    Limits::import(everything(), 1_000, bytes, at(now_ns))
}

#[test]
fn counts_survive_a_restart_and_time_goes_on() {
    let before = used();
    for lost in [0, 2 * SECOND, 3_600 * SECOND, 5_000 * SECOND, 86_400 * SECOND, 94_000 * SECOND] {
        let after = import(&before.export(), START + lost).unwrap();
        for (cost, words) in (0..11).flat_map(|cost| ["ada s x", "bob s x", "cy s x"].map(|words| (cost, words))) {
            let action = costing(cost, words, START + lost);
            let outcomes = [&before, &after].map(|limits| limits.reserve(&action).map(drop));
            assert_eq!(outcomes[0], outcomes[1], "{words} for {cost} after {lost} ns");
        }
        let room = |limits: &Limits| {
            let action = costing(0, "ada s x", START + lost);
            std::iter::from_fn(|| limits.reserve(&action).ok()).collect::<Vec<_>>().len()
        };
        assert_eq!(room(&before), room(&after), "after {lost} ns");
    }
    assert_eq!(import(&before.export(), START + 94_000 * SECOND).unwrap().keys(), 0);
    let bytes = used().export();
    let smaller = Limits::import(vec![money(5, Some(DAY))], 1_000, &bytes, at(START)).unwrap();
    assert!(!fits(&smaller, 0, START), "7 of 5 are used");
    assert_eq!(Limits::import(everything(), 2, &bytes, at(START)).unwrap_err(), Error::SnapshotKeys { keys_max: 2 });
    assert!(bytes.len() < 1_000);
}

#[test]
fn a_snapshot_of_a_snapshot_is_the_same() {
    let bytes = used().export();
    let again = import(&bytes, START).unwrap().export();
    assert_eq!(bytes.len(), again.len());
    assert_eq!(import(&again, START).unwrap().export().len(), again.len());
}

#[test]
fn says_what_is_wrong_with_a_snapshot() {
    let bytes = used().export();
    let mut newer = bytes.clone();
    newer[4] = 2;
    assert_eq!(import(&newer, START).unwrap_err(), Error::SnapshotVersion { version: 2 });
    assert_eq!(import(b"no snapshot", START).unwrap_err(), Error::Snapshot { at: 4, what: "this is no snapshot" });
    let cut = import(&bytes[..bytes.len() - 1], START).unwrap_err();
    assert_eq!(
        cut.to_string(),
        "the snapshot of limits is damaged at byte `5`: its checksum is another; take an older one or start without it"
    );
}

proptest! {
    #[test]
    fn refuses_whatever_was_not_exported(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(import(&bytes, START).is_err());
        let mut disguised = used().export()[..5].to_vec();
        disguised.extend(bytes);
        prop_assert!(import(&disguised, START).is_err());
    }

    #[test]
    fn refuses_altered_snapshots(at in any::<prop::sample::Index>(), bit in 0..8u8, cut in any::<prop::sample::Index>()) {
        let bytes = used().export();
        let mut altered = bytes.clone();
        altered[at.index(bytes.len())] ^= 1 << bit;
        prop_assert!(import(&altered, START).is_err());
        prop_assert!(import(&bytes[..cut.index(bytes.len())], START).is_err());
    }
}
