//! What the Python side is told.

use serde::Serialize;
use serde_json::value::RawValue;
use vak_sdk::adapter::{AdapterError, Answer, Decision};

use crate::event::ToolCall;

#[derive(Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
enum Reply<'a> {
    Allow,
    Override { args: &'a RawValue },
    Error { tool_message: ToolMessage<'a> },
    Interrupt { value: Value<'a>, tool_message: ToolMessage<'a> },
    Raise { message: String },
}

/// The fields of a `ToolMessage`.
#[derive(Serialize)]
struct ToolMessage<'a> {
    content: String,
    name: &'a str,
    /// Empty where the call has none: the message needs a text.
    tool_call_id: &'a str,
    status: &'a str,
}

/// A `HITLRequest`, which the user interfaces for interrupts know.
#[derive(Serialize)]
struct Value<'a> {
    action_requests: [ActionRequest<'a>; 1],
    review_configs: [ReviewConfig<'a>; 1],
    reason: &'a str,
    seq: Option<u64>,
}

#[derive(Serialize)]
struct ActionRequest<'a> {
    name: &'a str,
    args: &'a RawValue,
    description: String,
}

#[derive(Serialize)]
struct ReviewConfig<'a> {
    action_name: &'a str,
    allowed_decisions: [&'a str; 2],
}

/// The answer to `tool_call`.
pub(crate) fn to_call(call: &ToolCall<'_>, answer: &Answer) -> Result<String, AdapterError> {
    let name = &*call.name;
    let id = call.id.as_deref().unwrap_or_default();
    let tool_message = || ToolMessage { content: answer.sentence(), name, tool_call_id: id, status: "error" };
    match (answer.verdict.decision, &answer.arguments) {
        (Decision::Allow, None) => write(&Reply::Allow),
        (Decision::Allow, Some(arguments)) => write(&Reply::Override { args: raw(arguments)? }),
        (Decision::Deny | Decision::Backtrack, _) => write(&Reply::Error { tool_message: tool_message() }),
        (Decision::Escalate, _) => {
            let description = answer.verdict.reason.clone();
            let value = Value {
                action_requests: [ActionRequest { name, args: raw(call.args)?, description }],
                review_configs: [ReviewConfig { action_name: name, allowed_decisions: ["approve", "reject"] }],
                reason: &answer.verdict.reason,
                seq: answer.seq,
            };
            write(&Reply::Interrupt { value, tool_message: tool_message() })
        }
    }
}

/// The answer to `on_tool_start`.
pub(crate) fn to_start(answer: &Answer) -> Result<String, AdapterError> {
    match (answer.verdict.decision, &answer.arguments) {
        (Decision::Allow, None) => write(&Reply::Allow),
        // The host takes back what it allowed if there is no answer.
        (Decision::Allow, Some(_)) => {
            Err(AdapterError::malformed("a callback can't have a tool called with other arguments; use the middleware"))
        }
        (Decision::Deny | Decision::Backtrack | Decision::Escalate, _) => {
            write(&Reply::Raise { message: answer.sentence() })
        }
    }
}

fn raw(json: &str) -> Result<&RawValue, AdapterError> {
    serde_json::from_str(json).map_err(|error| AdapterError::malformed(error.to_string()))
}

fn write(reply: &Reply<'_>) -> Result<String, AdapterError> {
    serde_json::to_string(reply).map_err(|error| AdapterError::malformed(error.to_string()))
}
