//! What is too late.

use futures_executor::block_on;
use vak::{ApprovalError, Decision};

use crate::refused;
use crate::support::*;

#[test]
fn nobody_answers_after_the_time() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let (_, early) = escalated(&host);
    clock.forward(1);
    let (_, late) = escalated(&host);
    clock.forward(WAIT - 1);
    refused!(approve(&host, early), ApprovalError::Expired(_));
    assert_eq!(host.approvals().len(), 1);
    approve(&host, late).unwrap();
}

#[test]
fn nobody_uses_a_yes_after_the_time() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let (first, one) = escalated(&host);
    let (second, two) = escalated(&host);
    clock.forward(WAIT - 1);
    approve(&host, one).unwrap();
    approve(&host, two).unwrap();
    // Its time is its own.
    clock.forward(WAIT - 1);
    assert_eq!(decision(again(&host, one, &first)), Decision::Allow);
    clock.forward(1);
    refused!(again(&host, two, &second), ApprovalError::Expired(_));
    refused!(again(&host, one, &first), ApprovalError::Used(_));
}

/// What is over is over, whatever the clock shows later.
#[test]
fn a_clock_that_is_set_back_revives_nothing() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let (_, unanswered) = escalated(&host);
    let (action, approved) = escalated(&host);
    approve(&host, approved).unwrap();
    clock.forward(WAIT);
    assert!(host.approvals().is_empty());
    for back in [1, WAIT - 1, 1_000_000] {
        clock.back(back);
        refused!(approve(&host, unanswered), ApprovalError::Expired(_));
        refused!(again(&host, approved, &action), ApprovalError::Expired(_));
    }
    // What is asked then has all of its time.
    let (_, seq) = escalated(&host);
    clock.forward(WAIT - 1);
    approve(&host, seq).unwrap();
}

/// Nor does it make anything younger.
#[test]
fn time_that_passed_has_passed() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let (_, seq) = escalated(&host);
    for _ in 0..2 {
        clock.forward(WAIT / 2);
        host.approvals();
        clock.back(WAIT / 2);
        host.approvals();
    }
    refused!(approve(&host, seq), ApprovalError::Expired(_));
    // One that is set forward makes everything older.
    let (_, seq) = escalated(&host);
    clock.forward(1_000_000);
    refused!(approve(&host, seq), ApprovalError::Expired(_));
}

#[test]
fn the_time_is_the_operators_to_choose() {
    let (site, clock) = (site().section("[approvals]\nwait_s = 5"), Clock::new());
    let host = clock.host(&site);
    let (_, seq) = escalated(&host);
    clock.forward(5);
    refused!(approve(&host, seq), ApprovalError::Expired(_));
    drop(host);
    for wrong in ["wait_s = 0", "wait_s = 604801", "wait_s = -1", "wait = 5"] {
        let site = crate::support::site().section(&format!("[approvals]\n{wrong}"));
        assert!(vak::Config::load(&site.config(), &[]).is_err(), "{wrong}");
    }
}

/// Threads that answer while the time is up for the others: each answer is in
/// the log or refused, and none is both.
#[test]
fn answers_while_others_expire() {
    let (site, clock) = (site().section("[approvals]\nwait_s = 1"), Clock::new());
    let host = clock.host(&site);
    let seqs: Vec<u64> = (0..60).map(|_| escalated(&host).1).collect();
    let answered = std::thread::scope(|threads| {
        let expire = threads.spawn(|| clock.forward(1));
        let answer = |seq: &u64| match block_on(host.approve(*seq, &grace(), "")) {
            Ok(_) => 1,
            Err(ApprovalError::Expired(_)) => 0,
            Err(other) => panic!("{other}"),
        };
        let threads: Vec<_> =
            seqs.chunks(15).map(|seqs| threads.spawn(move || seqs.iter().map(answer).sum::<usize>())).collect();
        expire.join().unwrap();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
    });
    assert_eq!(answers(&host.log()).len(), answered);
}
