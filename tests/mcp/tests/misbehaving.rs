//! Upstreams that misbehave: the client hears what is wrong, and the gateway
//! and the skills keep working.

use std::ffi::OsString;

use serde_json::json;
use vak_audit::Status;

use crate::log::{Recorded, recorded};
use crate::raw::{Ended, Session};
use crate::site::{PERMIT_ALL, misbehaving, patient, site, upstream_got};

/// How a call ends: what the client is told, and what the log says.
enum Ends {
    Well,
    Error(&'static str, Status),
}

const LISTED: Result<&[&str], &str> = Ok(&["one", "two", "vak_calculator"]);

/// Milliseconds for upstreams that never get ready or never answer.
const SHORT_MS: u64 = 1_500;

/// Milliseconds that nothing takes that comes to an end.
const LONG_MS: u64 = 60_000;

/// Lists the tools, calls one of them and a skill, in this order.
#[track_caller]
fn check(mode: &str, (start_ms, call_ms): (u64, u64), listed: Result<&[&str], &str>, ends: &Ends) -> Ended {
    let site = site(PERMIT_ALL, start_ms, call_ms);
    let upstream: Vec<OsString> = match mode {
        "missing" => vec!["/no/such/program".into()],
        _ => misbehaving(&site, mode),
    };
    let mut session = Session::start(&site, &upstream);
    match (session.tools(), listed) {
        (Ok(tools), Ok(names)) => assert_eq!(tools, names, "{mode}"),
        (Err(error), Err(part)) => {
            assert!(error.contains(part), "{mode}: {error}");
            assert!(error.contains("the host's skills can be called: `vak_calculator`"), "{mode}: {error}");
        }
        (other, _) => panic!("{mode}: {other:?}"),
    }
    let (failed, text) = session.call("one", &json!({ "a": 1 }));
    let status = match ends {
        Ends::Well => {
            assert_eq!((failed, text.as_str()), (false, "done"), "{mode}");
            Status::Succeeded
        }
        Ends::Error(part, status) => {
            assert!(failed && text.contains(part), "{mode}: {text}");
            *status
        }
    };
    let (failed, sum) = session.call("vak_calculator", &json!({ "expression": "6 * 7" }));
    assert_eq!((failed, sum.as_str()), (false, r#"{"value":42.0}"#), "{mode}");
    session.ask("ping", &json!({}));
    let ended = session.finish();
    assert_eq!(ended.code, Some(0), "{mode}: {}", ended.stderr);
    let recorded = recorded(&site);
    let recorded: Vec<_> = recorded.iter().map(Recorded::told).collect();
    let allow = || "allow".to_owned();
    let skill = ("skill/calculator", allow(), Some(Status::Succeeded));
    assert_eq!(recorded, [("up/one", allow(), Some(status)), skill], "{mode}");
    ended
}

#[test]
fn an_upstream_that_does_not_start() {
    let not_started = |part| Ends::Error(part, Status::Failed);
    let part = "the upstream `up` could not be started: `/no/such/program`";
    check("missing", (LONG_MS, LONG_MS), Err(part), &not_started(part));
    let part =
        "the upstream `up` ended before it was ready (exit status: 3); its last words: hello on stderr | bad config";
    let ended = check("exit-at-start", (LONG_MS, LONG_MS), Err(part), &not_started(part));
    assert!(ended.stderr.contains("[up] bad config"), "{}", ended.stderr);
    let part = "the upstream `up` did not finish `initialize` within 1500 ms";
    check("never-ready", (SHORT_MS, LONG_MS), Err(part), &not_started(part));
}

#[test]
fn an_upstream_that_dies_or_hangs() {
    let lost = |part| Ends::Error(part, Status::Unknown);
    let part = "ended before it answered (exit status: 7); its last words: hello on stderr | something broke";
    check("exit-in-call", (LONG_MS, LONG_MS), LISTED, &lost(part));
    check("grandchild", (LONG_MS, LONG_MS), LISTED, &lost("ended before it answered (exit status: 9)"));
    let part = "the upstream `up` did not answer within 1500 ms";
    check("hang", (LONG_MS, SHORT_MS), LISTED, &lost(part));
    let ended = check("stubborn", (LONG_MS, SHORT_MS), LISTED, &lost(part));
    assert!(ended.took.as_secs() < 20, "{:?}", ended.took);
}

#[test]
fn an_upstream_that_sends_nonsense() {
    let long = (LONG_MS, LONG_MS);
    check("garbage", long, LISTED, &Ends::Well);
    check("unknown-id", long, LISTED, &Ends::Well);
    check("string-id", long, LISTED, &Ends::Well);
    let unknown = |part| Ends::Error(part, Status::Unknown);
    check("broken-answer", long, LISTED, &unknown("with something other than an answer that MCP allows"));
    check("other-result", long, LISTED, &unknown("with something other than a tool result"));
    check("long-line", long, LISTED, &unknown("sent a line of more than 4194304 bytes, which was dropped"));
    check("endless-line", long, LISTED, &unknown("sent a line of more than 4194304 bytes, which was dropped"));
}

#[test]
fn an_upstream_that_reports_errors() {
    let failed = |part| Ends::Error(part, Status::Failed);
    let long = (LONG_MS, LONG_MS);
    check("error", long, LISTED, &failed(r"the upstream `up` answered with an error: bad\u{1b}[31m args"));
    check("tool-error", long, LISTED, &failed("no such file"));
}

#[test]
fn a_server_without_initialize_is_asked_without_it() {
    check("modern", (LONG_MS, LONG_MS), LISTED, &Ends::Well);
}

#[test]
fn a_list_that_does_not_end() {
    let long = (LONG_MS, LONG_MS);
    check("same-cursor", long, Err("the list of tools of the upstream `up` goes on after its last page"), &Ends::Well);
    check("new-cursors", long, Err("goes on after 32 pages"), &Ends::Well);
    check("many-tools", long, Err("goes on after 1024 items"), &Ends::Well);
}

#[test]
fn a_tool_named_like_a_skill_shadows_nothing() {
    let listed: Result<&[&str], _> = Ok(&["calculator", "one", "vak_calculator"]);
    let ended = check("names", (LONG_MS, LONG_MS), listed, &Ends::Well);
    for left_out in ["vak_calculator", "vak_other", r"a\nb", r"a\u{202e}b"] {
        assert!(ended.stderr.contains(left_out), "{left_out}: {}", ended.stderr);
    }
    let site = patient(PERMIT_ALL);
    let mut session = Session::start(&site, &misbehaving(&site, "names"));
    assert_eq!(session.call("calculator", &json!({})), (false, "done".to_owned()));
    let (failed, text) = session.call("vak_other", &json!({}));
    assert!(failed && text.contains("there is no skill `vak_other`"), "{text}");
    session.finish();
    let calls = upstream_got(&site).matches("tools/call").count();
    assert_eq!(calls, 1, "a name of the host's reached the upstream");
}

#[test]
fn an_upstream_cannot_reach_past_the_gateway() {
    let site = patient(PERMIT_ALL);
    let mut session = Session::start(&site, &misbehaving(&site, "asks-back"));
    // No policy permits anything but tools here.
    assert_eq!(session.capabilities, json!({ "tools": { "listChanged": true } }));
    assert_eq!(session.call("one", &json!({})), (false, "done".to_owned()));
    for method in ["resources/list", "resources/read", "prompts/list", "prompts/get", "completion/complete", "made/up"]
    {
        let answer = session.ask(method, &json!({ "uri": "file:///x", "name": "x" }));
        assert_eq!(answer["error"]["code"], -32601, "{method}: {answer}");
    }
    let ended = session.finish();
    assert!(ended.rest.is_empty(), "reached the client: {:?}", ended.rest);
    let got = upstream_got(&site);
    for id in ["9000", "9003"] {
        assert!(got.contains(&format!(r#""id":{id},"error""#)), "{got}");
    }
    for method in ["resources/", "prompts/", "completion/", "\"made/up\",\"params\""] {
        assert!(!got.contains(method), "{method} reached the upstream: {got}");
    }
}

#[test]
fn notices_are_passed_on_without_texts_and_without_floods() {
    let site = patient(PERMIT_ALL);
    let mut session = Session::start(&site, &misbehaving(&site, "progress"));
    let params = json!({ "name": "one", "arguments": {}, "_meta": { "progressToken": "T", "own": 1 } });
    let answer = session.ask("tools/call", &params);
    assert_eq!(answer["result"]["content"][0]["text"], "done");
    let rest = session.finish().rest;
    assert!(!rest.is_empty());
    for notice in rest {
        assert_eq!(notice["method"], "notifications/progress");
        assert_eq!((&notice["params"]["progressToken"], notice["params"].get("message")), (&json!("T"), None));
    }

    let site = patient(PERMIT_ALL);
    let mut session = Session::start(&site, &misbehaving(&site, "list-changed"));
    session.tools().unwrap();
    session.call("one", &json!({}));
    let rest = session.finish().rest;
    assert!((1..20).contains(&rest.len()), "{} notices", rest.len());
}

#[test]
fn an_upstream_that_stops_reading_is_killed() {
    let site = site(PERMIT_ALL, LONG_MS, SHORT_MS);
    let mut session = Session::start(&site, &misbehaving(&site, "stop-reading"));
    let big = json!({ "b": "y".repeat(300_000) });
    let ids: Vec<_> = (0..4).map(|_| session.send_call("one", &big)).collect();
    for id in ids {
        let (failed, text) = crate::raw::told(&session.answer(Some(id)));
        assert!(failed && (text.contains("did not answer within") || text.contains("killed")), "{text}");
    }
    let pids = std::fs::read_to_string(site.path().join("upstream.log.pids")).unwrap();
    let first = std::path::Path::new("/proc").join(pids.lines().next().unwrap());
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while first.exists() {
        assert!(std::time::Instant::now() < until, "the upstream still runs");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let (failed, text) = session.call("one", &json!({}));
    assert!(failed && (text.contains("killed, since it did not read") || text.contains("did not answer")), "{text}");
    assert!(!session.call("vak_calculator", &json!({ "expression": "1" })).0);
    assert_eq!(session.finish().code, Some(0));
    assert!(recorded(&site).iter().all(|recorded| recorded.outcome.is_some()));
}
