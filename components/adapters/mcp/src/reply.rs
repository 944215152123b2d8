//! What the client is told.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
use vak_sdk::adapter::{AdapterError, Answer, Decision};

use crate::message::{Kind, Wish};

/// The code of an error that says that something may not happen, of those that
/// JSON-RPC leaves to implementations.
const REFUSED: i32 = -32_000;

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Reply<'a> {
    Forward(&'a RawValue),
    Respond(Response<'a>),
}

#[derive(Serialize)]
struct Response<'a> {
    jsonrpc: &'a str,
    id: &'a RawValue,
    #[serde(flatten)]
    body: Body<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Body<'a> {
    Result(ToolResult<'a>),
    Error { code: i32, message: String },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToolResult<'a> {
    result_type: &'a str,
    is_error: bool,
    content: [Text<'a>; 1],
}

#[derive(Serialize)]
struct Text<'a> {
    r#type: &'a str,
    text: String,
}

/// The answer to a request.
pub(crate) fn to(wish: &Wish<'_>, answer: &Answer) -> Result<String, AdapterError> {
    match (answer.verdict.decision, &answer.arguments) {
        (Decision::Allow, None) => write(&Reply::Forward(raw(wish.message)?)),
        (Decision::Allow, Some(arguments)) => {
            let message = with_arguments(wish, arguments)?;
            write(&Reply::Forward(raw(&message)?))
        }
        (Decision::Deny | Decision::Backtrack | Decision::Escalate, _) => {
            let message = answer.sentence();
            let body = match wish.kind {
                Kind::Tool => {
                    let content = [Text { r#type: "text", text: message }];
                    Body::Result(ToolResult { result_type: "complete", is_error: true, content })
                }
                Kind::Read | Kind::Subscribe | Kind::Prompt | Kind::Listen | Kind::Sampling => {
                    Body::Error { code: REFUSED, message }
                }
            };
            write(&Reply::Respond(Response { jsonrpc: "2.0", id: raw(wish.id)?, body }))
        }
    }
}

/// The request as it came, but for the arguments.
fn with_arguments(wish: &Wish<'_>, arguments: &str) -> Result<String, AdapterError> {
    let arguments = raw(arguments)?;
    let params = match wish.kind {
        Kind::Listen | Kind::Sampling => arguments.get().to_owned(),
        Kind::Tool | Kind::Prompt => with(wish.params, "arguments", arguments)?,
        Kind::Read | Kind::Subscribe => {
            let others: Members<'_> = members(arguments.get())?;
            match (others.get("uri"), others.len()) {
                (Some(uri), 1) if uri.get().starts_with('"') => with(wish.params, "uri", uri)?,
                _ => return Err(AdapterError::malformed("a resource has a `uri` and no other arguments")),
            }
        }
    };
    with(wish.message, "params", raw(&params)?)
}

type Members<'a> = BTreeMap<String, &'a RawValue>;

fn members(object: &str) -> Result<Members<'_>, AdapterError> {
    serde_json::from_str(object).map_err(|error| AdapterError::malformed(error.to_string()))
}

/// An object with another value for one of its members.
fn with(object: &str, name: &str, value: &RawValue) -> Result<String, AdapterError> {
    let mut members = members(object)?;
    members.insert(name.to_owned(), value);
    write(&members)
}

fn raw(json: &str) -> Result<&RawValue, AdapterError> {
    serde_json::from_str(json).map_err(|error| AdapterError::malformed(error.to_string()))
}

fn write(reply: &impl Serialize) -> Result<String, AdapterError> {
    serde_json::to_string(reply).map_err(|error| AdapterError::malformed(error.to_string()))
}
