//! A yes is for one action, once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};

use futures_executor::block_on;
use vak::{Able, Action, ApprovalError, Decision, Json};
use vak_types::AttributeValue;

use crate::refused;
use crate::support::*;

/// Whatever is changed of it between.
#[test]
fn is_for_the_same_action_byte_for_byte() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let (asked, seq) = escalated(&host);
    approve(&host, seq).unwrap();
    let text = |text: &str| Json::parse(text).unwrap();
    let attributes = || [("role".to_owned(), AttributeValue::Text("admin".to_owned()))].into_iter().collect();
    let changed = [
        // The same id, and something else in it.
        Action { arguments: text(r#"{"text":"hello!"}"#), ..asked.clone() },
        Action { arguments: text(r#"{"text":"hello","to":"eve"}"#), ..asked.clone() },
        Action { arguments: Json::default(), ..asked.clone() },
        Action { operation: "mail/send_all".parse().unwrap(), ..asked.clone() },
        Action { resource: "r2".parse().unwrap(), ..asked.clone() },
        Action { agent: "eve".parse().unwrap(), ..asked.clone() },
        Action { session: "s2".parse().unwrap(), ..asked.clone() },
        Action { attributes: attributes(), ..asked.clone() },
        Action { labels: vec!["web".parse().unwrap()], ..asked.clone() },
        Action { id: "another".parse().unwrap(), ..asked.clone() },
    ];
    for changed in &changed {
        refused!(again(&host, seq, changed), ApprovalError::OtherAction(_));
    }
    // Another action that was escalated, and has no yes.
    let (other, other_seq) = escalated_as(&host, "ada", "hello!");
    refused!(again(&host, seq, &other), ApprovalError::OtherAction(_));
    refused!(again(&host, other_seq, &asked), ApprovalError::OtherAction(_));
    refused!(again(&host, other_seq, &other), ApprovalError::Unanswered(_));
    // All that changed nothing.
    assert_eq!(decision(again(&host, seq, &asked)), Decision::Allow);
}

#[test]
fn is_used_once() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let (action, seq) = escalated(&host);
    refused!(again(&host, seq, &action), ApprovalError::Unanswered(_));
    let answer = approve(&host, seq).unwrap();
    let decided = again(&host, seq, &action).unwrap();
    assert_eq!((decided.verdict.decision, decided.verdict.approval), (Decision::Allow, Some(answer)));
    for _ in 0..2 {
        refused!(again(&host, seq, &action), ApprovalError::Used(_));
    }
    // Without it, it is asked anew.
    assert_eq!(block_on(host.decide(&action)).verdict.decision, Decision::Escalate);
}

/// Of many who use a yes at once one does.
#[test]
fn is_used_once_by_many() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    for _ in 0..10 {
        let (action, seq) = escalated(&host);
        approve(&host, seq).unwrap();
        let allowed = AtomicUsize::new(0);
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| match again(&host, seq, &action) {
                    Ok(decided) if decided.verdict.is_allow() => drop(allowed.fetch_add(1, Ordering::Relaxed)),
                    Ok(decided) => panic!("{:?}", decided.verdict),
                    Err(ApprovalError::Used(_)) => {}
                    Err(other) => panic!("{other}"),
                });
            }
        });
        assert_eq!(allowed.into_inner(), 1);
    }
}

/// A verdict that nobody waits for may be in the log.
#[test]
fn is_used_by_who_gives_up() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let mut given_up = 0;
    for _ in 0..20 {
        let (action, seq) = escalated(&host);
        approve(&host, seq).unwrap();
        let mut decided = Box::pin(host.decide_approved(seq, &action, Able::default()));
        let pending = decided.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending();
        drop(decided);
        refused!(again(&host, seq, &action), ApprovalError::Used(_));
        given_up += usize::from(pending);
    }
    assert!(given_up > 0);
}
