//! What Claude Code is told.

use serde::Serialize;
use serde_json::value::RawValue;
use vak_sdk::adapter::{AdapterError, Answer, Decision};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    hook_specific_output: PreToolUse<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PreToolUse<'a> {
    hook_event_name: &'a str,
    permission_decision: &'a str,
    permission_decision_reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_input: Option<&'a RawValue>,
}

/// The answer to `PreToolUse`.
pub(crate) fn to(answer: &Answer) -> Result<String, AdapterError> {
    let Answer { verdict, arguments, seq } = answer;
    let reason = &verdict.reason;
    let (decision, reason) = match (verdict.decision, arguments) {
        // Its own permissions decide on.
        (Decision::Allow, None) => return Ok("{}".to_owned()),
        (Decision::Allow, Some(_)) => ("ask", "a policy allows it with this input".to_owned()),
        (Decision::Deny, _) => ("deny", format!("denied by {reason}{}", wait(answer))),
        (Decision::Backtrack, _) => ("deny", format!("try another way: {reason}")),
        (Decision::Escalate, _) => {
            let number = seq.map(|seq| format!(" (number {seq})")).unwrap_or_default();
            ("deny", format!("a person has to approve it{number}: {reason}; then ask for exactly the same again"))
        }
    };
    let updated_input = match (verdict.decision, arguments) {
        (Decision::Allow, Some(arguments)) => Some(serde_json::from_str(arguments).map_err(|error| written(&error))?),
        _ => None,
    };
    let hook_specific_output = PreToolUse {
        hook_event_name: "PreToolUse",
        permission_decision: decision,
        permission_decision_reason: reason,
        updated_input,
    };
    serde_json::to_string(&Output { hook_specific_output }).map_err(|error| written(&error))
}

fn wait(answer: &Answer) -> String {
    answer.verdict.retry_after_ms.map(|wait| format!(" (retry after {wait} ms)")).unwrap_or_default()
}

fn written(error: &serde_json::Error) -> AdapterError {
    AdapterError::Malformed(error.to_string())
}
