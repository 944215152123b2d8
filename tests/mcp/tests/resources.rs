//! Resources and prompts are operations.

use serde_json::{Value, json};
use vak_audit::Status;
use vak_test_support::Site;

use crate::log::{Recorded, recorded};
use crate::raw::Session;
use crate::remote::Script;
use crate::site::{installed, misbehaving, patient, upstream, upstream_got, with_mcp};

const RULES: &str = "
[[rule]]
id = 'lists'
effect = 'permit'
operations = ['web/{resources,prompts}/list', 'web/resources/templates/list', 'web/add']

[[rule]]
id = 'today'
effect = 'permit'
operations = ['web/resources/read']
when = [{ argument = '/uri', matches = 'notes://today' }]

[[rule]]
id = 'greet'
effect = 'permit'
operations = ['web/prompts/get']
when = [{ argument = '/name', equals = 'greet' }, { argument = '/arguments/name', equals = 'Ada' }]
";

fn names(answer: &Value, list: &str, key: &str) -> Vec<String> {
    let items = answer["result"][list].as_array().unwrap_or_else(|| panic!("{answer}"));
    items.iter().map(|item| item[key].as_str().unwrap().to_owned()).collect()
}

/// The reference server as the upstream `web`, and beside it one that has neither
/// resources nor prompts it may be asked for.
fn before(server: &Script) -> Site {
    let site = with_mcp(RULES, "start_ms = 60_000\ncall_ms = 60_000");
    let web = format!("[[mcp.upstreams]]\nname = 'web'\nurl = '{}'\n", server.url);
    let up = upstream("up", &misbehaving(&site, "fine"));
    site.section(&web).section(&up)
}

#[test]
fn each_list_and_each_reading_is_decided() {
    let server = Script::start(installed("python/bin/python"), "python/server.py", &[]);
    let site = before(&server);
    let mut session = Session::start(&site, &[]);
    let offered = json!({ "listChanged": true });
    assert_eq!((&session.capabilities["resources"], &session.capabilities["prompts"]), (&offered, &offered));

    let listed = session.ask("resources/list", &json!({}));
    assert_eq!(names(&listed, "resources", "uri"), ["web+notes://today"]);
    let listed = session.ask("resources/templates/list", &json!({}));
    assert_eq!(names(&listed, "resourceTemplates", "uriTemplate"), ["web+notes://{name}"]);
    let listed = session.ask("prompts/list", &json!({}));
    assert_eq!(names(&listed, "prompts", "name"), ["web_greet"]);

    let read = session.ask("resources/read", &json!({ "uri": "web+notes://today" }));
    let contents = &read["result"]["contents"][0];
    assert_eq!((&contents["text"], &contents["uri"]), (&json!("Buy milk."), &json!("web+notes://today")), "{read}");
    assert_eq!(read["result"]["_meta"]["vak/upstream"], "web", "{read}");
    let got = session.ask("prompts/get", &json!({ "name": "web_greet", "arguments": { "name": "Ada" } }));
    assert_eq!(got["result"]["messages"][0]["content"]["text"], "Greet Ada.", "{got}");

    let denied = session.ask("resources/read", &json!({ "uri": "web+notes://diary" }));
    let why = denied["error"]["message"].as_str().unwrap();
    assert!(why.contains("denied by host: no policy permits this action"), "{denied}");
    let denied = session.ask("prompts/get", &json!({ "name": "web_greet", "arguments": { "name": "Eve" } }));
    assert!(denied["error"]["message"].as_str().unwrap().contains("no policy permits"), "{denied}");
    // Nobody's, and never an action.
    for (method, params) in [
        ("resources/read", json!({ "uri": "notes://today" })),
        ("resources/read", json!({ "uri": "WEB+notes://today" })),
        ("resources/read", json!({ "uri": "nobody+notes://today" })),
        ("prompts/get", json!({ "name": "greet" })),
        ("resources/list", json!({ "cursor": "x" })),
        ("resources/subscribe", json!({ "uri": "web+notes://today" })),
    ] {
        let answer = session.ask(method, &params);
        assert!(answer["error"]["code"].is_i64(), "{method}: {answer}");
    }
    session.line(r#"{"jsonrpc":"2.0","id":900,"method":"resources/read","params":{"uri":"web+notes://today","uri":"web+notes://diary"}}"#);
    assert!(session.answer(Some(900))["error"]["message"].as_str().unwrap().contains("duplicate field `uri`"));
    assert_eq!(session.finish().code, Some(0));

    let recorded = recorded(&site);
    let told: Vec<_> = recorded.iter().map(Recorded::told).collect();
    let allow = |operation| (operation, "allow".to_owned(), Some(Status::Succeeded));
    let deny = |operation| (operation, "deny".to_owned(), None);
    let expected = [
        allow("web/resources/list"),
        allow("web/resources/templates/list"),
        allow("web/prompts/list"),
        allow("web/resources/read"),
        allow("web/prompts/get"),
        deny("web/resources/read"),
        deny("web/prompts/get"),
    ];
    assert_eq!(told, expected);
    let uri = recorded[5].decision.arguments.value().unwrap();
    assert_eq!(uri.as_str(), r#"{"uri":"notes://diary"}"#);
    // Whoever has read has heard.
    assert_eq!(recorded[6].decision.labels.value().unwrap()[0].as_str(), "untrusted-web");
    assert!(!upstream_got(&site).contains("resources/"));
}

#[test]
fn a_tool_is_no_way_to_read_resources() {
    let read = "[[rule]]\nid = 'read'\neffect = 'permit'\noperations = ['up/resources/**', 'up/one']\n";
    let site = patient(read);
    let mut session = Session::start(&site, &misbehaving(&site, "tools:resources/read,one"));
    assert_eq!(session.tools().unwrap(), ["one"]);
    let (refused, text) = session.call("resources/read", &json!({ "uri": "x" }));
    assert!(refused && text.contains("there is no tool `resources/read`"), "{text}");
    session.finish();
    assert!(recorded(&site).is_empty());
}
