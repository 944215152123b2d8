//! Messages of frameworks.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use vak_test_support::{Site, binary, components};

use crate::client::{Answer, Client};
use crate::served::{Served, ada, recorded, refused, token};

const RULES: &str = "\
    [[rule]]\nid = 'tools'\neffect = 'permit'\noperations = ['claude-code/*']\n\
    [[rule]]\nid = 'no-network'\neffect = 'forbid'\noperations = ['claude-code/WebFetch']\n\
    [[rule]]\nid = 'ask'\neffect = 'escalate'\noperations = ['claude-code/Bash']\n\
    [[rule]]\nid = 'hidden'\neffect = 'permit'\noperations = ['claude-code/Edit']\n\
    obligations = [{ redact = { argument = '/new_string', with = 'gone' } }]\n";

/// Two readings at a time, which end when their outcome is told.
const PLACES: &str =
    "[[limits]]\nname = 'places'\nkind = 'concurrency'\nper = 'agent'\nat_once = 2\noperations = 'claude-code/Read'\n";

const PATH: &str = "/v1/adapters/claude-code/ingest";

fn site(more: &str) -> Site {
    let adapter = components().join("claude-code.wasm");
    let adapter = format!("[[adapters]]\nname = 'claude-code'\ncomponent = '{}'\n", adapter.display());
    let patient = "[policies.limits]\nwall_ms_max = 10_000";
    let server =
        "[server]\nlisten = '127.0.0.1:0'\nsocket = { path = 'vak.sock', scopes = ['decide'], agents = ['ada'] }";
    let (_, lines) = ada();
    let (_, grace) = token("grace", "['approve']", "['ada']");
    let patient_too = "[adapters.limits]\nwall_ms_max = 10_000\n";
    // What a test says of the adapter stands before the table of its limits.
    let (of_adapter, rest) = more.split_once("---\n").unwrap_or((more, ""));
    let adapter = format!("{adapter}{of_adapter}{patient_too}");
    Site::new().rules(RULES).section(patient).section(&adapter).section(server).section(&(lines + &grace)).section(rest)
}

fn start(more: &str) -> (Served, Client) {
    let served = Served::start(site(more));
    let client = served.client(&ada().0);
    (served, client)
}

fn event(name: &str, tool: &str, call: &str, more: &Value) -> Value {
    let mut event = json!({
        "session_id": "s1", "transcript_path": "/t", "cwd": "/work", "hook_event_name": name,
        "tool_name": tool, "tool_use_id": call, "tool_input": { "file_path": "/work/a" },
    });
    for (key, value) in more.as_object().unwrap() {
        event[key] = value.clone();
    }
    json!({ "agent": "ada", "event": event })
}

fn before(tool: &str, call: &str) -> Value {
    event("PreToolUse", tool, call, &json!({}))
}

fn after(call: &str) -> Value {
    event("PostToolUse", "Read", call, &json!({ "tool_response": { "text": "hello" } }))
}

/// What Claude Code is told: `None` if it goes on by itself.
fn told(answer: &Answer) -> Option<(String, String)> {
    let answer = answer.ok();
    let output = answer["reply"].get("hookSpecificOutput")?;
    let text = |key: &str| output[key].as_str().unwrap().to_owned();
    Some((text("permissionDecision"), text("permissionDecisionReason")))
}

#[test]
fn what_a_message_asks_for_is_decided_and_ends_with_its_outcome() {
    let (served, mut client) = start(&format!("---\n{PLACES}"));
    for call in ["1", "2"] {
        let answer = client.post(PATH, &before("Read", call)).ok();
        assert_eq!(answer["reply"], json!({}));
        assert_eq!(answer["actions"][0]["verdict"]["decision"], "allow");
    }
    // A model names its calls: one of the same name is a third, which is too many.
    assert!(told(&client.post(PATH, &before("Read", "2"))).unwrap().1.contains("limit `places`"));
    let (decision, reason) = told(&client.post(PATH, &before("Read", "3"))).unwrap();
    assert!(decision == "deny" && reason.contains("limit `places`"), "{reason}");
    // A retry asks whether it may happen now.
    assert!(told(&client.post(PATH, &before("Read", "3"))).is_some());
    // Until one ends.
    assert_eq!(client.post(PATH, &after("1")).ok()["ended"], 1);
    assert_eq!(client.post(PATH, &after("1")).ok()["ended"], 0);
    assert_eq!(client.post(PATH, &after("unheard of")).ok()["ended"], 0);
    assert_eq!(told(&client.post(PATH, &before("Read", "3"))), None);
    assert_eq!(client.post(PATH, &after("3")).ok()["ended"], 1);
    // What is done again after its end is another action.
    assert_eq!(told(&client.post(PATH, &before("Read", "3"))), None);
    let (decision, reason) = told(&client.post(PATH, &before("WebFetch", "5"))).unwrap();
    assert_eq!((decision.as_str(), reason.as_str()), ("deny", "denied by policy `rules`, rule `no-network`"));
    let failed = event("PostToolUseFailure", "Read", "3", &json!({ "error": "no such file" }));
    assert_eq!(client.post(PATH, &failed).ok()["ended"], 1);
    client.post(PATH, &json!({ "agent": "ada", "event": { "hook_event_name": "Stop" } })).ok();

    let recorded = recorded(&served.stop().site);
    let allowed: Vec<_> = recorded.iter().map(|it| it.decision.verdict.is_allow()).collect();
    assert_eq!(allowed, [true, true, false, false, false, true, true, false]);
    // One conversation, one session.
    assert!(recorded.iter().all(|it| it.session == recorded[0].session && it.session.starts_with("claude-code-")));
    assert_eq!(recorded[6].outcome.as_ref().unwrap().detail, "no such file");
}

#[test]
fn what_the_operator_blocks_or_lets_pass_is_not_asked_of_policies() {
    let (served, mut client) =
        start("blocked = ['claude-code/Write']\npass = ['claude-code/Todo*', 'claude-code/Write']\n");
    let answer = client.post(PATH, &before("TodoWrite", "1")).ok();
    assert_eq!((&answer["reply"], &answer["actions"][0]), (&json!({}), &json!({ "passed": true })));
    let (decision, reason) = told(&client.post(PATH, &before("Write", "2"))).unwrap();
    assert_eq!(decision, "deny");
    assert!(reason.contains("adapter `claude-code` is configured to block `claude-code/Write`"), "{reason}");
    let metric = |end: &str| format!("vak_adapter_actions_total{{adapter=\"claude-code\",end=\"{end}\"}}");
    let app = ada().0;
    assert_eq!(["passed", "blocked", "deny"].map(|end| served.metric(&app, &metric(end))), [1.0, 1.0, 0.0]);
    let recorded = recorded(&served.stop().site);
    assert_eq!(recorded.len(), 1);
}

#[test]
fn what_only_may_happen_with_other_arguments_happens_with_those() {
    let (_served, mut client) = start("");
    let input = json!({ "tool_input": { "new_string": "secret" }, "prompt_id": "p1" });
    let answer = client.post(PATH, &event("PreToolUse", "Edit", "1", &input)).ok();
    let output = json!({ "hookEventName": "PreToolUse", "updatedInput": { "new_string": "gone" } });
    assert_eq!(answer["reply"], json!({ "hookSpecificOutput": output }));
}

#[test]
fn what_a_person_approves_happens_when_it_is_asked_again_once() {
    let (served, mut client) = start("");
    let mut grace = served.client(&token("grace", "['approve']", "['ada']").0);
    let ask = |client: &mut Client, call: &str| told(&client.post(PATH, &before("Bash", call)));
    let (decision, reason) = ask(&mut client, "1").unwrap();
    assert!(decision == "deny" && reason.starts_with("a person has to approve it (number "), "{reason}");
    // Asking on makes no other question.
    assert_eq!(ask(&mut client, "1").unwrap().1, reason);
    let waiting = grace.get("/v1/approvals").ok();
    assert_eq!(waiting["waiting"].as_array().unwrap().len(), 1);
    let seq = waiting["waiting"][0]["seq"].clone();
    grace.post(&format!("/v1/approvals/{seq}/answer"), &json!({ "answer": "approve" })).ok();
    // Another conversation, and other arguments, are something else.
    let other = event("PreToolUse", "Bash", "1", &json!({ "session_id": "s2" }));
    assert!(told(&client.post(PATH, &other)).is_some());
    let other = event("PreToolUse", "Bash", "2", &json!({ "tool_input": { "command": "rm" } }));
    assert!(told(&client.post(PATH, &other)).is_some());
    // The model asks anew, under another name.
    assert_eq!(ask(&mut client, "3"), None);
    assert_eq!(client.post(PATH, &event("PostToolUse", "Bash", "3", &json!({ "tool_response": "" }))).ok()["ended"], 1);
    assert!(ask(&mut client, "4").is_some());
    // Or asks on under the first.
    let waiting = grace.get("/v1/approvals").ok();
    let last = waiting["waiting"].as_array().unwrap().last().unwrap()["seq"].clone();
    grace.post(&format!("/v1/approvals/{last}/answer"), &json!({ "answer": "approve" })).ok();
    assert_eq!(ask(&mut client, "4"), None);

    let recorded = recorded(&served.stop().site);
    let allowed: Vec<_> = recorded.iter().filter(|it| it.decision.verdict.is_allow()).collect();
    assert_eq!(allowed.len(), 2);
    assert_eq!(allowed[0].action, recorded[0].action);
}

#[test]
fn what_is_no_message_is_refused() {
    let (served, mut client) = start("");
    client.post("/v1/adapters/other/ingest", &before("Read", "1")).is_problem(404, "no-such-adapter");
    client.post("/v1/adapters/..%2fx/ingest", &before("Read", "1")).is_problem(404, "no-such-adapter");
    for event in [json!({}), json!([]), json!("text"), json!({ "hook_event_name": "PreMagic" })] {
        client.post(PATH, &json!({ "agent": "ada", "event": event })).is_problem(422, "message");
    }
    let nameless = event("PreToolUse", "Read", "", &json!({}));
    client.post(PATH, &nameless).is_problem(422, "message");
    let odd = event("PreToolUse", "Read\n", "1", &json!({}));
    client.post(PATH, &odd).is_problem(422, "message");
    client.post(PATH, &json!({ "agent": "bob", "event": {} })).is_problem(403, "agent");
    client.post(PATH, &json!({ "agent": "ada" })).is_problem(400, "malformed");
    let deep = "[".repeat(70) + &"]".repeat(70);
    client
        .send("POST", PATH, "application/json", format!("{{\"agent\": \"ada\", \"event\": {deep}}}"))
        .is_problem(400, "malformed");
    // The same call with other arguments is another one.
    assert_eq!(told(&client.post(PATH, &before("Read", "1"))), None);
    let other = event("PreToolUse", "Read", "1", &json!({ "tool_input": { "file_path": "/etc/passwd" } }));
    client.post(PATH, &other).is_problem(409, "id-in-use");
    let site = served.stop().site;
    assert_eq!(recorded(&site).len(), 1);
    let told = refused(&site);
    assert!(told.iter().any(|(_, why)| why.contains("not readable")), "{told:?}");
}

#[test]
fn another_token_ends_nothing() {
    let (eve, lines) = token("eve", "['decide']", "['ada']");
    let served = Served::start(site(&format!("---\n{lines}")));
    let mut client = served.client(&ada().0);
    assert_eq!(told(&client.post(PATH, &before("Read", "1"))), None);
    assert_eq!(served.client(&eve).post(PATH, &after("1")).ok()["ended"], 0);
    assert_eq!(client.post(PATH, &after("1")).ok()["ended"], 1);
}

/// Runs `vak hook` with this on its standard input.
fn hook(server: &str, token: Option<&str>, input: &str) -> Output {
    hook_within("60", server, token, input)
}

fn hook_within(seconds: &str, server: &str, token: Option<&str>, input: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(binary("vak"));
    command.args(["hook", "claude-code", "--agent", "ada", "--timeout", seconds, "--server", server]);
    if let Some(token) = token {
        let file = folder.path().join("token");
        std::fs::write(&file, token).unwrap();
        command.arg("--token").arg(file);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may not want to read all of it.
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap_or_default();
    child.wait_with_output().unwrap()
}

#[test]
fn a_hook_answers_or_blocks() {
    let (served, _) = start("");
    let (address, socket) = (format!("http://{}", served.address()), format!("unix:{}", served.socket().display()));
    let app = ada().0;
    let message = |tool: &str| before(tool, tool)["event"].to_string();
    let good = |output: Output| -> Value {
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    assert_eq!(good(hook(&address, Some(&app), &message("Read"))), json!({}));
    assert_eq!(good(hook(&socket, None, &message("Read"))), json!({}));
    let denied = good(hook(&socket, None, &message("WebFetch")));
    assert_eq!(denied["hookSpecificOutput"]["permissionDecision"], "deny");

    let long = format!("\"{}\"", "x".repeat(2 << 20));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let blocked = [
        (&*address, Some("vak_wrong"), &*message("Read"), "A valid token is needed"),
        (&address, None, &message("Read"), "A valid token is needed"),
        (&address, Some(&app), "", "the message on standard input"),
        (&address, Some(&app), "{", "the message on standard input"),
        (&address, Some(&app), "{\"a\": 1, \"a\": 2}", "the message on standard input"),
        (&address, Some(&app), &long, "the message on standard input"),
        (&address, Some(&app), "{}", "`hook_event_name` is missing"),
        (&nobody, None, &message("Read"), "can't be reached"),
        ("unix:/nowhere", None, &message("Read"), "can't be reached"),
        ("http://example.org", Some(&app), &message("Read"), "a token is not sent over `http`"),
        ("ftp://127.0.0.1", None, &message("Read"), "neither `http` nor `https`"),
    ];
    for (server, token, input, why) in blocked {
        let output = hook(server, token, input);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && stderr.contains(why) && output.stdout.is_empty(), "{why}: {stderr}");
        assert!(stderr.starts_with("blocked, since it could not be decided: "), "{stderr}");
    }
}

#[test]
fn a_hook_waits_no_longer_than_it_was_told() {
    // Takes connections and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let output = hook_within("1", &address, None, &before("Read", "1")["event"].to_string());
    assert_eq!(output.status.code(), Some(2));
}
