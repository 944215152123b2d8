//! What a well-behaved client gets, over a well-behaved upstream.

use std::process::Stdio;

use rmcp::model::{
    CallToolRequestParams, ClientCapabilities, ClientConfig, ContentBlock, Implementation, ProtocolVersion,
};
use rmcp::service::{ClientLifecycleMode, RunningService, serve_client_with_lifecycle};
use rmcp::{RoleClient, ServiceError};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use vak_audit::Status;
use vak_test_support::{Site, binary};

use crate::log::{Recorded, recorded};
use crate::raw::Session;
use crate::site::{PERMIT_ALL, file_server, misbehaving, patient, upstream_got};

const RULES: &str = "
[[rule]]
id = 'work'
effect = 'permit'
operations = ['up/{list_directory,read_file,write_file}', 'skill/calculator']

[[rule]]
id = 'no-env'
effect = 'forbid'
operations = ['up/*']
reason = 'secrets stay where they are'
when = [{ argument = '/path', matches = '**/.env*' }]
";

const LIMIT: &str = "[[limits]]\nname = 'writes'\nper = 'agent'\noperations = 'up/write_file'\nburst = 2\nactions = 1\n\
                     period_s = 3600";

struct Client {
    client: RunningService<RoleClient, ClientConfig>,
    gateway: Child,
}

impl Client {
    async fn start(site: &Site, lifecycle: ClientLifecycleMode) -> Self {
        let mut command = Command::new(binary("vak"));
        command.arg("mcp").arg("--config").arg(site.config()).arg("--").args(file_server(site));
        let mut gateway = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let pipes = (gateway.stdout.take().unwrap(), gateway.stdin.take().unwrap());
        let config = ClientConfig::new(ClientCapabilities::default(), Implementation::new("test", "0"))
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE);
        let client = serve_client_with_lifecycle(config, pipes, lifecycle).await.unwrap();
        Self { client, gateway }
    }

    async fn try_call(&self, tool: &'static str, arguments: Value) -> Result<(bool, String), ServiceError> {
        let Value::Object(arguments) = arguments else { panic!("{arguments}") };
        let params = CallToolRequestParams::new(tool).with_arguments(arguments);
        let result = self.client.call_tool(params).await?;
        let text = result.content.first().and_then(ContentBlock::as_text).unwrap().text.clone();
        Ok((result.is_error == Some(true), text))
    }

    async fn call(&self, tool: &'static str, arguments: Value) -> (bool, String) {
        self.try_call(tool, arguments).await.unwrap()
    }

    async fn finish(mut self) {
        self.client.close().await.unwrap();
        assert!(self.gateway.wait().await.unwrap().success());
    }
}

/// The same session over the handshake of 2025 and over the one of 2026.
async fn session(lifecycle: ClientLifecycleMode) {
    let site = patient(RULES).section(LIMIT);
    let client = Client::start(&site, lifecycle).await;
    let tools = client.client.list_all_tools().await.unwrap();
    let names: Vec<_> = tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!(names, ["list_directory", "read_file", "write_file", "vak_calculator"]);
    assert!(tools[3].output_schema.is_some() && tools[3].input_schema.contains_key("properties"));

    assert_eq!(client.call("read_file", json!({ "path": "notes.txt" })).await, (false, "Buy milk.".to_owned()));
    let (refused, why) = client.call("write_file", json!({ "path": "a/.env", "content": "x" })).await;
    assert!(refused);
    let expected =
        "denied by policy `rules`, rule `no-env`: secrets stay where they are (argument `/path` is `a/.env`)";
    assert_eq!(why, expected);
    let write = || json!({ "path": "b.txt", "content": "x" });
    assert_eq!(client.call("write_file", write()).await, (false, "wrote 1 bytes to b.txt".to_owned()));
    // The upstream says itself what it does not understand.
    let error = client.try_call("write_file", json!({ "path": "b.txt" })).await.unwrap_err();
    assert!(error.to_string().contains("the argument `content` is missing or not a text"), "{error}");
    let (refused, why) = client.call("write_file", write()).await;
    assert!(refused && why.starts_with("denied by limit `writes`") && why.contains("(retry after "), "{why}");
    let sum = client.call("vak_calculator", json!({ "expression": "6 * 7" })).await;
    assert_eq!(sum, (false, r#"{"value":42.0}"#.to_owned()));
    let (failed, why) = client.call("vak_calculator", json!({ "wrong": 1 })).await;
    assert!(failed && why.contains("unknown field `wrong`"), "{why}");
    let (failed, why) = client.call("read_file", json!({ "path": "missing.txt" })).await;
    assert!(failed && why.contains("`missing.txt`"), "{why}");
    client.finish().await;

    let recorded = recorded(&site);
    let told: Vec<_> = recorded.iter().map(Recorded::told).collect();
    let expected = [
        ("up/read_file", "allow", Some(Status::Succeeded)),
        ("up/write_file", "deny", None),
        ("up/write_file", "allow", Some(Status::Succeeded)),
        ("up/write_file", "allow", Some(Status::Failed)),
        ("up/write_file", "deny", None),
        ("skill/calculator", "allow", Some(Status::Succeeded)),
        ("skill/calculator", "allow", Some(Status::Failed)),
        ("up/read_file", "allow", Some(Status::Failed)),
    ];
    let expected = expected.map(|(operation, decision, status)| (operation, decision.to_owned(), status));
    assert_eq!(told, expected);
    assert!(recorded[7].detail().contains("missing.txt"));
    assert_eq!(recorded[0].decision.resource.as_str(), "mcp:up/read_file");
    assert!(recorded[0].outcome.as_ref().unwrap().duration_ns > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_governed_since_initialize() {
    session(ClientLifecycleMode::Initialize).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_is_governed_without_initialize() {
    session(ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] }).await;
}

/// What policies want of an action they allow.
const OBLIGES: &str = "
[[rule]]
id = 'writes'
effect = 'permit'
operations = ['up/write_file']
obligations = [{ redact = { argument = '/content', with = '(redacted)' } }]

[[rule]]
id = 'reads'
effect = 'permit'
operations = ['up/read_file', 'skill/*']
obligations = [{ redact = { argument = '/expression', with = '1 + 1' } }]

[[rule]]
id = 'no-lists'
effect = 'permit'
operations = ['up/list_directory']
obligations = [{ header = { name = 'x-agent', value = 'ada' } }]

[[rule]]
id = 'asks'
effect = 'permit'
operations = ['up/read_file']
when = [{ argument = '/path', equals = 'b.txt' }]
obligations = [{ approval = 'the owner of b.txt' }]
";

#[test]
fn what_policies_want_changed_is_what_is_carried_out() {
    let site = patient(OBLIGES);
    let mut session = Session::start(&site, &file_server(&site));
    session.initialize();
    let written = session.call("write_file", &json!({ "path": "b.txt", "content": "4111 1111 1111 1111" }));
    assert_eq!(written, (false, "wrote 10 bytes to b.txt".to_owned()));
    assert_eq!(std::fs::read_to_string(site.path().join("files/b.txt")).unwrap(), "(redacted)");
    let sum = session.call("vak_calculator", &json!({ "expression": "6 * 7" }));
    assert_eq!(sum, (false, r#"{"value":2.0}"#.to_owned()));
    assert_eq!(session.call("read_file", &json!({ "path": "notes.txt" })), (false, "Buy milk.".to_owned()));
    // No server on stdio takes headers.
    let (refused, why) = session.call("list_directory", &json!({ "path": "." }));
    assert!(refused && why.contains("it is allowed with the header `x-agent`"), "{why}");
    let (refused, why) = session.call("read_file", &json!({ "path": "b.txt" }));
    assert!(refused && why.contains("needs a person's approval") && why.contains("the owner of b.txt"), "{why}");
    session.finish();
    // The log has what was asked, and what was wanted of it.
    let recorded = recorded(&site);
    let asked = recorded[0].decision.arguments.value().unwrap();
    assert!(asked.contains("4111 1111"), "{asked}");
    assert_eq!(recorded[0].decision.verdict.obligations[0].to_string(), "the argument `/content` redacted");
}

#[test]
fn the_upstream_gets_what_was_judged_and_nothing_else() {
    let site = patient(PERMIT_ALL);
    let mut session = Session::start(&site, &misbehaving(&site, "fine"));
    let line = r#"{"jsonrpc":"2.0","id":50,"method":"tools/call","params":{"task":{"ttl":1},"name":"one",
        "arguments":{"z":1e2,"a":"\u0041\u202e","big":123456789012345678901234567890,"n":[null,{"y":1,"x":-0.0}]},
        "_meta":{"path":"/etc/shadow","io.example/x":1}}}"#;
    session.line(&line.replace('\n', ""));
    let answer = session.answer(Some(50));
    assert_eq!(answer["result"]["content"][0]["text"], "done");
    session.line(r#"{"jsonrpc":"2.0","id":51,"method":"tools/call","params":{"name":"one"}}"#);
    session.answer(Some(51));
    session.finish();

    let got = upstream_got(&site);
    let calls: Vec<Value> = got.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let calls: Vec<_> = calls.iter().filter(|message| message["method"] == "tools/call").collect();
    let recorded = recorded(&site);
    assert_eq!((calls.len(), recorded.len()), (2, 2));
    for (call, recorded) in calls.iter().zip(&recorded) {
        assert_eq!(&call["params"]["arguments"].to_string(), recorded.decision.arguments.value().unwrap());
        let mut params = call["params"].as_object().unwrap().clone();
        params.remove("arguments");
        let meta = params.remove("_meta").unwrap();
        let meta: Vec<_> = meta.as_object().unwrap().keys().cloned().collect();
        assert_eq!(meta, ["progressToken"]);
        assert_eq!(Value::Object(params), json!({ "name": "one" }));
    }
    // What the log has the digest of is what the client got.
    let result = vak_audit::Contents::of(answer["result"].to_string().as_bytes());
    assert_eq!(recorded[0].outcome.as_ref().unwrap().result, Some(result));
}
