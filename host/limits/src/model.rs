//! Every interleaving of calls on small limits, by the model checker:
//! `RUSTFLAGS="--cfg loom" cargo test --release -p vak-limits --lib model`.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use loom::thread;
use vak_types::{Action, ActionRequest, AttributeValue, Json, Timestamp};

use crate::hash::Seed;
use crate::{Kind, Limit, Limits, Per, Rate};

const NOW: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);

fn action(agent: &str, cost: i64) -> Action {
    ActionRequest {
        agent: agent.parse().unwrap(),
        session: "s".parse().unwrap(),
        operation: "x".parse().unwrap(),
        resource: "r".parse().unwrap(),
        arguments: Json::default(),
        attributes: [("cost".to_owned(), AttributeValue::Integer(cost))].into(),
        labels: Vec::new(),
    }
    .at("a-1".parse().unwrap(), NOW)
}

fn rate(per: Per, burst: u32) -> Limit {
    let rate = Kind::rate(Rate::new(burst, 1, Duration::from_secs(1)).unwrap());
    Limit::new("rate".parse().unwrap(), per, "*".parse().unwrap(), rate)
}

fn money(amount: u64) -> Limit {
    let budget = Kind::Budget { amount, window: None, cost: "cost".to_owned(), refund: true };
    Limit::new("money".parse().unwrap(), Per::Host, "*".parse().unwrap(), budget)
}

/// Each run has to take the same locks, so the seed is fixed.
fn limits(limits: Vec<Limit>) -> Limits {
    Limits::seeded(limits, 100, Seed([1, 2])).unwrap()
}

fn check(model: impl Fn() + Send + Sync + 'static) {
    // Seconds instead of hours, and nearly every fault needs no more.
    let mut checker = loom::model::Builder::new();
    checker.preemption_bound = Some(4);
    checker.check(model);
}

/// Reserves and ends an action; what it spent.
fn call(limits: &Limits, agent: &str, cost: u64, succeeds: bool) -> u64 {
    let Ok(reservation) = limits.reserve(&action(agent, cost as i64)) else { return 0 };
    let held = reservation.hold();
    if succeeds {
        held.succeed(&[], NOW);
        return cost;
    }
    held.fail(NOW);
    0
}

#[test]
fn a_budget_is_never_overspent_by_one() {
    check(|| {
        let limits = limits(vec![money(3), rate(Per::Agent, 5)]);
        let calls = [("ada", true), ("bob", false)].map(|(agent, succeeds)| {
            let limits = limits.clone();
            thread::spawn(move || call(&limits, agent, 2, succeeds))
        });
        let spent = call(&limits, "cy", 2, true) + calls.into_iter().map(|call| call.join().unwrap()).sum::<u64>();
        assert!(spent <= 3);
        assert_eq!(call(&limits, "cy", 3 - spent, true), 3 - spent, "what is left is left");
        assert_eq!(call(&limits, "cy", 1, true), 0);
    });
}

#[test]
fn a_bucket_counts_across_a_replacement() {
    check(|| {
        let limits = limits(vec![rate(Per::Host, 2)]);
        let calling = limits.clone();
        let calls = thread::spawn(move || call(&calling, "ada", 1, true) + call(&calling, "ada", 1, true));
        let replaced = limits.replace(vec![rate(Per::Host, 3)], NOW).unwrap();
        let spent = calls.join().unwrap();
        assert_eq!(spent, 2);
        assert_eq!((0..3).map(|_| call(&replaced, "bob", 1, true)).sum::<u64>(), 1);
    });
}
