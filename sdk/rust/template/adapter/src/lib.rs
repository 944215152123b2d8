//! Understands the tool calls of chat completions.

use serde_json::{Value, json};
use vak_sdk::adapter::{Adapter, AdapterError, Answer, Decision, Info, Intake, Request};

#[derive(Default)]
struct ChatCompletions;

impl Adapter for ChatCompletions {
    fn describe(&self) -> Info {
        Info { framework: "chat-completions".to_owned(), versions: vec!["1".to_owned()], rewrites: false }
    }

    fn ingest(&self, event: &str) -> Result<Intake, AdapterError> {
        let calls = tool_calls(event)?;
        Ok(match calls.is_empty() {
            true => Intake::Pass,
            false => Intake::Actions(calls.into_iter().map(request).collect()),
        })
    }

    /// The ids of the calls that may happen, and a tool message for each other.
    fn render(&self, event: &str, answers: &[Answer]) -> Result<String, AdapterError> {
        let calls = tool_calls(event)?;
        if calls.len() != answers.len() {
            return Err(malformed(&format!("{} calls and {} answers", calls.len(), answers.len())));
        }
        let (mut allowed, mut messages) = (Vec::new(), Vec::new());
        for (call, Answer { verdict, .. }) in calls.iter().zip(answers) {
            let decision = match verdict.decision {
                Decision::Allow => {
                    allowed.push(&call.id);
                    continue;
                }
                Decision::Backtrack => "backtrack",
                Decision::Escalate => "escalate",
                Decision::Deny => "deny",
            };
            let content = format!("{decision}: {}", verdict.reason);
            messages.push(json!({ "role": "tool", "tool_call_id": call.id, "content": content }));
        }
        Ok(json!({ "allowed": allowed, "messages": messages }).to_string())
    }
}

struct Call {
    id: String,
    name: String,
    arguments: String,
}

/// The tool calls of an assistant message.
fn tool_calls(event: &str) -> Result<Vec<Call>, AdapterError> {
    let message: Value = serde_json::from_str(event).map_err(|_| malformed("not JSON"))?;
    if message["role"] != "assistant" {
        return Err(AdapterError::UnknownMessage("not a message of an assistant".to_owned()));
    }
    match &message["tool_calls"] {
        Value::Null => Ok(Vec::new()),
        Value::Array(calls) => calls.iter().map(tool_call).collect(),
        _ => Err(malformed("`tool_calls` is not a list")),
    }
}

fn tool_call(call: &Value) -> Result<Call, AdapterError> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let function = &call["function"];
    match (text(&call["id"]), text(&function["name"]), text(&function["arguments"])) {
        (Some(id), Some(name), Some(arguments)) => Ok(Call { id, name, arguments }),
        _ => Err(malformed("a tool call lacks its id, name or arguments")),
    }
}

fn request(Call { id, name, arguments }: Call) -> Request {
    Request {
        call: Some(id),
        session: None,
        resource: format!("tool:{name}"),
        operation: name,
        arguments,
        labels: Vec::new(),
    }
}

fn malformed(why: &str) -> AdapterError {
    AdapterError::Malformed(why.to_owned())
}

vak_sdk::export_adapter!(ChatCompletions);
