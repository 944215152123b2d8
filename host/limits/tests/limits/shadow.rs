//! Limits that only tell.

use vak_limits::{Kind, Limit, Mode, Per, Signal};

use crate::support::{SECOND, START, action, at, budget, costing, each_second, limit, limit_of, limits, spend, start};

#[test]
fn shadow_counts_as_if_it_stopped_and_never_stops() {
    let kinds = [Kind::rate(each_second(2)), Kind::Concurrency { at_once: 2 }, budget(2, None)];
    for kind in kinds {
        let shadow = Limit { mode: Mode::Shadow, ..limit_of("shadow", Per::Agent, "*", kind.clone()) };
        let limits = limits([shadow, limit("host", Per::Host, "*", each_second(5))]);
        let action = costing(1, "ada s x", START);
        let mut held = Vec::new();
        for would_stop in [false, false, true, true, true] {
            let reservation = limits.reserve(&action).unwrap();
            match reservation.signals() {
                [] => assert!(!would_stop, "{kind}"),
                [Signal::Shadow(exceeded)] => {
                    assert!(would_stop, "{kind}");
                    assert_eq!(exceeded.limit.as_str(), "shadow");
                    assert!(exceeded.message.starts_with("agent `ada` is limited to"), "{exceeded}");
                }
                other => panic!("{kind}: {other:?}"),
            }
            held.push(reservation.hold());
        }
        assert_eq!(held.iter().filter(|held| held.signals().is_empty()).count(), 2);
        assert_eq!(limits.reserve(&action).unwrap_err().limit.as_str(), "host");
    }
}

#[test]
fn shadow_takes_nothing_of_what_others_stop() {
    let shadow = Limit { mode: Mode::Shadow, ..limit("shadow", Per::Agent, "*", each_second(3)) };
    let limits = limits([shadow, limit("write", Per::Host, "write", each_second(1))]);
    assert_eq!(spend(&limits, "ada s write", START), 1);
    assert!((0..10).all(|_| limits.reserve(&action("ada s write", START)).is_err()));
    for _ in 0..2 {
        let reservation = limits.reserve(&action("ada s read", START)).unwrap();
        assert_eq!(reservation.signals(), []);
        reservation.hold();
    }
    assert_eq!(limits.reserve(&action("ada s read", START)).unwrap().signals().len(), 1);
}

#[test]
fn shadow_does_not_stop_what_says_no_cost() {
    let limits = limits([Limit { mode: Mode::Shadow, ..limit_of("money", Per::Agent, "*", budget(2, None)) }]);
    let reservation = limits.reserve(&action("ada s x", START)).unwrap();
    let [Signal::Shadow(exceeded)] = reservation.signals() else { panic!("{reservation:?}") };
    assert!(exceeded.message.ends_with("set the attribute `cost`"), "{exceeded}");
}

#[test]
fn tells_what_is_nearly_used_up() {
    let near = |limit: Limit| Limit { near_percent: Some(80), ..limit };
    let kinds = [Kind::rate(each_second(10)), Kind::Concurrency { at_once: 10 }, budget(10, None)];
    for kind in kinds {
        let limits = limits([
            near(limit_of("near", Per::Agent, "*", kind.clone())),
            limit("b", Per::Host, "*", each_second(10)),
        ]);
        let action = costing(1, "ada s x", START);
        let mut told = Vec::new();
        let held: Vec<_> = std::iter::from_fn(|| limits.reserve(&action).ok())
            .map(|reservation| {
                told.extend(reservation.signals().iter().map(|signal| match signal {
                    Signal::Near { limit, used_percent } => (limit.to_string(), *used_percent),
                    Signal::Shadow(exceeded) => panic!("{exceeded}"),
                }));
                reservation.hold()
            })
            .collect();
        assert_eq!(told, [80, 90, 100].map(|percent| ("near".to_owned(), percent)), "{kind}");
        held.into_iter().for_each(|held| held.fail(at(START)));
        let later = costing(1, "ada s x", START + 5 * SECOND);
        assert!(start(&limits, &later).signals().is_empty(), "{kind}");
    }
}
