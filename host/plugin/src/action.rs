//! Actions as components see them.

use vak_types::{Action, AttributeValue, Failure, FailureKind, Label};

use crate::bindings::policy::vak::types::types as wit;

/// Calls `judge` with `action` in the words of WIT, which borrow from it.
pub(crate) fn lend<R>(action: &Action, judge: impl FnOnce(wit::Action<'_>) -> R) -> R {
    let texts: Vec<Vec<&str>> = action.attributes.values().map(texts).collect();
    let attributes: Vec<_> = action.attributes.iter().zip(&texts).map(attribute).collect();
    let labels: Vec<_> = action.labels.iter().map(Label::as_str).collect();
    judge(wit::Action {
        id: action.id.as_str(),
        session: action.session.as_str(),
        agent: action.agent.as_str(),
        operation: action.operation.as_str(),
        resource: action.resource.as_str(),
        arguments: action.arguments.as_str(),
        attributes: &attributes,
        labels: &labels,
        time_ns: action.time.as_nanos(),
    })
}

fn texts(value: &AttributeValue) -> Vec<&str> {
    match value {
        AttributeValue::Texts(texts) => texts.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

fn attribute<'a>(((name, value), texts): ((&'a String, &'a AttributeValue), &'a Vec<&'a str>)) -> wit::Attribute<'a> {
    let value = match value {
        AttributeValue::Boolean(value) => wit::AttributeValue::Boolean(*value),
        AttributeValue::Integer(value) => wit::AttributeValue::Integer(*value),
        AttributeValue::Text(value) => wit::AttributeValue::Text(value),
        AttributeValue::Texts(_) => wit::AttributeValue::Texts(texts),
    };
    wit::Attribute { name, value }
}

/// What it means that a component could not judge an action.
pub(crate) fn unjudged(error: wit::JudgeError) -> Failure {
    let message = match error {
        wit::JudgeError::Missing(what) => format!("needs `{what}`, which is missing"),
        wit::JudgeError::Mistyped(what) => format!("needs `{what}` to have another type"),
        wit::JudgeError::Other(message) => message,
    };
    Failure { kind: FailureKind::Unjudged, message }
}
