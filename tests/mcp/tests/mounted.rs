//! The gateway that is part of `vak serve`: one host, one log and one set of limits for
//! those who speak MCP and those who ask by HTTP.

use rmcp::model::CallToolRequestParams;
use rustix::process::Signal;
use serde_json::{Value, json};
use vak_audit::Status;
use vak_test_support::Site;
use vak_types::Digest;

use crate::listening::{Answer, Listening, TOKEN, borrowed, call, initialize, lifecycles, read, stateless};
use crate::log::{recorded, refused};
use crate::raw::told;
use crate::site::{PERMIT_ALL, misbehaving, upstream, upstream_got};

const APP: &str = "app-app-app-app-app-app-app-app-";
const GRACE: &str = "grace-grace-grace-grace-grace-gr";

const ASKS: &str = "
[[rule]]
id = 'all'
effect = 'permit'
operations = ['up/*', 'skill/*']
[[rule]]
id = 'ask'
effect = 'escalate'
operations = ['up/*', 'skill/*']
";

fn token(name: &str, token: &str, more: &str) -> String {
    format!("[[server.tokens]]\nname = '{name}'\ndigest = '{}'\n{more}\n", Digest::of(token.as_bytes()))
}

/// A host with these rules, the skill `calculator`, and tokens: one that speaks MCP, one
/// that asks by HTTP, and one of a person.
fn bare(rules: &str, more: &str) -> Site {
    let limits = "[policies.limits]\nwall_ms_max = 10_000";
    let server = format!(
        "[server]\nlisten = '127.0.0.1:0'\nlimits = {{ drain_ms = 250 }}\n{}{}{}",
        token("mcp", TOKEN, &format!("scopes = ['mcp']\nagents = ['ada']\n{more}")),
        token("app", APP, "scopes = ['decide', 'execute', 'metrics']\nagents = ['ada']"),
        token("grace", GRACE, "scopes = ['approve']\nagents = ['ada']"),
    );
    Site::new().rules(rules).section(limits).skill("calculator").section(&server)
}

/// The same with the upstream `up`, which behaves as `mode` says.
fn site(rules: &str, mode: &str, more: &str) -> Site {
    let site = bare(rules, more);
    let up = upstream("up", &misbehaving(&site, mode));
    site.section(&format!("[mcp]\nstart_ms = 60_000\ncall_ms = 60_000\n{up}"))
}

/// Asks without a session.
fn ask(served: &Listening, message: Value) -> Answer {
    let (headers, message) = stateless(message);
    served.post(&borrowed(&headers), &message)
}

fn ask_one(served: &Listening, id: i64) -> (bool, String) {
    told(&ask(served, call(id, "up_one", &json!({ "n": 1 }))).message())
}

fn execute(served: &Listening) -> Value {
    let body = json!({ "agent": "ada", "tool": "up/one", "input": {} }).to_string();
    served.ask_at("/v1/execute", "POST", APP, &body).message()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_s_client_and_an_application_have_one_host() {
    let few =
        "[[limits]]\nname = 'few'\nkind = 'quota'\nper = 'agent'\nactions = 3\nwindow_s = 86400\noperations = 'up/*'\n";
    let site = site(PERMIT_ALL, "fine", "").section(few);
    let served = Listening::serve(&site);
    for lifecycle in lifecycles() {
        let mut client = served.client(lifecycle).await;
        let tools: Vec<_> = client.list_all_tools().await.unwrap().into_iter().map(|tool| tool.name).collect();
        assert!(tools.iter().any(|tool| tool == "up_one") && tools.iter().any(|tool| tool == "vak_calculator"));
        let called = client.call_tool(CallToolRequestParams::new("up_one")).await.unwrap();
        assert_eq!(called.content[0].as_text().unwrap().text, "done");
        client.close().await.unwrap();
    }
    // Two of three are used, whichever way they were asked for.
    assert_eq!(execute(&served)["verdict"]["decision"], "allow");
    assert_eq!(execute(&served)["verdict"]["decision"], "deny");
    let (failed, text) = ask_one(&served, 1);
    assert!(failed && text.contains("limit `few`"), "{text}");
    let metrics = served.ask_at("/metrics", "GET", APP, "").body;
    for line in [
        "vak_decisions_total{decision=\"allow\"} 3\n",
        "vak_decisions_total{decision=\"deny\"} 2\n",
        "vak_upstreams{is=\"up\"} 1\n",
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
    served.stop();
    // One process for all of them.
    assert_eq!(upstream_got(&site).matches("\"initialize\"").count(), 1);
    let recorded = recorded(&site);
    let statuses: Vec<_> = recorded.iter().map(|recorded| recorded.told().2).collect();
    let done = Some(Status::Succeeded);
    assert_eq!(statuses, [done, done, done, None, None]);
}

#[test]
fn who_may_not_speak_it_is_refused() {
    let site = site(PERMIT_ALL, "fine", "");
    let served = Listening::serve(&site);
    let begin = initialize().to_string();
    for (header, status) in [("", 401), ("Bearer nobody", 401), ("Basic MDEyMw==", 401)] {
        let answer = served.ask("POST", &[("Authorization", header)], &begin);
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.header("www-authenticate").is_some(), "{answer:?}");
    }
    for token in [APP, GRACE] {
        let answer = served.ask_at("/mcp", "POST", token, &begin);
        assert_eq!(answer.status, 403, "{answer:?}");
        assert!(answer.body.contains("it lacks the scope `mcp`"), "{answer:?}");
    }
    // What speaks MCP is good for that alone.
    for path in ["/v1/decide", "/v1/execute", "/v1/batch"] {
        assert_eq!(served.ask_at(path, "POST", TOKEN, "{}").status, 403, "{path}");
    }
    assert_eq!(served.ask("POST", &[("Origin", "http://localhost")], &begin).status, 403);
    // Two lengths are two requests to somebody.
    let chunked = served.ask("POST", &[("Content-Length", ""), ("Transfer-Encoding", "chunked")], "0\r\n\r\n");
    assert_eq!(chunked.status, 411, "{chunked:?}");
    let long = "x".repeat(3 << 20);
    assert_eq!(served.ask("POST", &[], &long).status, 413);
    assert_eq!(served.ask("POST", &[], "[]").status, 400);
    assert_eq!(served.ask_at("/mcp/", "POST", TOKEN, &begin).status, 404);
    served.stop();
    assert!(recorded(&site).is_empty() && upstream_got(&site).matches("tools/call").count() == 0);
    let refused = refused(&site);
    let told: Vec<_> = refused.iter().map(|(_, reason)| reason.as_str()).collect();
    assert!(told.iter().any(|reason| reason.contains("without a token that is known")), "{told:?}");
    assert!(told.iter().any(|reason| reason.contains("calls over HTTP were refused")), "{told:?}");
}

#[test]
fn what_is_approved_elsewhere_is_done_once_when_it_is_asked_again() {
    let site = site(ASKS, "fine", "");
    let served = Listening::serve(&site);
    let approve = || {
        let waiting = served.ask_at("/v1/approvals", "GET", GRACE, "").message();
        let seq = waiting["waiting"][0]["seq"].as_u64().unwrap_or_else(|| panic!("{waiting}"));
        let body = json!({ "answer": "approve", "note": "" }).to_string();
        assert_eq!(served.ask_at(&format!("/v1/approvals/{seq}/answer"), "POST", GRACE, &body).status, 200);
    };
    for (tool, arguments, done) in [
        ("up_one", json!({ "n": 1 }), "done"),
        ("vak_calculator", json!({ "expression": "6 * 7" }), r#"{"value":42.0}"#),
    ] {
        let asks = || told(&ask(&served, call(1, tool, &arguments)).message());
        let (failed, text) = asks();
        assert!(failed && text.contains("needs a person's approval"), "{text}");
        approve();
        // Not something else.
        let (failed, text) = told(&ask(&served, call(2, tool, &json!({ "expression": "1", "n": 2 }))).message());
        assert!(failed && text.contains("needs a person's approval"), "{text}");
        let other = served.begin();
        let (failed, _) = told(&served.post(&[("Mcp-Session-Id", &other)], &call(3, tool, &arguments)).message());
        assert!(failed);
        assert_eq!(asks(), (false, done.to_owned()));
        let (failed, text) = asks();
        assert!(failed && text.contains("needs a person's approval"), "{text}");
        // Nobody answers these.
        let waiting = served.ask_at("/v1/approvals", "GET", GRACE, "").message();
        for waits in waiting["waiting"].as_array().unwrap() {
            let path = format!("/v1/approvals/{}/answer", waits["seq"]);
            assert_eq!(served.ask_at(&path, "POST", GRACE, r#"{"answer":"reject"}"#).status, 200);
        }
    }
    served.stop();
    assert_eq!(upstream_got(&site).matches("tools/call").count(), 1);
}

#[test]
fn the_person_before_a_client_is_its_token_s() {
    for (more, put) in [("person = 'grace'", true), ("", false)] {
        let site = site(ASKS, "fine", more);
        let served = Listening::serve(&site);
        let (headers, mut message) = stateless(call(1, "up_one", &json!({ "n": 1 })));
        message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({ "elicitation": {} });
        let answer = served.post(&borrowed(&headers), &message).message();
        assert_eq!(answer["result"]["resultType"] == "input_required", put, "{answer}");
        served.stop();
    }
}

/// A question is answered by whom it was put to: not by another token, be it of the
/// same agent, nor by one whose client has nobody before it.
#[test]
fn a_question_is_no_other_token_s() {
    let other = "other-other-other-other-other-ot";
    let site = site(ASKS, "fine", "person = 'grace'")
        .section(&token("other", other, "scopes = ['mcp']\nagents = ['ada']\nperson = 'grace'"))
        .section(&token("nobody", &other.to_uppercase(), "scopes = ['mcp']\nagents = ['ada']"));
    let served = Listening::serve(&site);
    let one = call(1, "up_one", &json!({ "n": 1 }));
    let ask_as = |token: &str, answer: Option<&Value>| {
        let (mut headers, mut message) = stateless(one.clone());
        message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({ "elicitation": {} });
        if let Some(question) = answer {
            message["params"]["requestState"] = question["result"]["requestState"].clone();
            let yes = json!({ "action": "accept", "content": { "approve": true } });
            message["params"]["inputResponses"] = json!({ "approve": yes });
        }
        headers.push(("Authorization", format!("Bearer {token}")));
        served.post(&borrowed(&headers), &message).message()
    };
    let question = ask_as(TOKEN, None);
    assert_eq!(question["result"]["resultType"], "input_required", "{question}");
    for token in [other, &other.to_uppercase()] {
        let answer = ask_as(token, Some(&question));
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    assert_eq!(upstream_got(&site).matches("tools/call").count(), 0);
    assert_eq!(told(&ask_as(TOKEN, Some(&question))), (false, "done".to_owned()));
    served.stop();
}

#[test]
fn what_is_under_way_at_the_end_is_given_up_and_recorded() {
    let site = site(PERMIT_ALL, "hang", "");
    let served = Listening::serve(&site);
    let id = served.begin();
    let session = [("Mcp-Session-Id", id.as_str()), ("Connection", "keep-alive")];
    let stream = served.send(&served.request("GET", &session, ""));
    let (headers, message) = stateless(call(1, "up_one", &json!({})));
    let hangs = served.send(&served.request("POST", &borrowed(&headers), &message.to_string()));
    while !upstream_got(&site).contains("tools/call") {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    served.signal(Signal::TERM);
    let answer = read(hangs).message();
    assert!(told(&answer).0, "{answer}");
    served.stop();
    // It had begun, and ended.
    assert_eq!(read(stream).status, 200);
    let recorded = recorded(&site);
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0].told(), ("up/one", "allow".to_owned(), Some(Status::Unknown)));
}

#[test]
fn skills_need_no_upstream() {
    let site = bare(PERMIT_ALL, "");
    let served = Listening::serve(&site);
    let listed = ask(&served, json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} })).message();
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 1, "{listed}");
    let sum = ask(&served, call(2, "vak_calculator", &json!({ "expression": "6 * 7" }))).message();
    assert_eq!(told(&sum), (false, r#"{"value":42.0}"#.to_owned()));
    let none = ask(&served, call(3, "one", &json!({}))).message();
    assert!(told(&none).1.contains("there is no tool `one`"), "{none}");
    served.stop();
    assert_eq!(recorded(&site).len(), 1);
}

#[test]
fn a_token_that_is_taken_away_ends_its_sessions() {
    let site = site(PERMIT_ALL, "fine", "");
    let served = Listening::serve(&site);
    let id = served.begin();
    let session = [("Mcp-Session-Id", id.as_str())];
    assert!(!told(&served.post(&session, &call(2, "up_one", &json!({}))).message()).0);
    let config = std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(site.config(), config.replace("['mcp']", "['decide']")).unwrap();
    let mut status = 200;
    while status == 200 {
        std::thread::sleep(std::time::Duration::from_millis(20));
        status = served.post(&session, &call(3, "up_one", &json!({}))).status;
    }
    assert_eq!(status, 403);
    served.stop();
}
