//! From the decision to the outcome.

use std::thread;
use std::time::{Duration, Instant};

use super::server::{Redis, free_port};
use super::{action, budget, host, quota, spends};

#[test]
fn what_is_denied_fails_or_costs_less_comes_back() {
    let redis = Redis::start();
    let host = host(&redis.url(), vec![budget("money", 100, true)]);
    for _ in 0..3 {
        drop(host.reserve(&action(100)).unwrap());
    }
    for _ in 0..3 {
        host.reserve(&action(100)).unwrap().hold().fail();
    }
    host.reserve(&action(100)).unwrap().hold().succeed(&[("cents", 30), ("others", 1)]);
    assert!(!spends(&host, 71) && spends(&host, 70) && !spends(&host, 1));
}

#[test]
fn what_fails_stays_spent_without_a_refund_and_what_nobody_ends_too() {
    let redis = Redis::start();
    let host = host(&redis.url(), vec![budget("money", 100, false)]);
    host.reserve(&action(60)).unwrap().hold().fail();
    drop(host.reserve(&action(30)).unwrap().hold());
    assert!(!spends(&host, 11) && spends(&host, 10));
}

#[test]
fn what_costs_more_than_it_said_is_a_debt_of_all_hosts() {
    let redis = Redis::start();
    let limits = || vec![budget("money", 100, true)];
    let (one, two) = (host(&redis.url(), limits()), host(&redis.url(), limits()));
    assert!(spends(&two, 1), "and has a lease of 5");
    one.reserve(&action(10)).unwrap().hold().succeed(&[("cents", 200)]);
    assert_eq!(redis.leased(), 205);
    assert!(!spends(&one, 0), "not even what costs nothing");
    assert!(spends(&two, 4) && !spends(&two, 1), "what is leased is spent, and no more");
}

/// Paid out of the lease as far as that goes.
#[test]
fn a_small_debt_is_paid_out_of_the_lease() {
    let redis = Redis::start();
    let host = host(&redis.url(), vec![budget("money", 100, true)]);
    host.reserve(&action(1)).unwrap().hold().succeed(&[("cents", 4)]);
    assert_eq!(redis.leased(), 5);
    host.reserve(&action(1)).unwrap().hold().succeed(&[("cents", 3)]);
    assert_eq!(redis.leased(), 7);
}

#[test]
fn a_debt_is_booked_when_redis_is_back() {
    let port = free_port();
    let redis = Redis::at(port, &[]);
    let limits = || vec![budget("money", 100, true)];
    let one = host(&redis.url(), limits());
    let held = one.reserve(&action(10)).unwrap().hold();
    drop(redis);
    held.succeed(&[("cents", 500)]);
    let redis = Redis::at(port, &[]);
    let start = Instant::now();
    while redis.keys().is_empty() {
        assert!(start.elapsed() < Duration::from_secs(10), "it is never booked");
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(redis.leased(), 490);
    assert!(!spends(&host(&redis.url(), limits()), 1) && !spends(&one, 1));
}

#[test]
fn an_action_takes_of_all_limits_or_of_none() {
    let redis = Redis::start();
    let host = host(&redis.url(), vec![quota(20, 3_600), budget("money", 100, true)]);
    for _ in 0..50 {
        assert!(host.reserve(&action(101)).is_err());
    }
    assert!(spends(&host, 100));
    for _ in 0..50 {
        assert_eq!(host.reserve(&action(1)).unwrap_err().limit.as_str(), "money");
    }
    assert_eq!((0..30).filter(|_| spends(&host, 0)).count(), 19);
}
