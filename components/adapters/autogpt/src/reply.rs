//! What a wrapper is told.

use serde::Serialize;
use serde_json::value::RawValue;
use vak_sdk::adapter::{AdapterError, Answer, Decision};

use crate::event::{Item, Kind};

#[derive(Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
enum Reply<'a> {
    Allow,
    Override { arguments: &'a RawValue },
    Refuse { decision: &'a str, message: String, seq: Option<u64>, result: ActionErrorResult },
}

/// The fields of an `ActionErrorResult`, which models of Classic read.
#[derive(Serialize)]
struct ActionErrorResult {
    status: &'static str,
    reason: String,
    error: Option<()>,
}

#[derive(Serialize)]
struct Replies<'a> {
    answers: Vec<Reply<'a>>,
}

/// The answer about one action.
pub(crate) fn to_one(item: &Item, answer: &Answer) -> Result<String, AdapterError> {
    write(&reply(item, answer)?)
}

/// The answers about all of them, in their order.
pub(crate) fn to_all(items: &[Item], answers: &[Answer]) -> Result<String, AdapterError> {
    let answers = items.iter().zip(answers).map(|(item, answer)| reply(item, answer)).collect::<Result<_, _>>()?;
    write(&Replies { answers })
}

fn reply<'a>(item: &Item, answer: &'a Answer) -> Result<Reply<'a>, AdapterError> {
    Ok(match (answer.verdict.decision, &answer.arguments, item.kind) {
        (Decision::Allow, None, _) => Reply::Allow,
        (Decision::Allow, Some(arguments), Kind::Block | Kind::Command) => {
            let arguments = serde_json::from_str(arguments).map_err(|error| written(&error))?;
            Reply::Override { arguments }
        }
        // Nothing of it happened yet, so the host may take back what it allowed.
        (Decision::Allow, Some(_), Kind::Graph | Kind::Words) => {
            return Err(AdapterError::malformed("a graph, a goal and a plan can't be given other arguments"));
        }
        (decision @ (Decision::Deny | Decision::Backtrack | Decision::Escalate), ..) => {
            let message = answer.sentence();
            let result = ActionErrorResult { status: "error", reason: message.clone(), error: None };
            Reply::Refuse { decision: decision.word(), message, seq: answer.seq, result }
        }
    })
}

fn write(reply: &impl Serialize) -> Result<String, AdapterError> {
    serde_json::to_string(reply).map_err(|error| written(&error))
}

fn written(error: &serde_json::Error) -> AdapterError {
    AdapterError::malformed(error.to_string())
}
