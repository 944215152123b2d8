//! What is no configuration, and where.

use crate::{config, configure};

const SCHEMA: &str = r#"entity Agent { team: String };
entity Resource;
action "read" appliesTo { principal: Agent, resource: Resource, context: { arguments: { path: String } } };"#;

fn refused(text: &str, place: (u32, u32), part: &str) {
    let error = configure(text).err().unwrap_or_else(|| panic!("took {text}"));
    assert!(error.message.contains(part), "{text}: {}", error.message);
    assert_eq!((error.line, error.column), (Some(place.0), Some(place.1)), "{text}: {}", error.message);
}

/// The policies start in the second line.
#[test]
fn policies_are_refused_with_their_place() {
    let cases = [
        ("permit (principal, action, resource)", (2, 37), "unexpected end of input"),
        (
            "permit (principal, action, resource);\npermitt (principal, action, resource);",
            (3, 1),
            "invalid policy effect",
        ),
        ("permit (principal, action == Action::\"reed\", resource);", (2, 30), "unrecognized action"),
        ("permit (principal == Agnet::\"a\", action, resource);", (2, 22), "unrecognized entity type"),
        ("permit (principal, action, resource) when { principal.tam == \"a\" };", (2, 45), "`tam`"),
        ("permit (principal, action, resource) when { context.arguments.path < 1 };", (2, 45), "unexpected type"),
        ("// näh\npermit (principal, action, resource) when { \"ä\" + 1 == 1 };", (3, 45), "unexpected type"),
        ("permit (principal, action, resource) when { false };", (2, 1), "is impossible"),
        ("permit (principal == ?principal, action, resource);", (2, 1), "a template"),
        (
            "@id(\"a\") permit (principal, action, resource);\n@id(\"a\") forbid (principal, action, resource);",
            (3, 1),
            "`a` stands twice",
        ),
        (
            "permit (principal, action, resource);\n@id(\"policy0\") forbid (principal, action, resource);",
            (3, 1),
            "stands twice",
        ),
        ("@id(\"request/unfit\") permit (principal, action, resource);", (2, 1), "are ours"),
        ("@id(\"\") permit (principal, action, resource);", (2, 1), "empty"),
        ("@id(\"a\u{202e}b\") permit (principal, action, resource);", (2, 1), "invisible"),
        ("@escalate permit (principal, action, resource);", (2, 1), "`@escalate` stands at a `forbid`"),
        ("permit (principal, action, resource) when { context.arguments.path == \"a\u{202e}b\" };", (2, 71), "BIDI"),
    ];
    for (policies, place, part) in cases {
        refused(&config(policies, SCHEMA, "", ""), place, part);
    }
}

#[test]
fn texts_with_escapes_are_refused_with_their_line() {
    let schema = SCHEMA.replace('"', "\\\"").replace('\n', "\\n");
    let text = format!("policies = \"// one\\n\\\"\"\nschema = \"{schema}\"");
    refused(&text, (1, 12), "in its line 2: ");
}

#[test]
fn schemas_and_entities_are_held_against_each_other() {
    let policies = "permit (principal, action, resource);";
    refused(&config(policies, "entity Agent;;", "", ""), (5, 14), "unexpected token");
    refused(&config(policies, "entity Agent in [Group];", "", ""), (5, 18), "Group");
    refused(&config(policies, "{", "", ""), (4, 10), "EOF");
    refused(&config(policies, "external entity Agent;", "", ""), (4, 10), "");
    let entity = |attributes: &str| {
        format!(r#"[{{"uid": {{"type": "Agent", "id": "ada"}}, "attrs": {attributes}, "parents": []}}]"#)
    };
    for (entities, part) in [
        (entity("{}"), "`team`"),
        (entity(r#"{"team": 1}"#), "type mismatch"),
        (entity(r#"{"team": "a", "more": "b"}"#), "`more`"),
        (r#"[{"uid": {"type": "Other", "id": "ada"}, "attrs": {}, "parents": []}]"#.to_owned(), "Other"),
        ("[".to_owned(), "EOF"),
        ("{}".to_owned(), "expected"),
    ] {
        refused(&config(policies, SCHEMA, &entities, ""), (9, 12), part);
    }
    let many = (0..10_001)
        .map(|id| format!(r#"{{"uid": {{"type": "Resource", "id": "{id}"}}, "attrs": {{}}, "parents": []}}"#));
    let many = format!("[{}]", many.collect::<Vec<_>>().join(","));
    refused(&config(policies, SCHEMA, &many, ""), (9, 12), "the most is 10000");
}

#[test]
fn names_are_those_of_the_schema() {
    let request = |request: &str| config("", SCHEMA, "", request);
    refused(&request("principal = 'User'"), (10, 13), "no entity type `User`");
    refused(&request("resource = 'User'"), (10, 12), "no entity type `User`");
    refused(&request("action = 'Agent'"), (10, 10), "no action `Agent::");
    refused(&request("roles = 'Resource'"), (10, 9), "`Agent` cannot be in `Resource`");
    refused(&request("principal = 'a b'"), (10, 13), "no name of a type");
    refused(&request("role = 'Resource'"), (10, 1), "unknown field `role`");
    refused(&request("context = 'all'"), (10, 11), "unknown variant `all`");
    refused(&request("unknown_action = 'permit'"), (10, 18), "unknown variant `permit`");
    refused("policy = ''", (1, 1), "unknown field `policy`");
    refused("policies = ''", (1, 1), "missing field `schema`");
    refused(&config("", "entity Resource;", "", ""), (4, 10), "no entity type `Agent`");
    refused(&config("", "entity Resource, Agent;", "", ""), (4, 10), "no action `Action::");
}

#[test]
fn what_is_too_large_is_refused_before_it_is_read() {
    let huge = format!("policies = '''{}'''", " ".repeat(5 << 20));
    assert!(configure(&huge).err().unwrap().message.contains("the most is 4194304"));
    let many = "permit (principal, action, resource);\n".repeat(2_001);
    refused(&config(&many, SCHEMA, "", ""), (1, 12), "the most is 2000");
    let when = |expression: &str| {
        config(&format!("permit (principal, action, resource) when {{ {expression} }};"), SCHEMA, "", "")
    };
    refused(&when(&format!("{}true{}", "(".repeat(10_000), ")".repeat(10_000))), (2, 76), "brackets in brackets");
    refused(&when(&vec!["true"; 10_000].join(" && ")), (2, 2082), "more than 256 operators");
    refused(&when(&format!("{}true", "if true then true else ".repeat(10_000))), (2, 5887), "more than 256 operators");
    refused(
        &config("", &format!("type A = {}Long{};", "Set<".repeat(10_000), ">".repeat(10_000)), "", ""),
        (5, 1037),
        "more than 256",
    );
    let long = format!("@summary(\"{}\") permit (principal, action, resource);", "a".repeat(257));
    refused(&config(&long, SCHEMA, "", ""), (2, 1), "the most is 256");
}
