//! What is forgotten is never mistaken for what did not happen.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use vak_session::{Replay, Sessions};
use vak_types::{Action, ActionRequest, Forgotten, Operation, Past, Pattern, Step, Timestamp};

const SECOND: u64 = 1_000_000_000;

fn action(agent: &str, session: &str, id: u64, time: u64) -> Action {
    let request = serde_json::json!({
        "agent": agent, "session": session, "operation": "pay/send", "resource": "r", "labels": ["web"],
    });
    let request: ActionRequest = serde_json::from_value(request).unwrap();
    request.at(id.to_string().parse().unwrap(), Timestamp::from_nanos(time))
}

/// How many steps the session had in all, as far as it tells.
fn tally(past: &Past, now: Timestamp, within: Duration) -> Result<u32, Forgotten> {
    past.tally(now, within, &Pattern::every()).map(|tally| tally.allowed + tally.refused)
}

#[test]
fn one_at_a_time_in_a_session() {
    let sessions = Arc::new(Sessions::new(Timestamp::default()));
    let allowed = Arc::new(AtomicU32::new(0));
    let threads = (0..8).map(|thread| {
        let (sessions, allowed) = (Arc::clone(&sessions), Arc::clone(&allowed));
        thread::spawn(move || {
            for turn in 0..50 {
                let action = action("ada", "s", thread * 50 + turn, SECOND);
                let payments: Pattern<Operation> = "pay/*".parse().unwrap();
                sessions.turn(&action, &mut |past| {
                    let paid = past.tally(action.time, Duration::from_secs(1), &payments).unwrap();
                    let allow = paid.allowed < 3;
                    allowed.fetch_add(u32::from(allow), Ordering::Relaxed);
                    allow
                });
            }
        })
    });
    threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(allowed.load(Ordering::Relaxed), 3);
}

/// Who opens many sessions is no longer answered about the earlier ones, and
/// others are.
#[test]
fn a_flood_of_sessions_is_not_a_clean_slate() {
    let sessions = Sessions::new(Timestamp::default());
    let ask = |agent: &str, session: &str, time: u64| {
        let mut told = None;
        let action = action(agent, session, 1, time * SECOND);
        sessions.turn(&action, &mut |past| {
            told = Some(tally(past, action.time, Duration::from_secs(3_600)));
            true
        });
        told.unwrap()
    };
    assert_eq!(ask("mallory", "first", 10_000), Ok(0));
    assert_eq!(ask("ada", "s", 10_000), Ok(0));
    for session in 0..5_000 {
        let session = format!("s{session}");
        ask("mallory", &session, 10_001).ok();
    }
    assert_eq!(ask("mallory", "first", 10_002), Err(Forgotten));
    assert_eq!(ask("mallory", "new", 10_002), Err(Forgotten));
    assert_eq!(ask("ada", "s", 10_002), Ok(1));
    assert_eq!(ask("ada", "new", 10_002), Ok(0));
    assert_eq!(ask("mallory", "first", 10_002 + 3_601), Ok(0), "an hour later the flood is past");
}

#[test]
fn a_flood_of_steps_is_not_a_clean_slate() {
    let sessions = Sessions::new(Timestamp::default());
    let mut told = Ok(0);
    for id in 0..2_000 {
        let action = action("mallory", "s", id, (10_000 + id) * SECOND);
        sessions.turn(&action, &mut |past| {
            told = tally(past, action.time, Duration::from_secs(1_500));
            true
        });
    }
    assert_eq!(told, Err(Forgotten));
}

proptest! {
    /// What is answered is what happened, whatever was evicted; and a log of
    /// the turns gives the same pasts again, or says that it does not.
    #[test]
    fn answers_are_true_and_found_again(
        turns in proptest::collection::vec((0_u8..3, 0_u8..4, 0_u64..40_000, any::<bool>()), 1..300),
        within in 1_u64..90_000,
        lost in proptest::option::of(0_usize..300),
    ) {
        let within = Duration::from_secs(within);
        let sessions = Sessions::new(Timestamp::default());
        let mut replay = Replay::new(Timestamp::default());
        let (mut happened, mut now) = (Vec::new(), 1_700_000_000 * SECOND);
        for (id, (agent, session, wait, allow)) in turns.into_iter().enumerate() {
            now += wait * SECOND / 100;
            let action = action(&format!("a{agent}"), &format!("s{session}"), id as u64, now);
            let (mut told, mut seen) = (None, None);
            let mark = sessions.turn(&action, &mut |past| {
                told = Some(tally(past, action.time, within));
                seen = Some(Arc::clone(past));
                allow
            });
            let from = action.time.before(within);
            let same = happened.iter().filter(|(of, time): &&(_, Timestamp)| of == &(agent, session) && *time > from);
            if let Some(Ok(told)) = told {
                prop_assert_eq!(told as usize, same.count());
            } else {
                prop_assert!(within > Duration::from_secs(86_400));
            }
            let found = replay.past(&action.agent, &action.session, Some(mark));
            if let Ok(found) = &found {
                prop_assert_eq!(Some(found), seen.as_deref());
            }
            prop_assert!(found.is_ok() || lost.is_some_and(|lost| lost < id));
            happened.push(((agent, session), action.time));
            if lost != Some(id) {
                replay.add(&action.agent, &action.session, Step::of(&action, allow));
            }
        }
    }
}
