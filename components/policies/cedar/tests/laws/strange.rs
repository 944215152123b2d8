//! Actions that no schema lets through, and policies that fail.

use vak_sdk::policy::{Attribute, AttributeValue, Effect, Policy as _};

use crate::{action, config, configured};

const SCHEMA: &str = r#"
    entity Role;
    entity Agent in [Role];
    entity Resource { limit: Long };
    action "read" appliesTo { principal: Agent, resource: Resource, context: { arguments: { path: String, count?: Long } } };
    action "free" appliesTo { principal: Agent, resource: Resource };
"#;

const ALL: &str = "@id(\"all\") permit (principal, action, resource);\n";

fn said(policies: &str, request: &str, operation: &str, arguments: &str) -> (Effect, Option<String>, String) {
    let finding =
        configured(&config(policies, SCHEMA, "", request)).evaluate(&action("ada", operation, "r", arguments)).unwrap();
    (finding.effect, finding.rule, finding.reason)
}

#[test]
fn arguments_that_do_not_fit_are_forbidden() {
    let deep = format!("{}1{}", r#"{"path":"#.repeat(10_000), "}".repeat(10_000));
    let lists = format!(r#"{{"path": {}{}}}"#, "[".repeat(100), "]".repeat(100));
    for (arguments, why) in [
        (r#"{"path": null}"#, "`/path` is null"),
        (r#"{"path": "a", "count": null}"#, "null"),
        (r#"{"path": "a", "count": 1.5}"#, "1.5"),
        (r#"{"path": "a", "count": 1.0}"#, "1.0"),
        (r#"{"path": "a", "count": 9223372036854775808}"#, "`/count` is 9223372036854775808"),
        (r#"{"path": "a", "more": 1}"#, "`more`"),
        (r#"{"path": ["a"]}"#, "not of the declared types"),
        ("{}", "`path`"),
        ("[]", "type mismatch"),
        ("", "they are not JSON"),
        (&deep, "too deep"),
        (&lists, "not of the declared types"),
        (r#"{"path": {"__entity": {"type": "Agent", "id": "ada"}}}"#, "`__entity`"),
        (r#"{"path": "a", "b": [{"__extn": {"fn": "ip", "arg": "::"}}]}"#, "`__extn`"),
    ] {
        let (effect, rule, reason) = said(ALL, "", "read", arguments);
        assert_eq!((effect, rule.as_deref()), (Effect::Forbid, Some("request/unfit")), "{arguments:.80}");
        assert!(reason.contains(why), "{arguments:.80}: {reason}");
        // What the context of an action does not declare is not looked at.
        assert_eq!(said(ALL, "", "free", arguments).0, Effect::Permit, "{arguments:.80}");
    }
    assert_eq!(said(ALL, "", "read", r#"{"path": "a", "count": 1}"#).0, Effect::Permit);
}

#[test]
fn an_action_that_the_schema_does_not_know_is_forbidden() {
    for operation in ["write", "Read", "re\u{430}d", "read\u{200b}", "read ", ""] {
        let (effect, rule, _) = said(ALL, "", operation, "{}");
        assert_eq!((effect, rule.as_deref()), (Effect::Forbid, Some("request/unknown-action")), "{operation:?}");
        assert_eq!(said(ALL, "unknown_action = 'abstain'", operation, "{}").0, Effect::Abstain);
    }
}

/// Cedar skips what fails: for it all of these are allowed.
#[test]
fn a_forbid_that_fails_forbids() {
    for (when, why) in [
        ("context.arguments has count && context.arguments.count + 1 < 0", "overflow"),
        ("context.arguments has count && context.arguments.count * 2 < 0", "overflow"),
        ("resource.limit < 3", "does not exist"),
    ] {
        for annotation in ["", "@escalate "] {
            let forbid = format!(
                "@id(\"no\") {annotation}forbid (principal, action == Action::\"read\", resource) when {{ {when} }};"
            );
            let arguments = r#"{"path": "a", "count": 9223372036854775807}"#;
            let (effect, rule, reason) = said(&format!("{ALL}{forbid}"), "", "read", arguments);
            assert_eq!((effect, rule.as_deref()), (Effect::Forbid, Some("no")), "{when}");
            assert!(reason.contains("cannot be evaluated") && reason.contains(why), "{reason}");
            let permit = forbid.replace("forbid (", "permit (").replace(annotation, "");
            let (effect, rule, reason) = said(&permit, "", "read", arguments);
            assert_eq!((effect, rule.as_deref()), (Effect::Abstain, None), "{when}");
            assert!(reason.contains("`no` cannot be evaluated"), "{reason}");
            assert_eq!(said(&format!("{permit}{ALL}"), "", "read", arguments).0, Effect::Permit);
        }
    }
}

#[test]
fn names_that_look_alike_are_other_names() {
    let policy = configured(&config("permit (principal == Agent::\"ada\", action, resource);", SCHEMA, "", ""));
    for agent in ["\u{430}da", "ada\u{200b}", "Ada", "ada ", "a\u{301}da", "", "Agent::\"ada\"", "ada\" || true"] {
        assert_eq!(policy.evaluate(&action(agent, "free", "r", "{}")).unwrap().effect, Effect::Abstain, "{agent:?}");
    }
    assert_eq!(policy.evaluate(&action("ada", "free", "r", "{}")).unwrap().effect, Effect::Permit);
}

#[test]
fn roles_are_parents_and_have_to_be_there() {
    let guests = "forbid (principal in Role::\"guest\", action, resource);";
    let policy = configured(&config(&format!("{ALL}{guests}"), SCHEMA, "", "roles = 'Role'"));
    let roles = |value: Option<AttributeValue>| {
        let mut action = action("ada", "free", "r", "{}");
        action.attributes = value.into_iter().map(|value| Attribute { name: "roles".to_owned(), value }).collect();
        policy.evaluate(&action).unwrap()
    };
    let texts = |texts: &[&str]| Some(AttributeValue::Texts(texts.iter().map(|text| (*text).to_owned()).collect()));
    assert_eq!(roles(texts(&[])).effect, Effect::Permit);
    assert_eq!(roles(texts(&["dev", "dev"])).effect, Effect::Permit);
    assert_eq!(roles(texts(&["dev", "guest"])).effect, Effect::Forbid);
    // An agent is in itself, so a role by its name changes nothing.
    assert_eq!(roles(texts(&["ada", "Guest"])).effect, Effect::Permit);
    for (value, why) in [(None, "missing"), (Some(AttributeValue::Text("guest".to_owned())), "list of texts")] {
        let finding = roles(value);
        assert_eq!(finding.rule.as_deref(), Some("request/unfit"));
        assert!(finding.reason.contains(why), "{}", finding.reason);
    }
}
