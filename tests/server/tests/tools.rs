//! Tools of MCP servers.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use vak_audit::Status;
use vak_test_support::{Site, binary};
use vak_types::Digest;

use crate::client::{Client, bytes_of, raw, say};
use crate::served::{Recorded, Served, action, ada, recorded, refused, site, token, until, with};

/// A site whose upstream `files` is the file server of the tests, over `notes.txt`.
fn with_files(server: &str, more: &str) -> Site {
    let (_, lines) = ada();
    let site = site(server, &(lines + more));
    let files = site.path().join("files");
    std::fs::create_dir_all(&files).unwrap();
    std::fs::write(files.join("notes.txt"), "Buy milk.").unwrap();
    let command = format!("['{}', '{}']", binary("vak-file-server").display(), files.canonicalize().unwrap().display());
    with_upstream(site, &command, 60_000)
}

/// A site whose upstream `files` misbehaves as `mode` says.
fn with_misbehaving(mode: &str, call_ms: u64, more: &str) -> Site {
    misbehaving("", mode, call_ms, more)
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../mcp/upstreams/misbehaving.py")
}

fn misbehaving(server: &str, mode: &str, call_ms: u64, more: &str) -> Site {
    let (_, lines) = ada();
    let site = site(server, &(lines + more));
    let script = script();
    let log = site.path().join("upstream.log");
    with_upstream(site, &format!("['python3', '{}', '{mode}', '{}']", script.display(), log.display()), call_ms)
}

fn with_upstream(site: Site, command: &str, call_ms: u64) -> Site {
    site.section(&format!("[mcp]\ncall_ms = {call_ms}\n[[mcp.upstreams]]\nname = 'files'\ncommand = {command}\n"))
}

fn call(tool: &str, input: &Value) -> Value {
    json!({ "agent": "ada", "tool": tool, "input": input })
}

fn read() -> Value {
    call("files/read_file", &json!({ "path": "notes.txt" }))
}

/// The operations of the log, and how they ended.
fn told(recorded: &[Recorded]) -> Vec<(&str, Option<Status>)> {
    recorded.iter().map(|it| (it.decision.operation.as_str(), it.outcome.as_ref().map(|of| of.status))).collect()
}

fn upstream_got(site: &Site) -> String {
    std::fs::read_to_string(site.path().join("upstream.log")).unwrap_or_default()
}

#[test]
fn a_tool_is_called_if_that_is_allowed_and_its_end_is_recorded() {
    let served = Served::start(with_files("", ""));
    let mut client = served.client(&ada().0);
    let answer = client.post("/v1/execute", &read()).ok();
    assert_eq!((&answer["verdict"]["decision"], &answer["outcome"]["status"]), (&json!("allow"), &json!("succeeded")));
    let output = &answer["outcome"]["output"];
    assert_eq!(output["content"][0]["text"], "Buy milk.");
    assert_eq!(output["_meta"], json!({ "vak/upstream": "files", "vak/trust": "untrusted" }));
    assert!(answer["outcome"]["receipt"]["seq"].as_u64() > answer["receipt"]["seq"].as_u64());
    let failed = client.post("/v1/execute", &call("files/read_file", &json!({ "path": "none" }))).ok();
    assert_eq!(failed["outcome"]["status"], "failed");
    assert!(failed["outcome"]["detail"].is_string() && failed["outcome"]["output"]["isError"] == true, "{failed}");
    // What policies want changed is what the tool gets.
    let denied = client.post("/v1/execute", &call("files/delete", &json!({}))).ok();
    assert_eq!(denied["verdict"]["decision"], "deny");
    assert!(denied["outcome"].is_null() && denied["receipt"]["seq"].is_u64(), "{denied}");
    drop(client);
    let recorded = recorded(&served.stop().site);
    let read = |status| ("files/read_file", Some(status));
    assert_eq!(told(&recorded), [read(Status::Succeeded), read(Status::Failed), ("files/delete", None)]);
    // The log has the digest of what was told, and how the tool was described.
    let result = recorded[0].outcome.as_ref().unwrap().result.as_ref().unwrap();
    assert_eq!(result.sha256, Digest::of(output.to_string().as_bytes()));
    assert!(recorded[0].decision.resource.as_str() == "mcp:files/read_file");
}

#[test]
fn a_tool_has_its_own_time_beside_that_of_requests() {
    // The upstream takes a second.
    let served = Served::start(misbehaving("limits = { request_ms = 250 }", "slow", 60_000, ""));
    let answer = served.client(&ada().0).post("/v1/execute", &call("files/one", &json!({}))).ok();
    assert_eq!(answer["outcome"]["status"], "succeeded");
    assert_eq!(told(&recorded(&served.stop().site)), [("files/one", Some(Status::Succeeded))]);
}

#[test]
fn what_is_no_tool_is_no_action() {
    let served = Served::start(with_files("", ""));
    let mut client = served.client(&ada().0);
    for tool in
        ["none/read_file", "files", "read_file", "files/resources/read", "files/prompts/get", "skill/calculator"]
    {
        client.post("/v1/execute", &call(tool, &json!({}))).is_problem(404, "no-such-tool");
    }
    for input in [json!([1]), json!("x"), json!(1), json!(null)] {
        client.post("/v1/execute", &call("files/read_file", &input)).is_problem(400, "malformed");
    }
    for asked in [
        json!({ "agent": "ada" }),
        with(read(), &json!({ "skill": "calculator" })),
        call("", &json!({})),
        call("files/re\u{202e}ad", &json!({})),
        with(read(), &json!({ "attributes": { "definition": "sha256:0" } })),
    ] {
        client.post("/v1/execute", &asked).is_problem(400, "malformed");
    }
    client.post("/v1/execute", &with(read(), &json!({ "agent": "bob" }))).is_problem(403, "agent");
    drop(client);
    assert!(recorded(&served.stop().site).is_empty());
    // A server without upstreams.
    let (served, token) = Served::ada("", "");
    served.client(&token).post("/v1/execute", &read()).is_problem(404, "no-such-tool");
}

#[test]
fn it_is_called_once_for_one_id() {
    let served = Served::start(with_misbehaving("fine", 60_000, ""));
    let mut client = served.client(&ada().0);
    let asked = with(call("files/one", &json!({ "n": 1 })), &json!({ "id": "1" }));
    let first = client.post("/v1/execute", &asked).ok();
    // The session has heard something since, and asks the same all the same.
    assert_eq!(client.post("/v1/execute", &asked).ok(), first);
    client.post("/v1/execute", &with(asked, &json!({ "input": { "n": 2 } }))).is_problem(409, "id-in-use");
    drop(client);
    let site = served.stop().site;
    assert_eq!(recorded(&site).len(), 1);
    assert_eq!(upstream_got(&site).matches("tools/call").count(), 1);
}

fn send(session: &Value) -> Value {
    match session.is_null() {
        true => action("files/send"),
        false => with(action("files/send"), &json!({ "session": session })),
    }
}

#[test]
fn what_a_session_has_heard_is_not_forgotten() {
    let served = Served::start(with_misbehaving("fine", 60_000, ""));
    let mut client = served.client(&ada().0);
    let mut open = || client.post("/v1/sessions", &json!({ "agent": "ada" })).ok()["session"].clone();
    let (one, other) = (open(), open());
    assert_eq!(client.post("/v1/decide", &send(&one)).decision(), "allow");
    client.post("/v1/execute", &with(call("files/one", &json!({})), &json!({ "session": one }))).ok();
    // Whatever who asks says of its labels.
    let says = with(send(&one), &json!({ "labels": ["trusted"] }));
    assert_eq!(client.post("/v1/decide", &says).decision(), "deny");
    for session in [&other, &Value::Null] {
        assert_eq!(client.post("/v1/decide", &send(session)).decision(), "allow");
    }
    // Errors are in the upstream's words too; the session that is always there.
    client.post("/v1/execute", &call("files/one", &json!({}))).ok();
    assert_eq!(client.post("/v1/decide", &send(&Value::Null)).decision(), "deny");
    drop(client);
    let served = Served::start(served.stop().site);
    let mut client = served.client(&ada().0);
    for (session, decision) in [(&one, "deny"), (&other, "allow"), (&Value::Null, "deny")] {
        assert_eq!(client.post("/v1/decide", &send(session)).decision(), decision);
    }
    drop(client);
    let recorded = recorded(&served.stop().site);
    assert!(format!("{:?}", recorded.last().unwrap().decision.labels).contains("untrusted-files"));
}

#[test]
fn who_is_believed_marks_nothing() {
    let site = with_misbehaving("fine", 60_000, "");
    let config = std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(site.config(), config.replace("[mcp]\n", "[mcp]\ntrusted = ['files']\n")).unwrap();
    let served = Served::start(site);
    let mut client = served.client(&ada().0);
    let answer = client.post("/v1/execute", &call("files/one", &json!({}))).ok();
    assert_eq!(answer["outcome"]["output"]["_meta"]["vak/trust"], "trusted");
    assert_eq!(client.post("/v1/decide", &send(&Value::Null)).decision(), "allow");
}

#[test]
fn a_tool_that_changed_is_denied_until_it_is_accepted() {
    let served = Served::start(with_misbehaving("rug-pull", 60_000, ""));
    let mut client = served.client(&ada().0);
    let mut execute = |tool: &str| client.post("/v1/execute", &call(tool, &json!({}))).ok();
    assert_eq!(execute("files/one")["outcome"]["status"], "succeeded");
    // This pulls the rug.
    execute("files/two");
    let compared = execute("files/one");
    assert_eq!(compared["outcome"]["status"], "failed");
    assert!(compared["outcome"]["detail"].as_str().unwrap().contains("otherwise than when it was accepted"));
    let known = execute("files/one");
    assert_eq!((&known["verdict"]["decision"], known.get("outcome")), (&json!("deny"), None));
    let mut vak = Command::new(binary("vak"));
    vak.args(["mcp", "accept", "files/one", "--config"]).arg(served.site.config());
    assert!(vak.output().unwrap().status.success());
    assert_eq!(execute("files/one")["outcome"]["status"], "succeeded");
    drop(client);
    let site = served.stop().site;
    assert_eq!(upstream_got(&site).matches(r#""name":"one""#).count(), 2);
}

#[test]
fn what_hangs_or_answers_nonsense_is_unknown() {
    for (mode, status, part) in [
        ("hang", "unknown", "did not answer within 1500 ms"),
        ("exit-in-call", "unknown", "ended before it answered"),
        ("long-line", "unknown", "sent a line of more than 4194304 bytes"),
        ("other-result", "unknown", "something other than a tool result"),
        ("error", "failed", "answered with an error"),
        ("exit-at-start", "failed", "ended before it was ready"),
    ] {
        let served = Served::start(with_misbehaving(mode, if mode == "hang" { 1_500 } else { 60_000 }, ""));
        let mut client = served.client(&ada().0);
        let answer = client.post("/v1/execute", &call("files/one", &json!({}))).ok();
        assert_eq!(answer["outcome"]["status"], status, "{mode}: {answer}");
        assert!(answer["outcome"]["detail"].as_str().unwrap().contains(part), "{mode}: {answer}");
        // The rest goes on.
        assert_eq!(client.post("/v1/decide", &action("files/read")).decision(), "allow", "{mode}");
        drop(client);
        let recorded = recorded(&served.stop().site);
        let expected = if status == "unknown" { Status::Unknown } else { Status::Failed };
        assert_eq!(told(&recorded)[0], ("files/one", Some(expected)), "{mode}");
    }
}

#[test]
fn how_upstreams_are_is_told() {
    let health = |served: &Served, path: &str| {
        let answer = Client::to(served.address(), None).get(path);
        assert_eq!(answer.status, 200);
        answer.json()["upstreams"].clone()
    };
    let counts = |up: u8, starting: u8, down: u8| json!({ "up": up, "starting": starting, "down": down });
    let (served, _) = Served::ada("", "");
    assert_eq!(health(&served, "/health"), counts(0, 0, 0));
    let (token, _) = ada();
    for (mode, expected, word) in [
        ("fine", counts(1, 0, 0), "up"),
        ("exit-at-start", counts(0, 0, 1), "down"),
        ("never-ready", counts(0, 1, 0), "starting"),
    ] {
        let served = Served::start(with_misbehaving(mode, 60_000, ""));
        until(|| health(&served, "/ready") == expected, mode);
        assert_eq!(served.metric(&token, &format!("vak_upstreams{{is=\"{word}\"}}")), 1.0);
        assert_eq!(served.stop().code, Some(0));
    }
}

#[test]
fn one_that_dies_comes_back() {
    let served = Served::start(with_misbehaving("exit-in-call", 60_000, ""));
    let mut client = served.client(&ada().0);
    let health = || Client::to(served.address(), None).get("/ready").json()["upstreams"].clone();
    let detail = |answer: Value| answer["outcome"]["detail"].as_str().unwrap().to_owned();
    let mut execute = || client.post("/v1/execute", &call("files/one", &json!({}))).ok();
    assert!(detail(execute()).contains("ended before it answered"));
    until(|| health() == json!({ "up": 0, "starting": 0, "down": 1 }), "down");
    until(|| detail(execute()).contains("ended before it answered"), "asked again");
    drop(client);
    let site = served.stop().site;
    assert_eq!(upstream_got(&site).matches("tools/call").count(), 2);
}

#[test]
fn one_that_hangs_takes_no_places_from_others() {
    let served = Served::start(with_misbehaving("hang", 60_000, ""));
    let (token, _) = ada();
    let asked = bytes_of(
        "POST",
        "/v1/execute",
        &token,
        "content-length: 45\r\n",
        r#"{"agent":"ada","tool":"files/one","input":{}}"#,
    );
    let hanging: Vec<_> = (0..64)
        .map(|_| {
            let mut stream = raw(served.address());
            say(&mut stream, &asked);
            stream
        })
        .collect();
    until(|| upstream_got(&served.site).matches("tools/call").count() == 64, "all are asked");
    let mut client = served.client(&token);
    client.post("/v1/execute", &call("files/one", &json!({}))).is_problem(503, "busy");
    let skill = json!({ "agent": "ada", "skill": "calculator", "input": { "expression": "6 * 7" } });
    assert_eq!(client.post("/v1/execute", &skill).ok()["outcome"]["status"], "succeeded");
    drop((client, hanging));
    // Who stops does not wait for them, and the log has how each ended.
    let ended = served.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let recorded = recorded(&ended.site);
    let unknown = recorded.iter().filter(|it| it.outcome.as_ref().is_some_and(|of| of.status == Status::Unknown));
    assert_eq!(unknown.count(), 64);
}

#[test]
fn who_leaves_leaves_an_outcome() {
    let served = Served::start(with_misbehaving("slow", 60_000, ""));
    let (token, _) = ada();
    let mut stream = raw(served.address());
    let body = call("files/one", &json!({})).to_string();
    say(&mut stream, bytes_of("POST", "/v1/execute", &token, &format!("content-length: {}\r\n", body.len()), &body));
    until(|| upstream_got(&served.site).contains("tools/call"), "it is asked");
    stream.flush().unwrap();
    drop(stream);
    let recorded_one = || {
        let log = vak_audit::LogReader::open(&served.site.path().join("state/audit.sqlite")).unwrap();
        log.entries(0, u64::MAX).any(|entry| matches!(entry.unwrap().body, vak_audit::Body::Outcome(..)))
    };
    until(recorded_one, "it is recorded");
    assert_eq!(told(&recorded(&served.stop().site)), [("files/one", Some(Status::Succeeded))]);
}

#[test]
fn a_tool_is_called_once_it_is_approved() {
    let (grace, lines) = token("grace", "['approve']", "['ada']");
    let served = Served::start(with_misbehaving("tools:ask,send", 60_000, &lines));
    let (mut app, mut grace) = (served.client(&ada().0), served.client(&grace));
    let waits = app.post("/v1/execute", &call("files/ask", &json!({ "n": 1 }))).ok();
    assert_eq!((&waits["verdict"]["decision"], waits.get("outcome")), (&json!("escalate"), None));
    let seq = waits["receipt"]["seq"].as_u64().unwrap();
    let path = format!("/v1/approvals/{seq}/execute");
    app.post(&path, &json!({})).is_problem(409, "approval");
    grace.post(&format!("/v1/approvals/{seq}/answer"), &json!({ "answer": "approve" })).ok();
    let done = app.post(&path, &json!({})).ok();
    assert_eq!((&done["verdict"]["decision"], &done["outcome"]["status"]), (&json!("allow"), &json!("succeeded")));
    app.post(&path, &json!({})).is_problem(409, "approval");
    assert_eq!(app.post("/v1/decide", &action("files/send")).decision(), "deny");

    // What was asked as a decision about something else is no call of the tool.
    for (resource, arguments) in [("r", json!({})), ("mcp:files/ask", json!([1]))] {
        let asked = json!({ "agent": "ada", "operation": "files/ask", "resource": resource, "arguments": arguments });
        let seq = app.post("/v1/decide", &asked).ok()["receipt"]["seq"].as_u64().unwrap();
        grace.post(&format!("/v1/approvals/{seq}/answer"), &json!({ "answer": "approve" })).ok();
        app.post(&format!("/v1/approvals/{seq}/execute"), &json!({})).is_problem(409, "approval");
    }
    drop((app, grace));
    let site = served.stop().site;
    recorded(&site);
    let got = upstream_got(&site);
    assert!(got.matches("tools/call").count() == 1 && got.contains(r#""arguments":{"n":1}"#), "{got}");
}

/// A yes is for what can be done: while the upstream is away it stays good.
#[test]
fn no_yes_is_used_up_for_a_tool_that_is_away() {
    let (grace, lines) = token("grace", "['approve']", "['ada']");
    let site = site("", &(ada().1 + &lines));
    let (late, log) = (site.path().join("late.py"), site.path().join("upstream.log"));
    let site =
        with_upstream(site, &format!("['python3', '{}', 'tools:ask', '{}']", late.display(), log.display()), 60_000);
    let served = Served::start(site);
    let (mut app, mut grace) = (served.client(&ada().0), served.client(&grace));
    let waits = app.post("/v1/execute", &call("files/ask", &json!({ "n": 1 }))).ok();
    let seq = waits["receipt"]["seq"].as_u64().unwrap();
    grace.post(&format!("/v1/approvals/{seq}/answer"), &json!({ "answer": "approve" })).ok();
    let path = format!("/v1/approvals/{seq}/execute");
    for _ in 0..3 {
        let problem = app.post(&path, &json!({})).is_problem(503, "upstream");
        assert!(problem["detail"].as_str().unwrap().contains("the upstream `files`"), "{problem}");
        assert_eq!(app.get(&format!("/v1/approvals/{seq}")).ok()["standing"], "approved");
    }
    std::fs::copy(script(), late).unwrap();
    until(|| app.post(&path, &json!({})).status == 200, "the upstream is there");
    app.post(&path, &json!({})).is_problem(409, "approval");
    drop((app, grace));
    let site = served.stop().site;
    assert_eq!(told(&recorded(&site)), [("files/ask", None), ("files/ask", Some(Status::Succeeded))]);
    assert_eq!(upstream_got(&site).matches("tools/call").count(), 1);
    let refused: String = refused(&site).into_iter().map(|(_, reason)| reason).collect();
    assert!(refused.contains("approved, and for an upstream that is not there"), "{refused}");
}
