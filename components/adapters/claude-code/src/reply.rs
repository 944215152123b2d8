//! What Claude Code is told.

use serde::Serialize;
use serde_json::value::RawValue;
use vak_sdk::adapter::{AdapterError, Answer, Decision};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    hook_specific_output: PreToolUse<'a>,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct PreToolUse<'a> {
    hook_event_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    permission_decision: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permission_decision_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_input: Option<&'a RawValue>,
}

/// The answer to `PreToolUse`, of a version that `takes_input` without a decision
/// about permissions, or of one of which that is not known.
pub(crate) fn to(answer: &Answer, takes_input: bool) -> Result<String, AdapterError> {
    let Answer { verdict, arguments, .. } = answer;
    match (verdict.decision, arguments) {
        // Its own permissions decide on.
        (Decision::Allow, None) => Ok("{}".to_owned()),
        (Decision::Allow, Some(arguments)) if takes_input => {
            let input = serde_json::from_str(arguments).map_err(|error| written(&error))?;
            write(PreToolUse { updated_input: Some(input), ..PreToolUse::default() })
        }
        // Some dropped the input, and went on with what the model wanted.
        (Decision::Allow, Some(arguments)) => {
            deny(format!("a policy allows it with other input; ask again with exactly {arguments}"))
        }
        (Decision::Deny | Decision::Backtrack | Decision::Escalate, _) => deny(answer.sentence()),
    }
}

fn deny(reason: String) -> Result<String, AdapterError> {
    let (decision, reason) = (Some("deny"), Some(reason));
    write(PreToolUse { permission_decision: decision, permission_decision_reason: reason, ..PreToolUse::default() })
}

fn write(output: PreToolUse<'_>) -> Result<String, AdapterError> {
    let hook_specific_output = PreToolUse { hook_event_name: "PreToolUse", ..output };
    serde_json::to_string(&Output { hook_specific_output }).map_err(|error| written(&error))
}

fn written(error: &serde_json::Error) -> AdapterError {
    AdapterError::malformed(error.to_string())
}
