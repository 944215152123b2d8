//! Many threads at once.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::thread;

use vak_limits::{Kind, Limits, Per, Reservation};

use crate::support::{SECOND, START, action, at, budget, costing, each_second, limit, limit_of, limits, spend, start};

const THREADS: usize = 8;

/// What `work` returns in each of eight threads that start together, summed.
fn in_parallel(work: impl Fn(usize) -> usize + Sync) -> usize {
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        let (start, work) = (&start, &work);
        let run = move |thread| {
            start.wait();
            work(thread)
        };
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || run(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

#[test]
fn admits_exactly_the_burst() {
    let limits = limits([
        limit("agent", Per::Agent, "*", each_second(100_000)),
        limit("host", Per::Host, "*", each_second(50_000)),
    ]);
    let admitted = in_parallel(|thread| {
        let action = action(&format!("agent-{thread} s x"), SECOND);
        (0..20_000).filter_map(|_| limits.reserve(&action).ok()).map(Reservation::hold).count()
    });
    assert_eq!(admitted, 50_000);
}

#[test]
fn refused_actions_make_no_other_fail() {
    // The writers always fail at their second limit. Were what they take from
    // the first one visible, the readers would miss some of their burst.
    let limits = limits([
        limit("host", Per::Host, "*", each_second(10_000)),
        limit("write", Per::Operation, "write", each_second(1)),
    ]);
    assert_eq!(spend(&limits, "ada s write", SECOND), 1);
    let admitted = in_parallel(|thread| {
        let operation = if thread % 2 == 0 { "read" } else { "write" };
        let action = action(&format!("agent-{thread} s {operation}"), SECOND);
        (0..9_999 / 3).filter_map(|_| limits.reserve(&action).ok()).map(Reservation::hold).count()
    });
    // Four readers ask for more than there is, so they get all of it.
    assert_eq!(admitted, 9_999);
}

#[test]
fn never_more_in_flight_than_the_burst_and_all_of_it_returns() {
    const BURST: usize = 5;
    let limits = limits([
        limit("agent", Per::Agent, "*", each_second(1_000)),
        limit("host", Per::Host, "*", each_second(BURST as u32)),
    ]);
    let in_flight = AtomicUsize::new(0);
    let dropped = in_parallel(|thread| {
        let action = action(&format!("agent-{} s x", thread % 3), SECOND);
        let attempt = |_: &usize| {
            let Ok(_reservation) = limits.reserve(&action) else { return false };
            assert!(in_flight.fetch_add(1, Relaxed) < BURST);
            in_flight.fetch_sub(1, Relaxed);
            true
        };
        (0..20_000).filter(attempt).count()
    });
    assert!(dropped > 0);
    assert_eq!(spend(&limits, "ada s x", SECOND), BURST);
}

#[test]
fn sweeps_and_new_keys_do_not_lose_count() {
    // Every key is new and time runs, so keys come and go in all shards. Were
    // one lost from the count, or counted twice, the last check would fail.
    const KEYS_MAX: usize = 60_000;
    let sessions = limit("sessions", Per::Session, "*", each_second(1));
    let limits = Limits::with_keys_max(vec![sessions], KEYS_MAX).unwrap();
    in_parallel(|thread| {
        for n in 0..20_000 {
            let action = action(&format!("agent-{} s{thread}-{n} x", n % 50), SECOND + n * SECOND / 1_000);
            start(&limits, &action);
        }
        0
    });
    let later = 1_000 * SECOND;
    for n in 0..KEYS_MAX {
        start(&limits, &action(&format!("ada s{n} x"), later));
    }
    assert_eq!(limits.reserve(&action("ada s x", later)).unwrap_err().retry_after, None);
}

/// Money, places and tokens at once, ends of every sort, and limits that are
/// replaced meanwhile: at no time is there one too many.
#[test]
fn ten_thousand_calls_never_overspend_by_one() {
    const AMOUNT: u64 = 10_007;
    const AT_ONCE: u64 = 5;
    let configured = || {
        vec![
            limit_of("money", Per::Host, "*", budget(AMOUNT, None)),
            limit_of("places", Per::Host, "*", Kind::Concurrency { at_once: AT_ONCE }),
            limit("agent", Per::Agent, "*", each_second(1_000_000)),
        ]
    };
    let limits = Limits::new(configured()).unwrap();
    let (spent, under_way) = (AtomicU64::new(0), AtomicU64::new(0));
    in_parallel(|thread| {
        for n in 0..10_000_u64 {
            let cost = n % 3 + 1;
            let Ok(reservation) = limits.reserve(&costing(cost as i64, &format!("agent-{thread} s x"), START)) else {
                continue;
            };
            assert!(under_way.fetch_add(1, Relaxed) < AT_ONCE);
            if n % 5 == 0 {
                under_way.fetch_sub(1, Relaxed);
                drop(reservation);
                continue;
            }
            let held = reservation.hold();
            if n % 100 == 0 {
                limits.replace(configured(), at(START)).unwrap();
            }
            let actual = if n % 2 == 0 { cost } else { cost - 1 };
            under_way.fetch_sub(1, Relaxed);
            if n % 7 == 0 {
                held.fail(at(START));
            } else {
                assert!(spent.fetch_add(actual, Relaxed) + actual <= AMOUNT);
                held.succeed(&[("cost", actual)], at(START));
            }
        }
        0
    });
    let left = AMOUNT - spent.load(Relaxed);
    let attempt = |cost: u64| limits.reserve(&costing(cost as i64, "ada s x", START)).is_ok();
    assert!(!attempt(left + 1));
    assert!(attempt(left));
}
