//! Many threads at once.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use vak_limits::{Limits, Per, Reservation};

use crate::support::{SECOND, action, each_second, limit, limits, spend};

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
        (0..20_000).filter_map(|_| limits.reserve(&action).ok()).map(Reservation::commit).count()
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
        (0..9_999 / 3).filter_map(|_| limits.reserve(&action).ok()).map(Reservation::commit).count()
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
    // Every key is new and time runs, so buckets come and go in all tables.
    // Were one lost from the count, or counted twice, the last check would fail.
    let limits = limits([limit("sessions", Per::Session, "*", each_second(1))]);
    in_parallel(|thread| {
        for n in 0..20_000 {
            let action = action(&format!("agent-{} s{thread}-{n} x", n % 50), SECOND + n * SECOND / 1_000);
            limits.reserve(&action).unwrap().commit();
        }
        0
    });
    let later = 1_000 * SECOND;
    for n in 0..Limits::KEYS_MAX {
        limits.reserve(&action(&format!("ada s{n} x"), later)).unwrap().commit();
    }
    assert_eq!(limits.reserve(&action("ada s x", later)).unwrap_err().retry_after, None);
}
