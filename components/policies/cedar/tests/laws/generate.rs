//! Policies and actions that have a chance to concern each other.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};
use vak_sdk::policy::{Action, Attribute, AttributeValue};

pub(crate) const SCHEMA: &str = r#"
    entity Role in [Role];
    entity Agent in [Role] { limit: Long, team?: String };
    entity Folder;
    entity Resource in [Folder] { owner?: Agent };
    type Facts = { trusted?: Bool, cost?: Long, region?: String, tags?: Set<String> };
    type Asked = {
        arguments: { path: String, count?: Long, parts?: Set<String>, host?: ipaddr, by?: { name: String, level: Long } },
        attributes: Facts, labels: Set<String>, session: String, time: datetime,
    };
    action "files";
    action "files/read", "files/write" in ["files"] appliesTo { principal: Agent, resource: Resource, context: Asked };
    action "net" appliesTo { principal: Agent, resource: Resource, context: { time: Long } };
    action "sleep" appliesTo { principal: Agent, resource: Folder };
"#;

pub(crate) const ENTITIES: &str = r#"[
    {"uid": {"type": "Role", "id": "admin"}, "attrs": {}, "parents": [{"type": "Role", "id": "staff"}]},
    {"uid": {"type": "Role", "id": "staff"}, "attrs": {}, "parents": []},
    {"uid": {"type": "Agent", "id": "ada"}, "attrs": {"limit": 3, "team": "red"}, "parents": [{"type": "Role", "id": "admin"}]},
    {"uid": {"type": "Agent", "id": "bob"}, "attrs": {"limit": 9223372036854775807}, "parents": []},
    {"uid": {"type": "Resource", "id": "r1"}, "attrs": {"owner": {"type": "Agent", "id": "ada"}}, "parents": [{"type": "Folder", "id": "f"}]},
    {"uid": {"type": "Resource", "id": "r2"}, "attrs": {}, "parents": []}
]"#;

/// Each valid against the schema; several fail on some actions.
const POLICIES: &[&str] = &[
    "permit (principal, action, resource);",
    r#"permit (principal == Agent::"ada", action, resource);"#,
    r#"permit (principal in Role::"staff", action in Action::"files", resource);"#,
    r#"permit (principal, action == Action::"files/read", resource in Folder::"f");"#,
    r#"permit (principal, action in [Action::"files/read", Action::"net"], resource == Resource::"r2");"#,
    r#"permit (principal, action, resource) when { principal.limit + 1 > 3 };"#,
    r#"permit (principal, action, resource) when { resource has owner && resource.owner == principal };"#,
    r#"permit (principal, action == Action::"files/write", resource) when { context.arguments has count && context.arguments.count * 2 <= principal.limit };"#,
    r#"permit (principal, action == Action::"files/read", resource) when { context.arguments.path like "/work/*" } unless { context.labels.contains("untrusted") };"#,
    r#"permit (principal is Agent, action, resource is Resource in Folder::"f");"#,
    r#"permit (principal, action == Action::"net", resource) when { context.time > 1000 };"#,
    r#"permit (principal, action in Action::"files", resource) when { context.time < datetime("2026-01-01") && context.session == "s" };"#,
    r#"forbid (principal, action, resource) when { principal.limit + 1 < 0 };"#,
    r#"forbid (principal == Agent::"eve", action, resource);"#,
    r#"forbid (principal in Role::"guest", action, resource);"#,
    r#"forbid (principal, action == Action::"files/write", resource == Resource::"r1");"#,
    r#"forbid (principal, action in Action::"files", resource) when { context.arguments.path like "*/.env" };"#,
    r#"forbid (principal, action in Action::"files", resource) when { context.arguments has host && context.arguments.host.isInRange(ip("10.0.0.0/8")) };"#,
    r#"forbid (principal, action in Action::"files", resource) when { context.arguments has parts && context.arguments.parts.containsAll(["a", "b"]) };"#,
    r#"forbid (principal, action in Action::"files", resource) when { context.arguments has by.name && context.arguments.by.level - principal.limit > 0 };"#,
    r#"forbid (principal, action in Action::"files", resource) when { context.arguments has count && context.arguments.count * context.arguments.count > 100 };"#,
    r#"forbid (principal, action in Action::"files", resource) unless { context.attributes has trusted && context.attributes.trusted };"#,
    r#"forbid (principal, action in Action::"files", resource) when { principal has team && context.attributes has tags && !context.attributes.tags.contains(principal.team) };"#,
    r#"@escalate forbid (principal, action, resource in Folder::"f");"#,
    r#"@escalate("finance") forbid (principal, action in Action::"files", resource) when { context.attributes has cost && context.attributes.cost + principal.limit > 10 };"#,
    r#"@escalate forbid (principal, action in Action::"files", resource) when { context.labels.containsAny(["pii", "untrusted"]) };"#,
    r#"@escalate forbid (principal == Agent::"bob", action == Action::"files/write", resource);"#,
];

/// Some of the policies in some order, most with an `@id`.
pub(crate) fn policies() -> impl Strategy<Value = String> {
    let some = subsequence(POLICIES, 0..8).prop_shuffle();
    (some, vec(any::<bool>(), POLICIES.len())).prop_map(|(policies, named)| {
        let policies = policies.iter().zip(named).enumerate();
        let text = policies.map(|(number, (policy, named))| match named {
            true => format!("@id(\"rule {number}\") {policy}\n"),
            false => format!("{policy}\n"),
        });
        text.collect()
    })
}

fn texts(of: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    vec(select(of), 0..3).prop_map(|texts| texts.into_iter().map(str::to_owned).collect())
}

fn path() -> impl Strategy<Value = Value> {
    let texts =
        select(&["/work/a", "/work/.env", "/etc/x", "", "/w\u{f6}rk/a", "/wo\u{200b}rk/a"][..]).prop_map(Value::from);
    prop_oneof![12 => texts, 1 => strange()]
}

/// What no schema lets through, or not there.
fn strange() -> impl Strategy<Value = Value> {
    let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
    select(vec![
        Value::Null,
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!([]),
        json!({}),
        json!([1, "a"]),
        json!({"__entity": {"type": "Agent", "id": "ada"}}),
        json!({"__extn": {"fn": "ip", "arg": "9.9.9.9"}}),
        json!({"type": "Agent", "id": "ada"}),
        deep,
    ])
}

fn number() -> impl Strategy<Value = Value> {
    let numbers = prop_oneof![-20..20_i64, select(&[i64::MAX, i64::MIN, i64::MAX / 2 + 1][..])];
    prop_oneof![12 => numbers.prop_map(Value::from), 1 => strange()]
}

fn arguments() -> impl Strategy<Value = Value> {
    let parts = prop_oneof![8 => texts(&["a", "b", "c"]).prop_map(|texts| json!(texts)), 1 => strange()];
    let host = select(&["10.1.2.3", "9.9.9.9", "10.0.0.0/9", "::1"][..]).prop_map(Value::from);
    let host = prop_oneof![12 => host, 1 => Just(json!("ten")), 1 => strange()];
    let by = (select(&["a", ""][..]), number()).prop_map(|(name, level)| json!({"name": name, "level": level}));
    let by = prop_oneof![8 => by, 1 => Just(json!({"name": "a"})), 1 => strange()];
    let absent = |member| prop::option::weighted(0.4, member);
    let members = (
        prop::option::weighted(0.95, path()),
        absent(number().boxed()),
        absent(parts.boxed()),
        absent(host.boxed()),
        absent(by.boxed()),
        prop::bool::weighted(0.03),
    );
    members.prop_map(|(path, count, parts, host, by, more)| {
        let more = more.then(|| json!(1));
        let members = [("path", path), ("count", count), ("parts", parts), ("host", host), ("by", by), ("more", more)];
        let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(members.collect::<Map<_, _>>())
    })
}

fn attributes() -> impl Strategy<Value = Vec<Attribute>> {
    let value = |name: &'static str| {
        let right = match name {
            "trusted" => any::<bool>().prop_map(AttributeValue::Boolean).boxed(),
            "cost" => prop_oneof![0..20_i64, Just(i64::MAX)].prop_map(AttributeValue::Integer).boxed(),
            "tags" => texts(&["red", "blue"]).prop_map(AttributeValue::Texts).boxed(),
            "roles" => texts(&["admin", "guest", "staff", "Admin"]).prop_map(AttributeValue::Texts).boxed(),
            _ => select(&["eu", "us"][..]).prop_map(|text| AttributeValue::Text(text.to_owned())).boxed(),
        };
        let wrong = select(vec![AttributeValue::Text("true".to_owned()), AttributeValue::Integer(1)]);
        let value = prop_oneof![30 => right, 1 => wrong];
        let chance = if name == "roles" { 0.9 } else { 0.6 };
        prop::option::weighted(chance, value.prop_map(move |value| Attribute { name: name.to_owned(), value }))
    };
    let all = (value("cost"), value("else"), value("region"), value("roles"), value("tags"), value("trusted"));
    all.prop_map(|(a, b, c, d, e, f)| [a, b, c, d, e, f].into_iter().flatten().collect())
}

pub(crate) fn action() -> impl Strategy<Value = Action> {
    let names = (
        select(&["ada", "bob", "eve", "Ada", "\u{430}da", "ada\u{200b}", "a\"da"][..]),
        select(&["files/read", "files/read", "files/write", "files/write", "net", "files", "sleep", "none"][..]),
        select(&["r1", "r2", "r3"][..]),
        select(&["s", "t"][..]),
    );
    let arguments = prop_oneof![30 => arguments().prop_map(|arguments| arguments.to_string()), 1 => Just("[".to_owned()), 1 => Just("[]".to_owned())];
    let rest = (arguments, attributes(), texts(&["pii", "untrusted", "ok"]), 0..2_000_000_000_000_000_000_u64);
    (names, rest).prop_map(|((agent, operation, resource, session), (arguments, attributes, labels, time_ns))| Action {
        id: "a".into(),
        session: session.into(),
        agent: agent.into(),
        operation: operation.into(),
        resource: resource.into(),
        arguments,
        attributes,
        labels,
        time_ns,
    })
}
