//! What is escalated is put to the person before the client.

use serde_json::{Value, json};
use vak_audit::Status;
use vak_test_support::Site;

use crate::log::recorded;
use crate::raw::{Session, told};
use crate::site::{file_server, files};

const RULES: &str = "
[[rule]]
id = 'all'
effect = 'permit'
operations = ['up/*', 'skill/*']
[[rule]]
id = 'ask'
effect = 'escalate'
operations = ['up/write_file', 'skill/*']
[[rule]]
id = 'no-env'
effect = 'forbid'
operations = ['up/*']
when = [{ argument = '/path', matches = '**/.env*' }]
";

fn site(person: &str) -> Site {
    let mcp = format!("[mcp]\nagent = 'ada'\nupstream = 'up'\n{person}");
    Site::new().rules(RULES).section("[policies.limits]\nwall_ms_max = 10_000").skill("calculator").section(&mcp)
}

fn start(site: &Site, able: &Value) -> Session {
    let mut session = Session::silent(site, &file_server(site));
    session.initialize_able(able);
    session
}

fn write(path: &str) -> Value {
    json!({ "path": path, "content": "new" })
}

/// Calls a tool whose call is put to the person, who answers so.
fn put(session: &mut Session, tool: &str, arguments: &Value, answer: &Value) -> (bool, String) {
    let id = session.send_call(tool, arguments);
    let asked = session.asked();
    assert_eq!(asked["method"], "elicitation/create", "{asked}");
    let question = asked["params"]["message"].as_str().unwrap();
    assert!(question.contains("`ada`") && question.contains("rule `ask`"), "{question}");
    assert_eq!(asked["params"]["requestedSchema"]["required"], json!(["approve"]));
    session.reply(&asked, answer);
    told(&session.answer(Some(id)))
}

#[test]
fn a_yes_lets_it_happen_once_and_a_no_does_not() {
    let site = site("person = 'grace'");
    let mut session = start(&site, &json!({ "elicitation": {} }));
    let yes = json!({ "action": "accept", "content": { "approve": true } });
    let (failed, said) = put(&mut session, "write_file", &write("a.txt"), &yes);
    assert!(!failed, "{said}");
    assert_eq!(std::fs::read_to_string(files(&site).join("a.txt")).unwrap(), "new");
    let calculated = put(&mut session, "vak_calculator", &json!({ "expression": "6 * 7" }), &yes);
    assert_eq!(calculated, (false, r#"{"value":42.0}"#.to_owned()));
    // The same again is another question.
    for no in [
        json!({ "action": "decline" }),
        json!({ "action": "accept", "content": { "approve": false } }),
        json!({ "action": "cancel" }),
        json!({ "action": "accept" }),
        json!({ "action": "accept", "content": { "approve": "true" } }),
        json!({ "action": "maybe" }),
    ] {
        let (failed, said) = put(&mut session, "write_file", &write("b.txt"), &no);
        assert!(failed && (said.contains("was no") || said.contains("needs a person")), "{no}: {said}");
    }
    assert!(!files(&site).join("b.txt").exists());
    // What is forbidden is not asked.
    let (failed, said) = session.call("write_file", &write("/x/.env"));
    assert!(failed && said.contains("no-env"), "{said}");
    // Nor what is too long to be looked at.
    let long = json!({ "path": "c.txt", "content": "x".repeat(5_000) });
    let (failed, said) = session.call("write_file", &long);
    assert!(failed && said.contains("needs a person"), "{said}");
    session.finish();
    let happened = recorded(&site).iter().filter(|it| it.told().2 == Some(Status::Succeeded)).count();
    assert_eq!(happened, 2);
}

#[test]
fn nobody_is_asked_whom_nobody_names_or_who_cannot_be() {
    for (person, able) in [
        ("", json!({ "elicitation": {} })),
        ("person = 'grace'", json!({})),
        ("person = 'grace'", json!({ "elicitation": { "url": {} } })),
    ] {
        let site = site(person);
        let mut session = start(&site, &able);
        let (failed, said) = session.call("write_file", &write("a.txt"));
        assert!(failed && said.contains("needs a person"), "{said}");
        session.finish();
    }
}

#[test]
fn an_agent_is_no_person() {
    let site = site("person = 'ada'");
    let mut session = start(&site, &json!({ "elicitation": {} }));
    let yes = json!({ "action": "accept", "content": { "approve": true } });
    let (failed, said) = put(&mut session, "write_file", &write("a.txt"), &yes);
    assert!(failed && said.contains("somebody else has to answer"), "{said}");
    session.finish();
}
