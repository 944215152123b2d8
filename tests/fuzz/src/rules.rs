//! The declarative policy: its configurations and its conditions.

use serde_json::{Value, json};
use vak_policy_rules::{Past, Rules};
use vak_sdk::policy::{Action, Attribute, AttributeValue, Configure as _, Effect, Finding};
use vak_types::ActionRequest;

/// Rules of a configuration that are compared with each other. More say nothing
/// else.
const RULES_MAX: usize = 24;

/// So many copies of a rule need an index that tells them apart by more than
/// their operations.
const COPIES: usize = 20;

/// A session that did nothing, of which one label is known.
struct Quiet;

impl Past for Quiet {
    fn count(&self, operations: &str, _: u64) -> Option<(u32, u32)> {
        (!operations.starts_with('f')).then_some((2, 1))
    }

    fn labels(&self, within_ms: u64) -> Option<Vec<String>> {
        (within_ms > 1_000).then(|| vec!["web".to_owned()])
    }
}

/// A configuration, and after a zero byte an action as JSON. What is refused is
/// complained of at a place in the text. What is taken says of the action what its
/// rules say one by one, however they are found.
///
/// # Panics
/// It is not so.
pub fn rules(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (config, action) = text.split_once('\0').unwrap_or((text, ""));
    let rules = match Rules::configure(config) {
        Ok(rules) => rules,
        Err(error) => {
            let lines = config.lines().count() as u32 + 1;
            assert!(!error.message.is_empty() && error.line.is_none_or(|line| (1..=lines).contains(&line)));
            return;
        }
    };
    let Ok(request) = serde_json::from_str::<ActionRequest>(action) else { return };
    let action = action_of(request);
    let finding = rules.judge(&action, &Quiet);
    assert_eq!(said(&finding), said(&rules.judge(&action, &Quiet)), "the same twice");
    let Ok(Value::Object(config)) = serde_json::from_str::<Value>(config) else { return };
    let Some(all) = config.get("rule").and_then(Value::as_array).filter(|all| all.len() <= RULES_MAX) else { return };
    let alone = all.iter().map(|rule| said(&judged(&json!({ "rule": [rule] }), &action)));
    // The strictest, and of those the first.
    let expected = alone.rev().max_by_key(|(effect, _)| *effect).unwrap_or_default();
    assert_eq!(said(&finding), expected, "found by the index");
    let copies = (0..COPIES).flat_map(|copy| all.iter().map(move |rule| copied(rule, copy)));
    let crowd = judged(&json!({ "rule": copies.collect::<Vec<_>>() }), &action);
    assert_eq!(said(&crowd).0, expected.0, "in a crowd");
    let doubted = all.iter().map(|rule| match rule.get("when") {
        Some(when) => with(rule, "when", json!([{ "not": { "not": { "all": when } } }])),
        None => rule.clone(),
    });
    // Twice turned around is as it was, if the limit of nesting lets it be said.
    if let Ok(doubted) = Rules::configure(&json!({ "rule": doubted.collect::<Vec<_>>() }).to_string()) {
        assert_eq!(said(&doubted.judge(&action, &Quiet)), expected, "turned around twice");
    }
}

fn judged(config: &Value, action: &Action) -> Finding {
    let text = config.to_string();
    Rules::configure(&text).unwrap_or_else(|error| panic!("{} in {text}", error.message)).judge(action, &Quiet)
}

fn copied(rule: &Value, copy: usize) -> Value {
    let id = rule["id"].as_str().unwrap_or_default();
    // An id has its limit.
    let start = &id[..id.floor_char_boundary(900)];
    with(rule, "id", format!("{start} {copy} {}", id.len()).into())
}

fn with(rule: &Value, field: &str, value: Value) -> Value {
    let mut rule = rule.clone();
    rule[field] = value;
    rule
}

fn said(finding: &Finding) -> (u8, Option<String>) {
    let strictness = match finding.effect {
        Effect::Abstain => 0,
        Effect::Permit => 1,
        Effect::Escalate => 2,
        Effect::Forbid => 3,
    };
    (strictness, finding.rule.clone())
}

fn action_of(request: ActionRequest) -> Action {
    let attribute = |(name, value)| Attribute {
        name,
        value: match value {
            vak_types::AttributeValue::Boolean(value) => AttributeValue::Boolean(value),
            vak_types::AttributeValue::Integer(value) => AttributeValue::Integer(value),
            vak_types::AttributeValue::Text(value) => AttributeValue::Text(value),
            vak_types::AttributeValue::Texts(values) => AttributeValue::Texts(values),
        },
    };
    Action {
        id: "a".to_owned(),
        session: request.session.to_string(),
        agent: request.agent.to_string(),
        operation: request.operation.to_string(),
        resource: request.resource.to_string(),
        arguments: request.arguments.as_str().to_owned(),
        attributes: request.attributes.into_iter().map(attribute).collect(),
        labels: request.labels.iter().map(ToString::to_string).collect(),
        time_ns: 1_700_000_000_000_000_000,
    }
}
