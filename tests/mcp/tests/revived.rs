//! Upstreams that die and come back.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use vak_audit::Status;
use vak_test_support::Site;

use crate::log::recorded;
use crate::raw::Session;
use crate::remote::{Script, before};
use crate::site::{PERMIT_ALL, misbehaving, patient, upstream_got};

const PATIENCE: Duration = Duration::from_secs(120);

/// Calls until the answer is this one; gives the answers before.
#[track_caller]
fn call_until(session: &mut Session, tool: &str, wanted: &str) -> Vec<String> {
    let (until, mut before) = (Instant::now() + PATIENCE, Vec::new());
    loop {
        let (_, text) = session.call(tool, &json!({}));
        if text == wanted {
            return before;
        }
        assert!(Instant::now() < until, "it never said `{wanted}`: {before:?}");
        before.push(text);
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The processes that an upstream has been by now.
fn pids(site: &Site) -> Vec<i32> {
    let pids = std::fs::read_to_string(site.path().join("upstream.log.pids")).unwrap_or_default();
    pids.lines().map(|pid| pid.parse().unwrap()).collect()
}

#[test]
fn it_comes_back_and_is_compared_again() {
    let site = patient(PERMIT_ALL);
    let mut session = Session::start(&site, &misbehaving(&site, "rug-pull"));
    assert_eq!(session.call("one", &json!({})), (false, "done".to_owned()));
    assert_eq!(session.call("two", &json!({})), (false, "done".to_owned()));
    // It describes `one` otherwise from here on. What died with it is the word that
    // its list has changed.
    kill_process(Pid::from_raw(pids(&site)[0]).unwrap(), Signal::KILL).unwrap();
    let before = call_until(&mut session, "two", "done");
    for text in before {
        assert!(text.contains("`up` has ended (signal: 9 (SIGKILL))") || text.contains("ended before"), "{text}");
    }
    assert_eq!(pids(&site).len(), 2);
    let (failed, text) = session.call("one", &json!({}));
    assert!(failed && text.contains("otherwise than when it was accepted"), "{text}");
    assert_eq!(session.tools().unwrap(), ["two", "vak_calculator"]);
    let ended = session.finish();
    assert!(ended.rest.iter().any(|it| it["method"] == "notifications/tools/list_changed"), "{:?}", ended.rest);
    assert!(ended.stderr.contains("had died and is started anew"), "{}", ended.stderr);
    assert_eq!(upstream_got(&site).matches(r#""name":"one""#).count(), 1);
    assert!(recorded(&site).iter().all(|it| it.outcome.is_some() || !it.decision.verdict.is_allow()));
}

#[test]
fn what_was_under_way_is_unknown_and_what_comes_meanwhile_is_told() {
    let site = patient(PERMIT_ALL);
    let mut session = Session::start(&site, &misbehaving(&site, "exit-in-call"));
    let (failed, text) = session.call("one", &json!({}));
    assert!(failed && text.contains("ended before it answered (exit status: 7)"), "{text}");
    let mut meanwhile = 0;
    for _ in 0..20 {
        let (failed, text) = session.call("one", &json!({}));
        assert!(failed);
        if text.contains("ms or later starts it again") {
            assert!(text.contains("has ended (exit status: 7)") && text.contains("something broke"), "{text}");
            meanwhile += 1;
        }
    }
    assert!(meanwhile > 0);
    session.finish();
    let statuses: Vec<_> = recorded(&site).iter().map(|it| it.told().2.unwrap()).collect();
    assert_eq!(statuses[0], Status::Unknown);
    // Each of its lives took one call with it, and no other was sent anywhere.
    let unknown = statuses.iter().filter(|status| **status == Status::Unknown).count();
    assert_eq!(unknown, upstream_got(&site).matches("tools/call").count());
    assert_eq!(statuses.len() - unknown, statuses.iter().filter(|status| **status == Status::Failed).count());
}

/// Threads and open files of a process.
fn held(pid: u32) -> (usize, usize) {
    let count = |what: &str| std::fs::read_dir(format!("/proc/{pid}/{what}")).unwrap().count();
    (count("task"), count("fd"))
}

#[test]
fn one_that_dies_of_each_call_is_started_seldom_and_leaves_nothing() {
    let site = patient(PERMIT_ALL);
    let mut session = Session::start(&site, &misbehaving(&site, "exit-in-call"));
    session.call("one", &json!({}));
    let (start, before) = (Instant::now(), held(session.pid()));
    let mut calls = 0;
    while start.elapsed() < Duration::from_secs(9) {
        session.call("one", &json!({}));
        calls += 1;
    }
    // At the start, and 1, 2, 4 and 8 seconds after the one before at the earliest.
    let lives = pids(&site).len();
    assert!((3..=4).contains(&lives) && calls > 100, "{lives} lives in {calls} calls");
    let after = held(session.pid());
    assert!(after.0 <= before.0 + 3 && after.1 <= before.1 + 6, "{before:?} became {after:?}");
    // The rest goes on.
    assert!(!session.call("vak_calculator", &json!({ "expression": "1" })).0);
    session.finish();
}

#[test]
fn what_one_leaves_behind_keeps_nobody() {
    let site = patient(PERMIT_ALL);
    let mut session = Session::start(&site, &misbehaving(&site, "daemon"));
    // Its children hold its output open, in groups of their own.
    let until = Instant::now() + PATIENCE;
    while pids(&site).len() < 3 {
        assert!(session.call("one", &json!({})).0 && Instant::now() < until);
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(!session.call("vak_calculator", &json!({ "expression": "1" })).0);
    let ended = session.finish();
    assert_eq!(ended.code, Some(0));
    assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
}

#[test]
fn one_that_did_not_start_is_tried_again() {
    let site = patient(PERMIT_ALL);
    let flag = site.path().join("upstream.log.ready");
    let mut session = Session::start(&site, &misbehaving(&site, "when-ready"));
    let (failed, text) = session.call("one", &json!({}));
    assert!(failed && text.contains("ended before it was ready"), "{text}");
    std::fs::write(flag, "").unwrap();
    call_until(&mut session, "one", "done");
    assert_eq!(session.tools().unwrap(), ["one", "two", "vak_calculator"]);
    session.finish();
}

#[test]
fn a_server_that_went_away_is_reached_again_and_compared() {
    let server = Script::start("python3", "upstreams/over_http.py", &["sessions"]);
    let near = before(&server.url, "", 60_000);
    let mut session = Session::start(&near, &[]);
    assert_eq!(session.call("web_one", &json!({})), (false, "done".to_owned()));
    let port = server.url.rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    drop(server);
    let (failed, text) = session.call("web_one", &json!({}));
    assert!(failed && (text.contains("gave no answer") || text.contains("its connection is closed")), "{text}");
    // It comes back at the same address with another description, and knows no
    // session from before.
    let server = Script::start("python3", "upstreams/over_http.py", &["sessions-changed", &port]);
    let until = Instant::now() + PATIENCE;
    loop {
        let (failed, text) = session.call("web_one", &json!({}));
        assert!(failed, "a changed tool was called: {text}");
        if text.contains("otherwise than when it was accepted") {
            break;
        }
        assert!(Instant::now() < until, "{text}");
        std::thread::sleep(Duration::from_millis(200));
    }
    session.finish();
    drop(server);
}

#[test]
fn a_call_is_not_sent_again_to_a_server_that_forgot_its_session() {
    let server = Script::start("python3", "upstreams/over_http.py", &["forgets"]);
    let near = before(&server.url, "", 60_000);
    let mut session = Session::start(&near, &[]);
    assert_eq!(session.call("web_one", &json!({})), (false, "done".to_owned()));
    // It forgets the session, and describes its tool otherwise from then on.
    let until = Instant::now() + PATIENCE;
    loop {
        let (failed, text) = session.call("web_one", &json!({}));
        assert!(failed, "a changed tool was called: {text}");
        if text.contains("otherwise than when it was accepted") {
            break;
        }
        assert!(Instant::now() < until, "{text}");
        std::thread::sleep(Duration::from_millis(200));
    }
    session.finish();
}
