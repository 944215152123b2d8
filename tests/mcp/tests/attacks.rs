//! Clients that want to get past the decision or to bring the gateway down.

use serde_json::{Value, json};
use vak_audit::Status;

use crate::log::{self, recorded, refused};
use crate::raw::{Session, told};
use crate::site::{PERMIT_ALL, file_server, misbehaving, patient, upstream_got};

fn raw_call(id: i64, name: &str, arguments: &str) -> String {
    let name = Value::from(name);
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":{name},"arguments":{arguments}}}}}"#)
}

#[test]
fn what_could_be_read_in_two_ways_is_not_judged() {
    let site = patient(PERMIT_ALL);
    let mut session = Session::start(&site, &misbehaving(&site, "fine"));
    session.tools().unwrap();
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let deeper = format!(r#"{{"a":{}1{}}}"#, "[".repeat(100), "]".repeat(100));
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(1 << 20));
    let larger = format!(r#"{{"a":"{}"}}"#, "x".repeat(4 << 20));
    let largest = format!(r#"{{"a":"{}"}}"#, "x".repeat(17 << 20));
    let cases = [
        (raw_call(100, "one", r#"{"path":"/ok","path":"/etc/shadow"}"#), Some(100), "the key `path` stands twice"),
        (raw_call(101, "one", r#"{"a":{"b":1,"\u0062":2}}"#), Some(101), "the key `b` stands twice"),
        (raw_call(102, "one", r#"{"path":"/ok"},"arguments":{"path":"/etc/shadow"}"#), Some(102), "`arguments`"),
        (raw_call(103, "one", r#"{},"name":"two""#), Some(103), "duplicate field `name`"),
        (raw_call(104, "one", &deep), Some(104), "nested deeper than 64 levels"),
        (raw_call(105, "one", &deeper), Some(105), "nested deeper than 64 levels"),
        (raw_call(106, "one", &large), Some(106), "the most is 1048576"),
        (raw_call(107, "one", &larger), Some(107), "the most is 2097152"),
        (raw_call(108, "one", &largest), None, "a message was longer than 16777216 bytes"),
        (raw_call(109, "one", "[1]"), Some(109), "parameters are not what MCP says"),
        (raw_call(110, "one", "\"x\""), Some(110), "parameters are not what MCP says"),
        (raw_call(111, "a\nb", "{}"), Some(111), r"'\n' at byte 4"),
        (raw_call(112, "a\u{202e}b", "{}"), Some(112), r"'\u{202e}' at byte 4"),
        (raw_call(113, &"x".repeat(300), "{}"), Some(113), "the most is 256"),
        (raw_call(114, "vak_../x", "{}"), Some(114), "name has the character '/'"),
        (deep, None, "cannot be read"),
        ("garbage".to_owned(), None, "cannot be read"),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#.to_owned(), None, "refused"),
    ];
    for (line, id, part) in cases {
        session.line(&line);
        let (failed, text) = told(&session.answer(id));
        assert!(failed && text.contains(part), "{id:?}: {text}");
    }
    assert_eq!(session.call("one", &json!({})), (false, "done".to_owned()));
    assert_eq!(session.finish().code, Some(0));
    // Only the last call was one: nothing else was judged, or reached the upstream.
    assert_eq!(recorded(&site).len(), 1);
    // The others are counted. A slow machine may take more than one entry for it.
    let refused = refused(&site);
    assert_eq!(refused.iter().map(|(count, _)| count).sum::<u64>(), 18, "{refused:?}");
    if let [(_, told)] = &refused[..] {
        assert!(told.starts_with("calls of `ada` in session `mcp-"), "{told}");
        assert!(told.ends_with("were refused: 13 not readable, 1 too long, 4 of no tool"), "{told}");
    }
    assert_eq!(upstream_got(&site).matches("tools/call").count(), 1);
}

#[test]
fn a_name_is_only_a_name() {
    let site = patient("[[rule]]\nid = 'read'\neffect = 'permit'\noperations = ['up/read_*']\n");
    let mut session = Session::start(&site, &file_server(&site));
    for tool in ["../up/read_file", "read_file/../write_file", "Read_file", "write_file", " read_file"] {
        let (refused, text) = session.call(tool, &json!({ "path": "notes.txt", "content": "x" }));
        assert!(refused && text.contains("denied by host: no policy permits this action"), "{tool}: {text}");
    }
    // With a Cyrillic letter, which nobody could see in a rule or a log.
    let (refused, text) = session.call("re\u{430}d_file", &json!({}));
    assert!(refused && text.contains("mixes letters of several scripts"), "{text}");
    let (refused, text) = session.call("", &json!({}));
    assert!(refused && text.contains("denied"), "{text}");
    // Permitted, though it was never listed: the upstream has the last word.
    let (failed, text) = session.call("read_minds", &json!({}));
    assert!(failed && text.contains("there is no tool `read_minds`"), "{text}");
    session.finish();
    let recorded = recorded(&site);
    let outcomes: Vec<_> = recorded.iter().filter_map(|recorded| recorded.outcome.as_ref()).collect();
    assert_eq!((recorded.len(), outcomes.len(), outcomes[0].status), (7, 1, Status::Failed));
    assert_eq!(recorded[0].decision.operation.as_str(), "up/../up/read_file");
    let read = std::fs::read_to_string(site.path().join("files/notes.txt")).unwrap();
    assert_eq!(read, "Buy milk.");
}

#[test]
fn nothing_is_done_before_the_session_has_begun() {
    let site = patient(PERMIT_ALL);
    let mut session = Session::silent(&site, &misbehaving(&site, "fine"));
    for method in ["tools/call", "tools/list", "resources/list"] {
        let answer = session.ask(method, &json!({ "name": "one", "arguments": {} }));
        assert!(answer["error"]["message"].is_string(), "{method}: {answer}");
    }
    session.initialize();
    assert_eq!(session.call("one", &json!({})), (false, "done".to_owned()));
    session.finish();
    assert_eq!(recorded(&site).len(), 1);
    assert_eq!(upstream_got(&site).matches("tools/call").count(), 1);
}

#[test]
fn a_flood_is_answered_call_by_call() {
    const CALLS: usize = 1_000;
    let site = patient(PERMIT_ALL);
    let start = std::time::Instant::now();
    let mut session = Session::start(&site, &file_server(&site));
    session.tools().unwrap();
    let ids: Vec<_> = (0..CALLS).map(|_| session.send_call("read_file", &json!({ "path": "notes.txt" }))).collect();
    let answers: Vec<_> = ids.into_iter().map(|id| told(&session.answer(Some(id)))).collect();
    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(failed, _)| !failed);
    let full = "256 calls are under way; wait for one to end and call again";
    assert_eq!(refused.iter().find(|(_, text)| text != full), None);
    assert_eq!(done.iter().find(|(_, text)| text != "Buy milk."), None);
    assert!(done.len() >= 256, "only {} done", done.len());
    let ended = session.finish();
    assert!(ended.rest.is_empty(), "answered twice: {:?}", ended.rest);
    // Who sends nothing but refused calls gets an entry in some seconds.
    let told = log::refused(&site);
    assert_eq!(told.iter().map(|(count, _)| count).sum::<u64>(), refused.len() as u64);
    assert!(told.len() as u64 <= 1 + start.elapsed().as_secs() / 10, "{told:?}");
    let recorded = recorded(&site);
    assert_eq!(recorded.len(), done.len());
    assert!(recorded.iter().all(|recorded| recorded.told().2 == Some(Status::Succeeded)));
}

#[test]
fn one_id_cannot_stand_for_two_requests() {
    let site = patient(PERMIT_ALL);
    let mut session = Session::start(&site, &misbehaving(&site, "slow"));
    session.line(&raw_call(200, "one", r#"{"n":1}"#));
    session.line(&raw_call(200, "one", r#"{"n":2}"#));
    let (_, text) = told(&session.answer(None));
    assert!(text.contains("a request with the id `200` has no answer yet"), "{text}");
    assert_eq!(told(&session.answer(Some(200))), (false, "done".to_owned()));
    assert!(session.finish().rest.is_empty());
    assert_eq!(recorded(&site).len(), 1);
}
