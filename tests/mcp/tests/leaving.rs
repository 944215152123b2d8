//! What is recorded when somebody leaves in the middle of a call, or the log
//! takes no more.

use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::json;
use vak_audit::Status;
use vak_test_support::{Site, binary};

use crate::log::recorded;
use crate::raw::{Session, told};
use crate::site::{PERMIT_ALL, misbehaving, patient, upstream_got};

/// A session in which the upstream has a call that it does not answer.
fn hanging(mode: &str) -> (Site, Session, i64) {
    let site = patient(PERMIT_ALL);
    let mut session = Session::start(&site, &misbehaving(&site, mode));
    let id = session.send_call("one", &json!({}));
    under_way(&site);
    (site, session, id)
}

fn under_way(site: &Site) {
    let until = Instant::now() + Duration::from_secs(60);
    while !upstream_got(site).contains("tools/call") {
        assert!(Instant::now() < until, "the call does not reach the upstream");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[track_caller]
fn unknown(site: &Site, why: &str) {
    let recorded = recorded(site);
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0].told(), ("up/one", "allow".to_owned(), Some(Status::Unknown)));
    assert!(recorded[0].detail().contains(why), "{}", recorded[0].detail());
}

fn pid(session: &Session) -> Pid {
    Pid::from_raw(session.pid().try_into().unwrap()).unwrap()
}

#[test]
fn the_client_goes() {
    let (site, session, _) = hanging("hang");
    let ended = session.finish();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    unknown(&site, "the client has gone before the upstream answered");
}

#[test]
fn the_gateway_is_told_to_stop() {
    for signal in [Signal::TERM, Signal::INT] {
        let (site, session, _) = hanging("stubborn");
        kill_process(pid(&session), signal).unwrap();
        let ended = session.ended();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.took < Duration::from_secs(30), "{:?}", ended.took);
        unknown(&site, "before the upstream answered");
    }
}

#[test]
fn the_client_cancels() {
    let (site, mut session, id) = hanging("hang");
    session.notify("notifications/cancelled", &json!({ "requestId": id, "reason": "not needed" }));
    let until = Instant::now() + Duration::from_secs(60);
    while !upstream_got(&site).contains("notifications/cancelled") {
        assert!(Instant::now() < until, "the upstream is not told");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(!session.call("vak_calculator", &json!({ "expression": "1" })).0);
    let ended = session.finish();
    assert!(ended.rest.is_empty(), "a cancelled call was answered: {:?}", ended.rest);
    let recorded = recorded(&site);
    assert_eq!(recorded[0].told().2, Some(Status::Unknown));
    assert_eq!(recorded[0].detail(), "the client has cancelled the call before the upstream answered");
}

#[test]
fn a_call_that_ends_soon_after_the_client_is_recorded_as_it_ended() {
    let (site, session, id) = hanging("fine");
    let ended = session.finish();
    let answers: Vec<_> = ended.rest.iter().filter(|message| message["id"] == id).collect();
    assert_eq!(answers.len(), 1);
    assert_eq!(recorded(&site)[0].told().2, Some(Status::Succeeded));
}

#[test]
fn a_result_that_cannot_be_recorded_is_withheld() {
    let site = patient(PERMIT_ALL);
    // Files of the gateway cannot grow once the limit is set; the signal that
    // comes with that is ignored, as it is when a disk is full.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(binary("vak"));
    command.arg("mcp").arg("--config").arg(site.config()).arg("--").args(misbehaving(&site, "slow"));
    let mut session = Session::of(command);
    session.initialize();
    let id = session.send_call("one", &json!({}));
    under_way(&site);
    prlimit(Some(pid(&session)), Resource::Fsize, Rlimit { current: Some(0), maximum: Some(0) }).unwrap();
    let answer = session.answer(Some(id));
    let (failed, text) = told(&answer);
    assert!(failed && text.contains("the outcome could not be recorded, so the result is withheld"), "{text}");
    assert!(!answer.to_string().contains("done"), "{answer}");
    // What cannot be recorded is not allowed either.
    let (refused, text) = session.call("one", &json!({}));
    assert!(refused && text.contains("denied"), "{text}");
    session.finish();
    assert_eq!(upstream_got(&site).matches("tools/call").count(), 1);
}

#[test]
fn an_end_before_the_beginning_is_no_error() {
    let site = patient(PERMIT_ALL);
    let ended = Session::silent(&site, &misbehaving(&site, "fine")).finish();
    assert_eq!((ended.code, ended.rest), (Some(0), vec![]), "{}", ended.stderr);
}

#[test]
fn a_configuration_without_the_gateway_is_refused() {
    for (section, why) in [("", "the configuration has no `[mcp]`"), ("[mcp]\nupstream = 'up'", "has no `mcp.agent`")] {
        let site = Site::new().rules(PERMIT_ALL).section(section);
        let ended = Session::silent(&site, &["true".into()]).finish();
        assert_eq!(ended.code, Some(2));
        assert!(ended.stderr.contains(why), "{}", ended.stderr);
    }
}
