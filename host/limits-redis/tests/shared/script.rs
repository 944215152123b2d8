//! The script against a model that has nothing but a list of what happened.

use std::sync::atomic::{AtomicU64, Ordering};

use proptest::collection::vec;
use proptest::prelude::*;
use redis::Connection;

use super::server::Redis;

const SCRIPT: &str = include_str!("../../src/lease.lua");

/// So long that no key expires meanwhile: Redis does that by its own clock.
const SLOT_US: u64 = 600_000_000;

#[derive(Debug, Clone)]
struct Step {
    host: usize,
    pass_us: u64,
    least: u64,
    wanted: u64,
    owed: u64,
    /// How much of what it has it spends before, in percent.
    spends: u64,
}

fn step() -> impl Strategy<Value = Step> {
    let passes = prop_oneof![0..SLOT_US / 10, 0..3 * SLOT_US, Just(SLOT_US), Just(13 * SLOT_US)];
    let owed = prop_oneof![9 => Just(0), 1 => 0..60u64];
    (0..3usize, passes, 0..30u64, 0..30u64, owed, 0..=100u64).prop_map(|(host, pass_us, least, more, owed, spends)| {
        Step { host, pass_us, least, wanted: least + more, owed, spends }
    })
}

/// What a host has, as it believes itself.
#[derive(Debug, Clone, Copy, Default)]
struct Lease {
    slot: u64,
    left: u64,
}

struct Case {
    redis: Connection,
    key: String,
    amount: u64,
}

impl Case {
    /// What is granted or -1, the slot, what is left of it, and the wait.
    fn ask(&mut self, step: &Step, back: Lease, now_us: u64) -> [i64; 4] {
        let mut command = redis::cmd("EVAL");
        command.arg(SCRIPT).arg(1).arg(&self.key).arg(SLOT_US).arg(self.amount);
        command.arg(step.least).arg(step.wanted).arg(step.owed).arg(back.slot).arg(back.left).arg(now_us);
        command.query::<Vec<i64>>(&mut self.redis).unwrap().try_into().unwrap()
    }
}

fn case(redis: &Redis, amount: u64) -> Case {
    static CASES: AtomicU64 = AtomicU64::new(0);
    let key = format!("case-{}", CASES.fetch_add(1, Ordering::Relaxed));
    Case { redis: redis::Client::open(redis.url()).unwrap().get_connection().unwrap(), key, amount }
}

#[test]
fn does_what_a_list_of_events_says_and_never_more_than_the_amount() {
    let redis = Redis::start();
    let start_us = 2_000_000 * SLOT_US + 17;
    proptest!(ProptestConfig::with_cases(300), |(amount in 1..100u64, steps in vec(step(), 1..60))| {
        let mut case = case(&redis, amount);
        let mut now_us = start_us;
        let mut leases = [Lease::default(); 3];
        // What counts: the slot and how much. What was spent: when and how much.
        let mut counted: Vec<(u64, u64)> = Vec::new();
        let mut spent: Vec<(u64, u64)> = Vec::new();
        for step in steps {
            let lease = &mut leases[step.host];
            if lease.slot == now_us / SLOT_US {
                let spends = lease.left * step.spends / 100;
                lease.left -= spends;
                spent.push((now_us, spends));
            }
            now_us += step.pass_us;
            let slot = now_us / SLOT_US;
            // All that is left goes back, whether its slot is over or not.
            let back = std::mem::take(lease);
            let mut gone = back.left;
            for (_, amount) in counted.iter_mut().filter(|(slot, _)| *slot == back.slot) {
                let less = gone.min(*amount);
                (*amount, gone) = (*amount - less, gone - less);
            }
            counted.push((slot, step.owed));
            let sum: u64 = counted.iter().filter(|(in_slot, _)| in_slot + 13 > slot).map(|(_, amount)| amount).sum();

            let [granted, in_slot, left_us, wait_us] = case.ask(&step, back, now_us);
            prop_assert_eq!(in_slot as u64, slot);
            prop_assert_eq!(left_us as u64, SLOT_US - now_us % SLOT_US);
            if sum + step.least <= amount {
                let granted = granted as u64;
                prop_assert_eq!(granted, step.wanted.min(amount - sum));
                counted.push((slot, granted));
                leases[step.host] = Lease { slot, left: granted };
            } else {
                prop_assert_eq!(granted, -1);
                let later = (now_us + wait_us as u64) / SLOT_US;
                let then = |slot: u64| counted.iter().filter(|(at, _)| at + 13 > slot).map(|(_, it)| it).sum::<u64>() + step.least;
                if step.least <= amount {
                    prop_assert!(then(later) <= amount, "there is no room after the wait");
                    prop_assert!(then(later - 1) > amount, "there is room before");
                }
            }
            // Whoever has a lease may spend all of it in its slot; with what was
            // spent in the window that is never above the amount.
            let within = spent.iter().filter(|(at_us, _)| at_us + 12 * SLOT_US > now_us).map(|(_, amount)| amount);
            let live = leases.iter().filter(|lease| lease.slot == slot).map(|lease| lease.left);
            prop_assert!(within.chain(&live.collect::<Vec<_>>()).sum::<u64>() <= amount);
        }
    });
}

#[test]
fn a_clock_that_is_set_back_makes_leases_count_longer_and_not_for_good() {
    let redis = Redis::start();
    let mut case = case(&redis, 10);
    let step = |least| Step { host: 0, pass_us: 0, least, wanted: least, owed: 0, spends: 0 };
    let none = Lease::default();
    let at = |slot: u64| slot * SLOT_US;
    assert_eq!(case.ask(&step(6), none, at(2_000_000))[0], 6);
    assert_eq!(case.ask(&step(2), none, at(2_000_001))[0], 2);
    for slot in [1_000_000, 1_000_005, 1_000_013] {
        assert_eq!(case.ask(&step(3), none, at(slot))[0], -1, "{slot}");
    }
    assert_eq!(case.ask(&step(10), none, at(1_000_014))[0], 10);
}

#[test]
fn amounts_are_exact_to_the_last_one_and_debts_do_not_overflow() {
    let redis = Redis::start();
    let amount = vak_limits_redis::Shared::AMOUNT_MAX;
    let mut case = case(&redis, amount);
    let step = |least, owed| Step { host: 0, pass_us: 0, least, wanted: least, owed, spends: 0 };
    let none = Lease::default();
    let now_us = 2_000_000 * SLOT_US;
    assert_eq!(case.ask(&step(amount - 1, 0), none, now_us)[0] as u64, amount - 1);
    assert_eq!(case.ask(&step(2, 0), none, now_us)[0], -1);
    assert_eq!(case.ask(&step(1, 0), none, now_us)[0], 1);
    for _ in 0..20_000 / 100 {
        assert_eq!(case.ask(&step(0, amount), none, now_us)[0], -1);
    }
    assert_eq!(case.ask(&step(amount, 0), none, now_us + 13 * SLOT_US)[0] as u64, amount);
}
