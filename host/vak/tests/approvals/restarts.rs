//! What the log says was answered and used is, for every host after.

use futures_executor::block_on;
use vak::{Action, ApprovalError, Config, Decision, PrivateKey, Standing, open_log};
use vak_audit::{Draft, Dropped, FileStore, Log, LogReader, Options, Origin, Signer, Tier, What, trim_segments};
use vak_test_support::Site;

use crate::refused;
use crate::support::*;

/// Puts the configuration of the log so.
fn audit(site: &Site, more: &str) {
    let text = std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(site.config(), text.replace("'log.key' }", &format!("'log.key', {more} }}"))).unwrap();
}

fn goes_on(site: &Site) {
    let clock = Clock::new();
    let host = clock.host(site);
    let (waits, waiting) = escalated_as(&host, "ada", &"long ".repeat(5_000));
    let (approved, yes) = escalated(&host);
    let (_, no) = escalated(&host);
    let (done, used) = escalated(&host);
    for seq in [yes, used] {
        approve(&host, seq).unwrap();
    }
    block_on(host.reject(no, &grace(), "not now")).unwrap();
    assert_eq!(decision(again(&host, used, &done)), Decision::Allow);
    let before = host.approvals();
    host.close().unwrap();

    clock.forward(WAIT / 2);
    let host = clock.host(site);
    let after = host.approvals();
    assert_eq!(after.len(), 1);
    assert_eq!((after[0].seq, &*after[0].action, after[0].until), (waiting, &waits, before[0].until));
    assert_eq!(after[0].verdict, before[0].verdict);
    refused!(again(&host, used, &done), ApprovalError::Used(_));
    for seq in [yes, no, used] {
        refused!(approve(&host, seq), ApprovalError::Answered(_));
    }
    assert!(matches!(host.approval(no), Ok(Standing::Rejected { note, .. }) if note == "not now"));
    let changed = Action { resource: "another".parse().unwrap(), ..approved.clone() };
    refused!(again(&host, yes, &changed), ApprovalError::OtherAction(_));
    approve(&host, waiting).unwrap();
    assert_eq!(decision(again(&host, waiting, &waits)), Decision::Allow);
    host.close().unwrap();

    // The yes is good for as long as it was.
    clock.forward(WAIT / 2 - 1);
    let host = clock.host(site);
    assert_eq!(decision(again(&host, yes, &approved)), Decision::Allow);
    host.close().unwrap();
    let host = clock.host(site);
    for (seq, action) in [(yes, &approved), (waiting, &waits), (used, &done)] {
        refused!(again(&host, seq, action), ApprovalError::Used(_));
    }
    assert!(host.approvals().is_empty());
    host.close().unwrap();
}

#[test]
fn in_a_log_in_one_file() {
    goes_on(&site());
}

#[test]
fn in_a_log_in_segments() {
    let site = site();
    audit(&site, "store = 'segments'");
    goes_on(&site);
}

#[test]
fn time_passes_while_no_host_runs() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let (_, waiting) = escalated(&host);
    let (action, yes) = escalated(&host);
    approve(&host, yes).unwrap();
    host.close().unwrap();
    clock.forward(WAIT);
    let host = clock.host(&site);
    refused!(approve(&host, waiting), ApprovalError::Expired(_));
    refused!(again(&host, yes, &action), ApprovalError::Expired(_));
    host.close().unwrap();
    // So long after nothing is known of it.
    clock.forward(10 * WAIT);
    let host = clock.host(&site);
    refused!(approve(&host, waiting), ApprovalError::Unknown(_));
    host.close().unwrap();
    // Nor does a clock that is set back revive it: the log has later entries.
    let host = clock.host(&site);
    escalated(&host);
    host.close().unwrap();
    clock.back(11 * WAIT - 1);
    let host = clock.host(&site);
    refused!(approve(&host, waiting), ApprovalError::Expired(_));
    refused!(again(&host, yes, &action), ApprovalError::Expired(_));
}

/// Whoever gave up does not know whether the log has it; the next host does.
#[test]
fn what_was_given_up_is_what_the_log_says() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let (action, seq) = escalated(&host);
    let by = grace();
    let mut answer = Box::pin(host.approve(seq, &by, ""));
    let pending = answer.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_pending();
    drop(answer);
    host.close().unwrap();
    let host = clock.host(&site);
    refused!(approve(&host, seq), ApprovalError::Answered(_));
    assert!(pending || matches!(host.approval(seq), Ok(Standing::Approved { .. })));
    let mut decided = Box::pin(host.decide_approved(seq, &action, vak::Able::default()));
    drop(decided.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())));
    drop(decided);
    host.close().unwrap();
    let host = clock.host(&site);
    refused!(again(&host, seq, &action), ApprovalError::Used(_));
}

/// With erasable payloads the words of what waits are not in the log, so it is
/// gone, and says so. What was used stays used.
#[test]
fn what_cannot_be_read_is_gone() {
    let (site, clock) = (site(), Clock::new());
    audit(&site, "payloads = 'erasable'");
    let host = clock.host(&site);
    let (_, waiting) = escalated(&host);
    let (approved, yes) = escalated(&host);
    let (done, used) = escalated(&host);
    block_on(host.approve(yes, &grace(), "their card is 4111 1111")).unwrap();
    approve(&host, used).unwrap();
    assert_eq!(decision(again(&host, used, &done)), Decision::Allow);
    let (log, key) = (host.log(), host.verifier_key().clone());
    host.close().unwrap();
    let host = clock.host(&site);
    assert!(host.approvals().is_empty());
    refused!(approve(&host, waiting), ApprovalError::Unknown(_));
    refused!(again(&host, yes, &approved), ApprovalError::Unknown(_));
    refused!(again(&host, used, &done), ApprovalError::Unknown(_));
    host.close().unwrap();
    // What a person says can be erased like what was asked.
    let config = Config::load(&site.config(), &[]).unwrap();
    let all = entries(&log);
    assert!(all.iter().all(|entry| !String::from_utf8_lossy(&entry.encode().unwrap()).contains("4111")));
    let origin: Origin = "example.org/test".parse().unwrap();
    let seed = PrivateKey::read(&site.path().join("log.key")).unwrap().seed();
    let writer = open_log(&config, origin.clone(), Signer::new(origin, &seed)).unwrap();
    for commitment in all.iter().flat_map(|entry| entry.body.commitments()) {
        let what = What::Payload { commitment: commitment.digest };
        let draft = Draft::dropped(clock.now(), Dropped { what, reason: "asked to".to_owned() }).unwrap();
        block_on(writer.append(draft, Tier::Durable)).unwrap();
    }
    writer.close().unwrap();
    let vak_audit::Body::Approval(_, approval) = &all[usize::try_from(used).unwrap() + 1].body else { panic!() };
    assert_eq!(LogReader::open(&log).unwrap().note(approval).unwrap(), None);
    let expected = vak::Expected::of(&key);
    assert!(vak::verify_all(&*vak::open_source(&log).unwrap(), &expected, |_, _| ()).unwrap().erased == 5);
}

/// A log whose first segments were archived and removed.
#[test]
fn a_log_without_its_beginning_is_enough() {
    let (site, clock) = (site(), Clock::new());
    audit(&site, "store = 'segments'");
    let folder = site.path().join("state/audit");
    let origin: Origin = "example.org/test".parse().unwrap();
    let seed = PrivateKey::read(&site.path().join("log.key")).unwrap().seed();
    let store = Box::new(FileStore::with_segments(&folder, 4_000).unwrap());
    let log = Log::open(store, origin.clone(), Signer::new(origin, &seed), &Options::default()).unwrap();
    for count in 0..2_000 {
        let dropped = Dropped { what: What::Calls { count }, reason: "no actions".to_owned() };
        let draft = Draft::dropped(clock.now(), dropped).unwrap();
        block_on(log.append(draft, if count % 50 == 49 { Tier::Durable } else { Tier::Accepted })).unwrap();
    }
    log.close().unwrap();
    assert!(trim_segments(&folder, 1_000).unwrap() > 500);
    let host = clock.host(&site);
    let (action, seq) = escalated(&host);
    approve(&host, seq).unwrap();
    host.close().unwrap();
    let host = clock.host(&site);
    assert_eq!(decision(again(&host, seq, &action)), Decision::Allow);
}
