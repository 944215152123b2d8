//! Who answers, and how often.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};

use futures_executor::block_on;
use vak::{ApprovalError, Config, StampError, Standing};
use vak_audit::{Answer, Body, LogReader};

use crate::refused;
use crate::support::*;

#[test]
fn what_waits_is_listed_and_answered_in_the_log() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let (action, seq) = escalated(&host);
    let waiting = host.approvals();
    let [one] = &waiting[..] else { panic!("{waiting:?}") };
    assert_eq!((one.seq, &*one.action, one.since), (seq, &action, clock.now()));
    assert_eq!(one.until.as_nanos(), clock.now().as_nanos() + WAIT * SECOND);
    let why: Vec<_> = one.verdict.escalations().map(ToString::to_string).collect();
    assert_eq!(why, ["policy `rules`, rule `ask`: somebody has to look"]);
    assert!(matches!(host.approval(seq), Ok(Standing::Waiting(_))));

    clock.forward(10);
    let receipt = block_on(host.approve(seq, &grace(), "fine\nby me\u{202e}")).unwrap();
    assert!(host.approvals().is_empty());
    assert!(matches!(host.approval(seq), Ok(Standing::Approved { by, .. }) if by == grace()));
    let log = host.log();
    host.close().unwrap();
    let reader = LogReader::open(&log).unwrap();
    let entry = reader.entry(receipt.seq()).unwrap();
    assert_eq!(entry.time, clock.now());
    let Body::Approval(about, approval) = entry.body else { panic!("{entry:?}") };
    assert_eq!((about.agent, about.action), (action.agent, action.id));
    let until = clock.now().after(std::time::Duration::from_secs(WAIT));
    assert_eq!((approval.decision, approval.answer), (seq, Answer::Approved { until }));
    // Nothing in it could forge a line.
    assert_eq!(reader.note(&approval).unwrap().unwrap(), "fine\\nby me\\u{202e}");
    let decision = reader.entry(seq).unwrap();
    assert_eq!(approval.leaf, vak_audit::leaf_hash(&decision.encode().unwrap()));
}

#[test]
fn only_what_was_escalated_is_answered() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    for operation in ["files/read", "shell/run"] {
        let action = action(&host, "ada", operation, "");
        let decided = block_on(host.decide(&action));
        let seq = decided.receipt.unwrap().seq();
        // A deny is nobody's to lift.
        refused!(approve(&host, seq), ApprovalError::Unknown(_));
        refused!(again(&host, seq, &action), ApprovalError::Unknown(_));
    }
    // Neither is an entry that is no decision, or that is not there.
    for seq in [0, 99, u64::MAX] {
        refused!(approve(&host, seq), ApprovalError::Unknown(_));
    }
    assert!(host.approvals().is_empty() && answers(&host.log()).is_empty());
}

#[test]
fn an_answer_is_the_only_one() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let (action, seq) = escalated(&host);
    approve(&host, seq).unwrap();
    refused!(approve(&host, seq), ApprovalError::Answered(_));
    refused!(block_on(host.reject(seq, &person("hopper"), "")), ApprovalError::Answered(_));
    assert_eq!(decision(again(&host, seq, &action)), vak::Decision::Allow);
    refused!(approve(&host, seq), ApprovalError::Answered(_));

    let (action, seq) = escalated(&host);
    block_on(host.reject(seq, &grace(), "not on Fridays")).unwrap();
    refused!(approve(&host, seq), ApprovalError::Answered(_));
    refused!(again(&host, seq, &action), ApprovalError::Rejected(_));
    assert!(matches!(host.approval(seq), Ok(Standing::Rejected { note, .. }) if note == "not on Fridays"));
    assert_eq!(answers(&host.log()).len(), 2);
}

/// Eight at once, for many actions: each has one answer, and who is told that
/// theirs counts is in the log.
#[test]
fn of_many_at_once_one_answers() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let seqs: Vec<u64> = (0..20).map(|_| escalated(&host).1).collect();
    let (won, lost) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|threads| {
        for number in 0..8 {
            let (host, seqs, won, lost) = (&host, &seqs, &won, &lost);
            threads.spawn(move || {
                for seq in seqs {
                    let by = person(&format!("person-{number}"));
                    let answered = match number % 2 {
                        0 => block_on(host.approve(*seq, &by, "")),
                        _ => block_on(host.reject(*seq, &by, "")),
                    };
                    match answered {
                        Ok(_) => won.fetch_add(1, Ordering::Relaxed),
                        Err(ApprovalError::Answered(_)) => lost.fetch_add(1, Ordering::Relaxed),
                        Err(other) => panic!("{other}"),
                    };
                }
            });
        }
    });
    assert_eq!((won.into_inner(), lost.into_inner()), (20, 7 * 20));
    assert_eq!(answers(&host.log()).len(), 20);
}

#[test]
fn an_agent_does_not_answer_for_itself() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let (_, seq) = escalated_as(&host, "mail-bot", "hello");
    // Nor somebody whose name reads like it.
    for name in ["mail-bot", "Mail-Bot", "rnail-bot", "mail-b0t", "mai1-bot", "MAIL-BOT", " mail-bot\u{a0}"] {
        refused!(block_on(host.approve(seq, &person(name), "")), ApprovalError::Own(_));
        refused!(block_on(host.reject(seq, &person(name), "")), ApprovalError::Own(_));
    }
    // Names that could be taken for somebody else's, or for nobody's.
    for name in ["gr\u{430}ce", "cafe\u{301}"] {
        refused!(
            block_on(host.approve(seq, &person(name), "")),
            ApprovalError::Name(StampError::Mixed { .. } | StampError::NotNormal { .. })
        );
    }
    for name in ["", "gr\u{200b}ace", "grace\n", "grace\u{202e}", &"g".repeat(129)] {
        assert!(name.parse::<vak::Person>().is_err(), "{name:?}");
    }
    assert!(answers(&host.log()).is_empty());
    approve(&host, seq).unwrap();
}

/// An answer that is given up on its way, and one that the log does not take.
#[test]
fn an_answer_that_is_not_in_the_log_does_not_count() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let mut given_up = 0;
    for _ in 0..20 {
        let (action, seq) = escalated(&host);
        let by = grace();
        let mut answer = Box::pin(host.approve(seq, &by, ""));
        let pending = answer.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending();
        drop(answer);
        if pending {
            // It may be in the log, so nobody else answers, and nothing comes of it.
            refused!(approve(&host, seq), ApprovalError::Answered(_));
            refused!(again(&host, seq, &action), ApprovalError::Answered(_));
            given_up += 1;
        }
    }
    assert!(given_up > 0);

    // A host whose log has stopped.
    let (action, seq) = escalated(&host);
    let next = host.prepare(Config::load(&site.config(), &[]).unwrap()).unwrap();
    let mut switch = Box::pin(host.switch_to(next));
    let pending = switch.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending();
    drop(switch);
    if pending {
        refused!(approve(&host, seq), ApprovalError::Append(_));
        refused!(again(&host, seq, &action), ApprovalError::Answered(_));
    }
}

/// Nobody's flood pushes out what somebody else asked.
#[test]
fn a_flood_is_its_own_agents_harm() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let (action, seq) = escalated_as(&host, "bob", "hello");
    let flood: Vec<_> = (0..80).map(|_| escalated_as(&host, "eve", "hello")).collect();
    assert_eq!(host.approvals().len(), 1 + 64);
    // What is not kept says so, and nothing becomes of it.
    let (late, last) = flood.last().unwrap();
    refused!(host.approval(*last), ApprovalError::TooMany(_));
    refused!(approve(&host, *last), ApprovalError::TooMany(_));
    refused!(again(&host, *last, late), ApprovalError::TooMany(_));
    approve(&host, seq).unwrap();
    assert_eq!(decision(again(&host, seq, &action)), vak::Decision::Allow);
    // Whoever is answered has room again.
    block_on(host.reject(flood[0].1, &grace(), "")).unwrap();
    let (_, seq) = escalated_as(&host, "eve", "hello");
    approve(&host, seq).unwrap();
    // Yes is still kept, until it is used.
    let (_, seq) = escalated_as(&host, "eve", "hello");
    refused!(approve(&host, seq), ApprovalError::TooMany(_));
    clock.forward(WAIT);
    assert!(host.approvals().is_empty());
    let (_, seq) = escalated_as(&host, "eve", "hello");
    approve(&host, seq).unwrap();
}

/// Large arguments are bounded by what they take.
#[test]
fn long_arguments_take_more_room() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let text = "x".repeat(1_000_000);
    (0..10).for_each(|_| drop(escalated_as(&host, "eve", &text)));
    let kept = host.approvals().len();
    assert!((6..=8).contains(&kept), "{kept}");
    assert_eq!(host.approvals().len(), kept);
    let (_, seq) = escalated_as(&host, "bob", &text);
    approve(&host, seq).unwrap();
}

/// All that is kept is bounded, whoever asks.
#[test]
fn thousands_wait() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    std::thread::scope(|threads| {
        for thread in 0..16 {
            let host = &host;
            threads.spawn(move || {
                for number in 0..260 {
                    escalated_as(host, &format!("agent-{thread}-{}", number / 64), "hello");
                }
            });
        }
    });
    let waiting = host.approvals();
    assert_eq!(waiting.len(), 4_096);
    assert!(waiting.is_sorted_by_key(|waiting| waiting.seq));
    for waiting in waiting.iter().step_by(500) {
        approve(&host, waiting.seq).unwrap();
        assert_eq!(decision(again(&host, waiting.seq, &waiting.action)), vak::Decision::Allow);
    }
}
