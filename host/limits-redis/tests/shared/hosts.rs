//! Several hosts that share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use vak_limits::{Limit, Per};

use super::server::Redis;
use super::{action, action_of, budget, host, quota, spends_at_last};

#[test]
fn together_they_admit_the_amount_and_at_most_a_slice_each_less() {
    const HOSTS: u64 = 8;
    const AMOUNT: u64 = 1_000;
    let redis = Redis::start();
    let admitted = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..HOSTS {
            scope.spawn(|| {
                let host = host(&redis.url(), vec![quota(AMOUNT, 3_600)]);
                for _ in 0..10_000 / HOSTS {
                    admitted.fetch_add(u64::from(spends_at_last(&host, 1)), Ordering::Relaxed);
                }
            });
        }
    });
    let admitted = admitted.into_inner();
    assert!((AMOUNT - HOSTS * AMOUNT / 20..=AMOUNT).contains(&admitted), "{admitted}");
}

/// In real time, with slots that end all the while. Where an action was admitted
/// between its start and its end is not known, so both are looked at.
#[test]
fn no_window_has_more_than_the_amount() {
    const AMOUNT: usize = 40;
    const WINDOW: Duration = Duration::from_secs(1);
    let redis = Redis::start();
    let begin = Instant::now();
    let run = || {
        let host = host(&redis.url(), vec![quota(AMOUNT as u64, 1)]);
        let mut admitted = Vec::new();
        while begin.elapsed() < Duration::from_secs(4) {
            let start = begin.elapsed();
            if spends_at_last(&host, 1) {
                admitted.push((begin.elapsed(), start));
            }
            thread::sleep(Duration::from_millis(2));
        }
        admitted
    };
    let mut admitted: Vec<_> = thread::scope(|scope| {
        let hosts: Vec<_> = (0..3).map(|_| scope.spawn(run)).collect();
        hosts.into_iter().flat_map(|host| host.join().unwrap()).collect()
    });
    admitted.sort_unstable();
    for more in admitted.windows(AMOUNT + 1) {
        let first_start = more.iter().map(|(_, start)| *start).min().unwrap();
        let last_end = more[AMOUNT].0;
        assert!(last_end - first_start >= WINDOW, "{} in {:?}", AMOUNT + 1, last_end - first_start);
    }
    // Four windows, of which each may keep what it has a twelfth longer.
    assert!(admitted.len() > 2 * AMOUNT, "{}", admitted.len());
}

#[test]
fn who_waits_as_told_finds_room() {
    let redis = Redis::start();
    let host = host(&redis.url(), vec![quota(2, 1)]);
    for _ in 0..2 {
        assert!(spends_at_last(&host, 1) && spends_at_last(&host, 1));
        let exceeded = host.reserve(&action(0)).unwrap_err();
        assert!(exceeded.message.starts_with("agent `ada` is limited to 2 in 1s in `*`; try again in "), "{exceeded}");
        // Both may be in slots of their own; the second leaves a slot later.
        thread::sleep(exceeded.retry_after.unwrap() + Duration::from_millis(100));
    }
}

/// It would count for a shorter time than the window.
#[test]
fn what_is_left_of_a_slot_that_is_over_is_not_spent() {
    let redis = Redis::start();
    let host = host(&redis.url(), vec![quota(10_000, 1)]);
    for asked in 1..=5 {
        assert!(spends_at_last(&host, 1), "and leaves 499");
        assert_eq!(redis.asked(), asked);
        thread::sleep(Duration::from_millis(90));
    }
}

/// Otherwise twelve slots with little use would hold twelve slices.
#[test]
fn what_is_left_of_a_slot_is_given_back_with_the_next_lease() {
    let redis = Redis::start();
    let host = host(&redis.url(), vec![quota(400, 1)]);
    let begin = Instant::now();
    let mut spent = 0;
    while begin.elapsed() < Duration::from_millis(900) {
        spent += u64::from(spends_at_last(&host, 1));
        thread::sleep(Duration::from_millis(60));
    }
    assert!(redis.leased() <= spent + 20, "{} for {spent}", redis.leased());
}

#[test]
fn a_dear_action_has_a_lease_of_its_own_size_and_the_last_are_smaller() {
    let redis = Redis::start();
    let (one, two) =
        (host(&redis.url(), vec![budget("money", 100, true)]), host(&redis.url(), vec![budget("money", 100, true)]));
    assert!(spends_at_last(&one, 70) && spends_at_last(&two, 27));
    assert!(
        !spends_at_last(&one, 4)
            && spends_at_last(&one, 1)
            && spends_at_last(&one, 1)
            && spends_at_last(&one, 1)
            && !spends_at_last(&one, 1)
    );
    assert_eq!(redis.leased(), 100);
    assert!(!spends_at_last(&two, 101), "never fits");
}

#[test]
fn whoever_takes_a_name_like_anothers_shares_nothing() {
    let redis = Redis::start();
    let of = |per| Limit { per, ..quota(1, 3_600) };
    for per in [Per::Agent, Per::Session] {
        let host = host(&redis.url(), vec![of(per)]);
        for (agent, session) in [("a", "b:c"), ("a:b", "c"), ("a:b:c", ""), ("ada\u{0}", "s")] {
            let session = if session.is_empty() { "s" } else { session };
            let Ok(agent) = serde_json::from_value::<vak_types::AgentId>(agent.into()) else { continue };
            assert!(host.reserve(&action_of(agent.as_str(), session, 0)).map(|it| drop(it.hold())).is_ok());
            assert!(host.reserve(&action_of(agent.as_str(), session, 0)).is_err(), "{per:?} {agent} {session}");
        }
    }
}

#[test]
fn another_window_or_unit_is_another_count_and_another_amount_is_not() {
    let redis = Redis::start();
    let spends_all = |limit: Limit| {
        let host = host(&redis.url(), vec![limit]);
        (0..10).filter(|_| spends_at_last(&host, 1)).count()
    };
    assert_eq!(spends_all(quota(2, 3_600)), 2);
    assert_eq!(spends_all(quota(2, 7_200)), 2);
    assert_eq!(spends_all(quota(3, 3_600)), 1);
    assert_eq!(spends_all(quota(1, 3_600)), 0);
    assert_eq!(spends_all(budget("calls", 2, true)), 2);
}

/// What it means that Redis forgets: once more the amount, and no more.
#[test]
fn what_redis_forgets_is_admitted_once_more() {
    let redis = Redis::start();
    let host = host(&redis.url(), vec![quota(40, 3_600)]);
    assert_eq!((0..100).filter(|_| spends_at_last(&host, 1)).count(), 40);
    redis.say("FLUSHALL");
    thread::sleep(Duration::from_millis(150));
    assert_eq!((0..100).filter(|_| spends_at_last(&host, 1)).count(), 40);
}

#[test]
fn keys_expire() {
    let redis = Redis::start();
    assert!(spends_at_last(&host(&redis.url(), vec![quota(40, 1)]), 1));
    let key = &redis.keys()[0];
    assert!(key.starts_with("vak:calls:"), "{key}");
    let answer = redis.say(&format!("PTTL {key}"));
    let left: u64 = answer.lines().next().unwrap().trim_start_matches(':').parse().unwrap();
    assert!((500..=1_260).contains(&left), "{left}");
}
