//! The cases of `vak test`, natively.

use std::path::Path;

use serde_json::Value;
use vak_sdk::policy::{Action, Attribute, AttributeValue, Policy as _};

use crate::configured;

fn read(path: &Path) -> Option<Value> {
    std::fs::read_to_string(path).ok().map(|text| serde_json::from_str(&text).unwrap())
}

fn attribute((name, value): (&String, &Value)) -> Attribute {
    let value = match value {
        Value::Bool(value) => AttributeValue::Boolean(*value),
        Value::Number(number) => AttributeValue::Integer(number.as_i64().unwrap()),
        Value::String(text) => AttributeValue::Text(text.clone()),
        _ => AttributeValue::Texts(texts(value)),
    };
    Attribute { name: name.clone(), value }
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn action(input: &Value, time_ns: u64) -> Action {
    let text = |name: &str| input[name].as_str().unwrap().to_owned();
    Action {
        id: "case".to_owned(),
        session: text("session"),
        agent: text("agent"),
        operation: text("operation"),
        resource: text("resource"),
        arguments: input["arguments"].to_string(),
        attributes: input["attributes"].as_object().into_iter().flatten().map(attribute).collect(),
        labels: texts(&input["labels"]),
        time_ns,
    }
}

#[test]
fn are_answered_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut answered = 0;
    for case in folder.read_dir().unwrap().map(|case| case.unwrap().path()) {
        let Some(input) = read(&case.join("input.json")) else { continue };
        let policy = configured(&std::fs::read_to_string(case.join("config.toml")).unwrap());
        let time_ns = read(&case.join("host.json")).and_then(|host| host["time_ns"].as_u64());
        let finding = policy.evaluate(&action(&input, time_ns.unwrap_or(0))).unwrap();
        let expected = read(&case.join("expected.json")).unwrap();
        let effect = format!("{:?}", finding.effect).to_lowercase();
        let effect = effect.rsplit("::").next().unwrap();
        assert_eq!(expected["effect"].as_str(), Some(effect), "{case:?} {finding:?}");
        assert_eq!(expected["rule"].as_str(), finding.rule.as_deref(), "{case:?}");
        assert_eq!(expected["reason"].as_str().unwrap_or(&finding.reason), finding.reason, "{case:?}");
        answered += 1;
    }
    assert!(answered > 5);
}
