//! What the Python side is told.

use serde::Serialize;
use vak_sdk::adapter::{AdapterError, Answer, Decision};

use crate::event::By;

#[derive(Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
enum Action<'a> {
    Allow,
    Override { arguments: &'a str },
    Reject { message: String },
    Raise { message: String },
}

/// The fields of a `ToolGuardrailFunctionOutput`.
#[derive(Serialize)]
struct GuardrailOutput<'a> {
    output_info: OutputInfo<'a>,
    behavior: Behavior,
}

#[derive(Serialize)]
struct OutputInfo<'a> {
    decision: &'a str,
    reason: &'a str,
    seq: Option<u64>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Behavior {
    Allow,
    RejectContent { message: String },
}

#[derive(Serialize)]
struct NeedsApproval {
    needs_approval: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
}

/// An `MCPToolApprovalFunctionResult`.
#[derive(Serialize)]
struct Approval {
    approve: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// The answer to whoever asked.
pub(crate) fn to(by: By, answer: &Answer) -> Result<String, AdapterError> {
    let allowed = answer.verdict.decision == Decision::Allow;
    match (by, &answer.arguments) {
        (By::Wrapper, Some(arguments)) if allowed => write(&Action::Override { arguments }),
        (By::Wrapper, _) if allowed => write(&Action::Allow),
        (By::Wrapper, _) => write(&Action::Reject { message: answer.sentence() }),
        (By::NeedsApproval, _) => needs_approval(answer),
        // The host takes back what it allowed if there is no answer.
        (By::Guardrail | By::Hook | By::McpApproval, Some(_)) if allowed => {
            Err(AdapterError::malformed("it can't be given other arguments there; wrap the tool"))
        }
        (By::Guardrail, _) => guardrail(answer),
        (By::Hook, _) if allowed => write(&Action::Allow),
        (By::Hook, _) => write(&Action::Raise { message: answer.sentence() }),
        (By::McpApproval, _) => {
            let reason = (!allowed).then(|| answer.sentence());
            write(&Approval { approve: allowed, reason })
        }
    }
}

fn guardrail(answer: &Answer) -> Result<String, AdapterError> {
    let behavior = match answer.verdict.decision {
        Decision::Allow => Behavior::Allow,
        Decision::Deny | Decision::Backtrack | Decision::Escalate => {
            Behavior::RejectContent { message: answer.sentence() }
        }
    };
    let output_info =
        OutputInfo { decision: answer.verdict.decision.word(), reason: &answer.verdict.reason, seq: answer.seq };
    write(&GuardrailOutput { output_info, behavior })
}

/// A person who approves there would overrule a deny, and what is not approved there
/// would be called with the arguments that were asked: so these have no such answer.
fn needs_approval(answer: &Answer) -> Result<String, AdapterError> {
    match answer.verdict.decision {
        Decision::Allow if answer.arguments.is_none() => {
            write(&NeedsApproval { needs_approval: false, message: None, seq: None })
        }
        Decision::Escalate => {
            write(&NeedsApproval { needs_approval: true, message: Some(answer.sentence()), seq: answer.seq })
        }
        Decision::Allow | Decision::Deny | Decision::Backtrack => write(&Action::Reject { message: answer.sentence() }),
    }
}

fn write(reply: &impl Serialize) -> Result<String, AdapterError> {
    serde_json::to_string(reply).map_err(|error| AdapterError::malformed(error.to_string()))
}
