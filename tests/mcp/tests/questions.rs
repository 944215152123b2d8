//! What is escalated is put to the person before a client over HTTP: while its
//! request waits, or as its answer.

use std::io::{BufReader, Read as _};
use std::path::Path;

use rmcp::ClientHandler;
use rmcp::RoleClient;
use rmcp::model::{
    CallToolRequestParams, ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult, ElicitationAction,
    ErrorData, Implementation, ProtocolVersion,
};
use rmcp::service::{ClientLifecycleMode, RequestContext, serve_client_with_lifecycle};
use rmcp::transport::streamable_http_client::{StreamableHttpClientTransport, StreamableHttpClientTransportConfig};
use serde_json::{Value, json};
use vak_audit::Status;
use vak_test_support::Site;

use crate::listening::{Listening, TOKEN, borrowed, call, initialize, stateless};
use crate::log::recorded;
use crate::raw::{Session, told};
use crate::site::{misbehaving, site, upstream_got};

const RULES: &str = "
[[rule]]
id = 'all'
effect = 'permit'
operations = ['up/**', 'skill/*']
[[rule]]
id = 'ask'
effect = 'escalate'
operations = ['up/one', 'up/test_*', 'up/resources/read', 'up/prompts/get', 'skill/*']
[[rule]]
id = 'never'
effect = 'forbid'
operations = ['up/one']
when = [{ argument = '/n', equals = 13 }]
";

/// A gateway before which `grace` sits.
fn graced(person: &str) -> Site {
    let site = site(RULES, 60_000, 60_000);
    let config = std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(site.config(), config.replace("[mcp]\n", &format!("[mcp]\nperson = '{person}'\n"))).unwrap();
    site
}

/// The server of the conformance suite, which has resources and prompts.
fn suite() -> Vec<std::ffi::OsString> {
    vec!["python3".into(), Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/server.py").into()]
}

/// Asks in the revision 2026-07-28, as a client that can ask its user.
fn ask(gateway: &Listening, message: Value) -> Value {
    let (headers, mut message) = stateless(message);
    message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({ "elicitation": {} });
    gateway.post(&borrowed(&headers), &message).message()
}

fn yes() -> Value {
    json!({ "approve": { "action": "accept", "content": { "approve": true } } })
}

/// The same request with the answer to a question.
fn again(message: &Value, question: &Value, responses: &Value) -> Value {
    let mut message = message.clone();
    message["params"]["requestState"] = question["result"]["requestState"].clone();
    message["params"]["inputResponses"] = responses.clone();
    message
}

#[track_caller]
fn is_question(answer: &Value) {
    assert_eq!(answer["result"]["resultType"], "input_required", "{answer}");
    let question = &answer["result"]["inputRequests"]["approve"];
    assert_eq!(question["method"], "elicitation/create", "{answer}");
    let text = question["params"]["message"].as_str().unwrap();
    assert!(text.contains("`ada`") && text.contains("rule `ask`"), "{text}");
    assert_eq!(question["params"]["requestedSchema"]["required"], json!(["approve"]));
}

#[test]
fn a_yes_to_a_question_counts_once_for_what_was_asked() {
    let site = graced("grace");
    let gateway = Listening::start(&site, &misbehaving(&site, "fine"));
    let one = call(1, "one", &json!({ "n": 1 }));
    let question = ask(&gateway, one.clone());
    is_question(&question);
    assert!(question.to_string().contains(r#"with {\"n\":1}?"#), "{question}");
    // Other arguments, another tool, and a state that nobody was given.
    let other = ask(&gateway, again(&call(2, "one", &json!({ "n": 2 })), &question, &yes()));
    assert!(told(&other).1.contains("is about another action"), "{other}");
    let spent = ask(&gateway, again(&one, &question, &yes()));
    assert_eq!(spent["error"]["code"], -32602, "{spent}");
    for state in [json!("0"), json!(""), json!("1"), json!("x".repeat(100_000))] {
        let forged = json!({ "result": { "requestState": state } });
        let answer = ask(&gateway, again(&one, &forged, &yes()));
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    let mut without = one.clone();
    without["params"]["inputResponses"] = yes();
    assert_eq!(ask(&gateway, without)["error"]["code"], -32602);
    assert!(!upstream_got(&site).contains("tools/call"));

    let question = ask(&gateway, one.clone());
    let done = ask(&gateway, again(&one, &question, &yes()));
    assert_eq!(told(&done), (false, "done".to_owned()), "{done}");
    let twice = ask(&gateway, again(&one, &question, &yes()));
    assert_eq!(twice["error"]["code"], -32602, "{twice}");
    // A skill of the host.
    let sum = call(3, "vak_calculator", &json!({ "expression": "6 * 7" }));
    let question = ask(&gateway, sum.clone());
    is_question(&question);
    assert_eq!(told(&ask(&gateway, again(&sum, &question, &yes()))), (false, r#"{"value":42.0}"#.to_owned()));
    // A session of the other revision has no such questions.
    let question = ask(&gateway, one.clone());
    let id = gateway.begin();
    let answer = gateway.post(&[("Mcp-Session-Id", &id)], &again(&one, &question, &yes())).message();
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    gateway.stop();
    assert_eq!(upstream_got(&site).matches("tools/call").count(), 1);
    let happened = recorded(&site).iter().filter(|it| it.told().2 == Some(Status::Succeeded)).count();
    assert_eq!(happened, 2);
}

#[test]
fn what_is_no_yes_lets_nothing_happen() {
    let site = graced("grace");
    let gateway = Listening::start(&site, &misbehaving(&site, "fine"));
    let one = call(1, "one", &json!({ "n": 1 }));
    for (responses, part) in [
        (json!({ "approve": { "action": "decline" } }), "was no"),
        (json!({ "approve": { "action": "accept", "content": { "approve": false } } }), "was no"),
        (json!({ "approve": { "action": "cancel" } }), "needs a person"),
        (json!({ "approve": { "action": "accept" } }), "needs a person"),
        (json!({ "approve": { "action": "accept", "content": { "approve": "true" } } }), "needs a person"),
        (json!({ "approve": { "action": "maybe", "content": { "approve": true } } }), "needs a person"),
        (json!({ "approve": true }), "needs a person"),
        (json!({ "Approve": { "action": "accept", "content": { "approve": true } } }), "needs a person"),
        (json!({}), "needs a person"),
    ] {
        let question = ask(&gateway, one.clone());
        is_question(&question);
        let answer = ask(&gateway, again(&one, &question, &responses));
        assert!(told(&answer).0 && told(&answer).1.contains(part), "{responses}: {answer}");
    }
    // What is forbidden is not asked, nor what is too long to be looked at, nor who can't be.
    let forbidden = ask(&gateway, call(2, "one", &json!({ "n": 13 })));
    assert!(told(&forbidden).1.contains("never"), "{forbidden}");
    let long = ask(&gateway, call(3, "one", &json!({ "n": 1, "text": "x".repeat(5_000) })));
    assert!(told(&long).1.contains("needs a person"), "{long}");
    let (headers, message) = stateless(one);
    let unable = gateway.post(&borrowed(&headers), &message).message();
    assert!(told(&unable).1.contains("needs a person"), "{unable}");
    gateway.stop();
    assert!(!upstream_got(&site).contains("tools/call"));
}

#[test]
fn nobody_answers_for_the_agent_itself() {
    let site = graced("ada");
    let gateway = Listening::start(&site, &misbehaving(&site, "fine"));
    let one = call(1, "one", &json!({ "n": 1 }));
    let question = ask(&gateway, one.clone());
    let answer = ask(&gateway, again(&one, &question, &yes()));
    assert!(told(&answer).1.contains("somebody else has to answer"), "{answer}");
    gateway.stop();
}

#[test]
fn resources_and_prompts_are_asked_about_too() {
    let site = graced("grace");
    let gateway = Listening::start(&site, &suite());
    let read =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": { "uri": "test://static-text" } });
    let prompt =
        json!({ "jsonrpc": "2.0", "id": 2, "method": "prompts/get", "params": { "name": "test_simple_prompt" } });
    for (message, part) in [(read, "static text resource"), (prompt, "simple prompt for testing")] {
        let question = ask(&gateway, message.clone());
        is_question(&question);
        let other = json!({ "approve": { "action": "decline" } });
        let no = ask(&gateway, again(&message, &question, &other));
        assert!(no["error"]["message"].as_str().unwrap().contains("was no"), "{no}");
        let question = ask(&gateway, message.clone());
        let given = ask(&gateway, again(&message, &question, &yes()));
        assert!(given["result"].to_string().contains(part), "{given}");
    }
    gateway.stop();
    let mut session = Session::silent(&site, &suite());
    session.initialize_able(&json!({ "elicitation": {} }));
    for (method, params, part) in [
        ("resources/read", json!({ "uri": "test://static-text" }), "static text resource"),
        ("prompts/get", json!({ "name": "test_simple_prompt" }), "simple prompt for testing"),
    ] {
        let id = session.send(method, &params);
        let asked = session.asked();
        assert_eq!(asked["method"], "elicitation/create");
        session.reply(&asked, &json!({ "action": "accept", "content": { "approve": true } }));
        let given = session.answer(Some(id));
        assert!(given["result"].to_string().contains(part), "{given}");
    }
    session.finish();
    let answered = recorded(&site).iter().filter(|it| it.told().2 == Some(Status::Succeeded)).count();
    assert_eq!(answered, 4);
}

#[test]
fn a_yes_is_to_the_tool_as_it_was_described() {
    let site = graced("grace");
    let gateway = Listening::start(&site, &misbehaving(&site, "rug-pull"));
    let list = json!({ "jsonrpc": "2.0", "id": 9, "method": "tools/list", "params": {} });
    ask(&gateway, list.clone());
    let one = call(1, "one", &json!({ "n": 1 }));
    let question = ask(&gateway, one.clone());
    is_question(&question);
    // It is described otherwise since, and somebody has accepted that.
    ask(&gateway, call(2, "two", &json!({})));
    ask(&gateway, list);
    let mut accept = std::process::Command::new(vak_test_support::binary("vak"));
    assert!(accept.args(["mcp", "accept", "up/one", "--config"]).arg(site.config()).status().unwrap().success());
    let answer = ask(&gateway, again(&one, &question, &yes()));
    assert!(told(&answer).1.contains("is another since this was decided"), "{answer}");
    let question = ask(&gateway, one.clone());
    assert_eq!(told(&ask(&gateway, again(&one, &question, &yes()))), (false, "done".to_owned()));
    gateway.stop();
    assert_eq!(upstream_got(&site).matches(r#""name":"one""#).count(), 1);
}

/// What a stream says until it has said this.
fn until(stream: &mut impl std::io::BufRead, part: &str) -> String {
    loop {
        let mut line = String::new();
        assert!(stream.read_line(&mut line).unwrap() > 0, "it ended before `{part}`");
        if line.contains(part) {
            return line;
        }
    }
}

#[test]
fn a_session_over_http_is_asked_while_its_call_waits() {
    let site = graced("grace");
    let gateway = Listening::start(&site, &misbehaving(&site, "fine"));
    let mut hello = initialize();
    hello["params"]["capabilities"] = json!({ "elicitation": {} });
    let id = gateway.post(&[], &hello).header("mcp-session-id").unwrap().to_owned();
    let session = [("Mcp-Session-Id", id.as_str()), ("MCP-Protocol-Version", "2025-11-25")];
    let done = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(gateway.post(&session, &done).status, 202);
    for (answer, expected) in [
        (json!({ "action": "accept", "content": { "approve": true } }), "done"),
        (json!({ "action": "decline" }), "was no"),
    ] {
        let message = call(2, "one", &json!({ "n": 1 })).to_string();
        let mut stream = BufReader::new(gateway.send(&gateway.request("POST", &session, &message)));
        let asked = until(&mut stream, "elicitation/create");
        let asked: Value = serde_json::from_str(asked.trim().strip_prefix("data:").unwrap()).unwrap();
        // Another session can't answer it.
        let other = gateway.begin();
        let reply = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": answer });
        let forged = json!({ "action": "accept", "content": { "approve": true } });
        let forged = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": forged });
        gateway.post(&[("Mcp-Session-Id", &other)], &forged);
        // Nor one that says it in two ways.
        let double = reply.to_string().replace("\"action\":", "\"action\":\"accept\",\"action\":");
        assert_eq!(gateway.ask("POST", &session, &double).status, 400);
        assert_eq!(gateway.post(&session, &reply).status, 202);
        let mut rest = String::new();
        stream.read_to_string(&mut rest).unwrap();
        assert!(rest.contains(expected), "{rest}");
    }
    gateway.stop();
    assert_eq!(upstream_got(&site).matches("tools/call").count(), 1);
}

/// A client of the library whose user always agrees.
#[derive(Clone)]
struct Agreeable;

impl ClientHandler for Agreeable {
    fn get_info(&self) -> ClientConfig {
        let able = ClientCapabilities::builder().enable_elicitation().build();
        ClientConfig::new(able, Implementation::new("test", "0"))
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
    }

    async fn create_elicitation(
        &self,
        _: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(json!({ "approve": true })))
    }
}

#[tokio::test]
async fn the_library_s_client_is_asked_in_both_revisions() {
    rustls::crypto::ring::default_provider().install_default().unwrap_or_default();
    let site = graced("grace");
    let gateway = Listening::start(&site, &misbehaving(&site, "fine"));
    let n = json!({ "n": 1 }).as_object().unwrap().clone();
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    for lifecycle in [ClientLifecycleMode::Initialize, ClientLifecycleMode::Discover { preferred_versions }] {
        let config = StreamableHttpClientTransportConfig::with_uri(gateway.url()).auth_header(TOKEN);
        let transport = StreamableHttpClientTransport::from_config(config);
        let mut client = serve_client_with_lifecycle(Agreeable, transport, lifecycle).await.unwrap();
        let called = client.call_tool(CallToolRequestParams::new("one").with_arguments(n.clone())).await.unwrap();
        assert_eq!(called.content[0].as_text().unwrap().text, "done");
        client.close().await.unwrap();
    }
    gateway.stop();
    assert_eq!(upstream_got(&site).matches("tools/call").count(), 2);
}
