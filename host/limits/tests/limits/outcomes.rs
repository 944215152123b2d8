//! What becomes of quotas, places and budgets when an action has ended.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use vak_limits::{Error, Kind, Limit, Limits, Per, Reservation};
use vak_types::AttributeValue;

use crate::support::{
    DAY, SECOND, START, action, at, budget, costing, each_second, limit, limit_of, limits, spend, start,
};

const HOUR: u64 = 3_600 * SECOND;

fn quota(actions: u64, refund: bool) -> Kind {
    Kind::Quota { actions, window: DAY, refund }
}

/// How many of this cost fit at this time; they are given back.
fn room(limits: &Limits, cost: i64, time_ns: u64) -> usize {
    let action = costing(cost, "ada s x", time_ns);
    let reservations: Vec<_> = std::iter::from_fn(|| limits.reserve(&action).ok()).take(1_000).collect();
    reservations.len()
}

#[test]
fn each_kind_gives_back_what_it_refunds() {
    // Of ten, four are denied, and three each succeed and fail.
    let cases = [
        (Kind::rate(each_second(10)), false, 4),
        (quota(10, false), false, 4),
        (quota(10, true), true, 7),
        (Kind::Concurrency { at_once: 10 }, true, 10),
        (budget(10, Some(DAY)), true, 7),
        (budget(10, None), true, 7),
        (Kind::Budget { amount: 10, window: None, cost: "cost".to_owned(), refund: false }, false, 4),
    ];
    for (kind, awaits_outcome, left) in cases {
        let limits = limits([limit_of("one", Per::Agent, "*", kind.clone())]);
        let action = costing(1, "ada s x", START);
        let mut reservations: Vec<_> = std::iter::from_fn(|| limits.reserve(&action).ok()).collect();
        assert_eq!(reservations.len(), 10, "{kind}");
        let mut held: Vec<_> = reservations.drain(4..).map(Reservation::hold).collect();
        drop(reservations);
        assert!(held.iter().all(|held| held.awaits_outcome() == awaits_outcome), "{kind}");
        assert_eq!(room(&limits, 1, START), 4, "{kind}");
        held.drain(3..).for_each(|held| held.fail(at(START)));
        held.into_iter().for_each(|held| held.succeed(&[], at(START)));
        assert_eq!(room(&limits, 1, START), left, "{kind}");
    }
}

#[test]
fn the_actual_cost_is_what_is_booked() {
    let limits = limits([limit_of("money", Per::Agent, "*", budget(100, Some(DAY)))]);
    let held = start(&limits, &costing(60, "ada s x", START));
    assert_eq!(room(&limits, 1, START), 40);
    held.succeed(&[("tokens", 1), ("cost", 10)], at(START));
    assert_eq!(room(&limits, 1, START), 90);
    // More than reserved, and more than there is: a debt of 20.
    start(&limits, &costing(90, "ada s x", START)).succeed(&[("cost", 110)], at(START + HOUR));
    assert_eq!(room(&limits, 0, START + HOUR), 0);
    let exceeded = limits.reserve(&costing(1, "ada s x", START + HOUR)).unwrap_err();
    assert_eq!(
        exceeded.message,
        format!(
            "agent `ada` is limited to 100 of `cost` in 86400s in `*`; try again in {:?}",
            exceeded.retry_after.unwrap()
        )
    );
    assert_eq!(room(&limits, 1, START + HOUR + exceeded.retry_after.unwrap().as_nanos() as u64), 100);
}

#[test]
fn what_nobody_ends_returns_and_ending_it_late_counts_once() {
    for (kind, booked) in [(Kind::Concurrency { at_once: 3 }, 0), (budget(3, None), 1)] {
        let hold = Duration::from_secs(60);
        let limits = limits([Limit { hold, ..limit_of("one", Per::Agent, "*", kind) }]);
        let [failing, succeeding, lost] = [0; 3].map(|_| start(&limits, &costing(1, "ada s x", START)));
        assert_eq!(room(&limits, 1, START + 60 * SECOND - 1), 0);
        let exceeded = limits.reserve(&costing(1, "ada s x", START)).unwrap_err();
        assert!(exceeded.retry_after.unwrap() >= hold && exceeded.retry_after.unwrap() <= hold * 5 / 4);
        let later = START + 75 * SECOND;
        assert_eq!(room(&limits, 1, later), 3);
        let others = [0; 2].map(|_| start(&limits, &costing(1, "ada s x", later)));
        drop(lost);
        failing.fail(at(later));
        assert_eq!(room(&limits, 1, later), 1);
        succeeding.succeed(&[], at(later));
        assert_eq!(room(&limits, 1, later), 1 - booked);
        others.into_iter().for_each(|held| held.fail(at(later)));
        assert_eq!(room(&limits, 1, later), 3 - booked);
    }
}

#[test]
fn a_cost_has_to_be_said() {
    let limits = limits([
        limit_of("agent", Per::Agent, "*", Kind::rate(each_second(2))),
        limit_of("money", Per::Host, "pay/*", budget(100, None)),
    ]);
    let cases = [
        (None, "and this does not say what it costs; set the attribute `cost`"),
        (
            Some(AttributeValue::Text("5".to_owned())),
            "and the attribute `cost` is no whole number of at least 0; correct it",
        ),
        (Some(AttributeValue::Boolean(true)), "and the attribute `cost` is no whole number of at least 0; correct it"),
        (Some(AttributeValue::Integer(-1)), "and the attribute `cost` is no whole number of at least 0; correct it"),
        (Some(AttributeValue::Integer(101)), "and this costs 101; ask for less or raise the limit"),
    ];
    for (cost, problem) in cases {
        let mut action = action("ada s pay/now", START);
        action.attributes.extend(cost.map(|cost| ("cost".to_owned(), cost)));
        let exceeded = limits.reserve(&action).unwrap_err();
        assert_eq!(exceeded.retry_after, None);
        assert_eq!(
            exceeded.to_string(),
            format!("limit `money`: this host is limited to 100 of `cost` in `pay/*`, {problem}")
        );
    }
    // Nothing was consumed by those, and what the budget does not cover is free.
    assert_eq!(spend(&limits, "ada s x", START), 2);
    start(&limits, &costing(0, "bob s pay/now", START)).succeed(&[], at(START));
    start(&limits, &costing(100, "bob s pay/now", START)).succeed(&[], at(START));
    let exceeded = limits.reserve(&costing(1, "cy s pay/now", START)).unwrap_err();
    assert!(exceeded.message.ends_with("which is used up; raise the limit"), "{exceeded}");
}

#[test]
fn every_label_counts_for_itself_and_once() {
    let limits = limits([limit_of("labels", Per::Label, "*", quota(2, false))]);
    assert_eq!(spend(&limits, "ada s x", START), 1_000);
    start(&limits, &action("ada s x web web mail", START));
    start(&limits, &action("bob s x web", START));
    let exceeded = limits.reserve(&action("ada s x mail web", START)).unwrap_err();
    assert!(exceeded.message.starts_with("label `web` is limited to 2 in 86400s in `*`; try again in"), "{exceeded}");
    start(&limits, &action("ada s x mail", START));
    let many = |count: usize| (0..count).map(|n| format!(" l{n}")).collect::<String>();
    start(&limits, &action(&format!("ada s x{}", many(64)), START));
    let exceeded = limits.reserve(&action(&format!("ada s x{}", many(65)), START)).unwrap_err();
    assert_eq!(exceeded.message, "the action has `65` labels; the most that are counted is 64");
}

#[test]
fn refuses_terms_that_cannot_be_meant() {
    let quota = |actions, window| Kind::Quota { actions, window, refund: false };
    let name = || "one".parse().unwrap();
    let (short, long) = (Duration::from_millis(999), DAY * 367);
    let one = |kind| limit_of("one", Per::Host, "*", kind);
    let costless = Kind::Budget { amount: 1, window: None, cost: String::new(), refund: true };
    let cases = [
        (one(quota(0, DAY)), Error::Amount { name: name(), amount: 0 }),
        (one(quota(u64::MAX, DAY)), Error::Amount { name: name(), amount: u64::MAX }),
        (one(quota(1, short)), Error::Window { name: name(), window: short }),
        (one(quota(1, long)), Error::Window { name: name(), window: long }),
        (one(Kind::Concurrency { at_once: 0 }), Error::Amount { name: name(), amount: 0 }),
        (one(costless), Error::Cost { name: name() }),
        (Limit { hold: short, ..one(quota(1, DAY)) }, Error::Hold { name: name(), hold: short }),
        (Limit { near_percent: Some(101), ..one(quota(1, DAY)) }, Error::Near { name: name(), percent: 101 }),
    ];
    for (limit, error) in cases {
        assert_eq!(Limits::new(vec![limit]).unwrap_err(), error);
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Reserve { pass_s: u64, cost: u64 },
    End { which: usize, actual: Option<u64> },
    Wait { cost: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..40u64, 0..5u64).prop_map(|(pass_s, cost)| Step::Reserve { pass_s, cost }),
        3 => (any::<usize>(), proptest::option::of(0..7u64)).prop_map(|(which, actual)| Step::End { which, actual }),
        1 => (1..5u64).prop_map(|cost| Step::Wait { cost }),
    ]
}

/// An amount from a time on.
type Since = (u64, u64);

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Against lists of what is spent and held. The slack of a slice is the only
    /// difference, and a wait that is said is exact.
    #[test]
    fn a_budget_equals_its_definition(steps in vec(step(), 1..80)) {
        const AMOUNT: u64 = 10;
        const WINDOW_S: u64 = 120;
        const HOLD_S: u64 = 40;
        let kind = budget(AMOUNT, Some(Duration::from_secs(WINDOW_S)));
        let money = Limit { hold: Duration::from_secs(HOLD_S), ..limit_of("money", Per::Agent, "*", kind) };
        let limits = limits([money, limit("agent", Per::Agent, "*", each_second(1_000_000))]);
        let (mut spent, mut open, mut lost): (Vec<Since>, Vec<_>, Vec<Since>) = Default::default();
        let mut now_ns = START;
        let used = |spent: &[Since], held: &[Since], now_ns: u64, window_s: u64, hold_s: u64| {
            let within = |list: &[Since], span_s: u64| {
                list.iter().filter(|(at_ns, _)| now_ns - at_ns < span_s * SECOND).map(|(_, amount)| amount).sum::<u64>()
            };
            within(spent, window_s) + within(held, hold_s)
        };
        for step in steps {
            let held: Vec<Since> = open.iter().map(|(since, _)| *since).chain(lost.iter().copied()).collect();
            match step {
                Step::Reserve { pass_s, cost } => {
                    now_ns += pass_s * SECOND;
                    match limits.reserve(&costing(cost as i64, "ada s x", now_ns)) {
                        Ok(reservation) => {
                            prop_assert!(used(&spent, &held, now_ns, WINDOW_S, HOLD_S) + cost <= AMOUNT);
                            open.push(((now_ns, cost), reservation.hold()));
                        }
                        Err(_) => {
                            prop_assert!(used(&spent, &held, now_ns, WINDOW_S * 13 / 12, HOLD_S * 5 / 4) + cost > AMOUNT);
                        }
                    }
                }
                Step::End { which, actual } if !open.is_empty() => {
                    let ((_, cost), held) = open.swap_remove(which % open.len());
                    match actual {
                        Some(6) => {
                            spent.push((now_ns, cost));
                            held.succeed(&[], at(now_ns));
                        }
                        Some(actual) => {
                            spent.push((now_ns, actual));
                            held.succeed(&[("cost", actual)], at(now_ns));
                        }
                        None => held.fail(at(now_ns)),
                    }
                }
                Step::End { .. } => {}
                Step::Wait { cost } => {
                    // Whatever is under way is lost from here on.
                    lost.extend(open.drain(..).map(|(since, _)| since));
                    let Err(exceeded) = limits.reserve(&costing(cost as i64, "ada s x", now_ns)) else { continue };
                    let wait_ns = exceeded.retry_after.unwrap().as_nanos() as u64;
                    prop_assert!(limits.reserve(&costing(cost as i64, "ada s x", now_ns + wait_ns - 1)).is_err());
                    now_ns += wait_ns;
                    prop_assert!(limits.reserve(&costing(cost as i64, "ada s x", now_ns)).is_ok());
                }
            }
        }
    }
}
