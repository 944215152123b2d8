//! Understands messages of the Model Context Protocol, in its revisions 2025-11-25
//! and 2026-07-28, for a client that embeds a host or asks a server. Whoever only
//! wants a client's tools guarded has less to do with the gateway, `vak mcp`.
//!
//! # What it is sent
//!
//! ```json
//! {
//!   "server": "files",
//!   "connection": "5d1c…",
//!   "message": { "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "read_file", "arguments": { "path": "a" } } }
//! }
//! ```
//!
//! * `message` is one JSON-RPC message as it is: a request or notification of either
//!   side before it is passed on, or a response *of the server*.
//! * `server` is what the client calls the server. It has no `/`.
//! * `connection` is a name that no other connection has or had: ids of requests
//!   start anew with each.
//!
//! | method | operation | resource | arguments |
//! | --- | --- | --- | --- |
//! | `tools/call` | `mcp/SERVER/tools/NAME` | `tool:NAME` | the tool's |
//! | `resources/read`, `resources/subscribe` | `mcp/SERVER/resources/read`, … | the URI | `{"uri": …}` |
//! | `prompts/get` | `mcp/SERVER/prompts/get` | `prompt:NAME` | the prompt's |
//! | `subscriptions/listen` | `mcp/SERVER/subscriptions/listen` | `subscriptions` | all parameters |
//! | `sampling/createMessage`, which the server asks of the client's model | `mcp/SERVER/sampling/createMessage` | `model` | all parameters |
//!
//! What comes with a tool's arguments as an answer to what its server asked before
//! (`inputResponses`) is labelled `input-responses`. Responses tell how calls ended.
//! Requests that look around, and notifications, pass; a method that is not known is
//! an error.
//!
//! # What it answers
//!
//! `{"forward": …}` with the message to pass on, which has other arguments if a
//! policy wants that, or `{"respond": …}` with the message to answer instead: for a
//! tool a result with `isError`, which models read, and else an error. To messages
//! that ask for nothing, `{}`.

mod message;
mod reply;

use vak_sdk::adapter::{self, Adapter, AdapterError, Answer, Ended, Info, Intake, Request};

use crate::message::{Event, How, Wish};

#[derive(Default)]
struct Mcp;

impl Adapter for Mcp {
    fn describe(&self) -> Info {
        let versions = ["2025-11-25", "2026-07-28"].map(str::to_owned).to_vec();
        Info { framework: "mcp".to_owned(), versions, rewrites: true }
    }

    fn ingest(&self, event: &str) -> Result<Intake, AdapterError> {
        Ok(match Event::read(event)? {
            Event::Asks(wish) => Intake::Actions(vec![request(wish)?]),
            Event::Ended { call, connection, how } => {
                let session = Some(connection);
                Intake::Outcomes(vec![match how {
                    How::Gave(result) => Ended::succeeded(call, session, result),
                    How::Failed(why) => Ended::failed(call, session, why),
                    How::Unknown(why) => Ended::unknown(call, session, why),
                }])
            }
            Event::Other => Intake::Pass,
        })
    }

    fn render(&self, event: &str, answers: &[Answer]) -> Result<String, AdapterError> {
        match Event::read(event)? {
            Event::Asks(wish) => reply::to(&wish, adapter::one(answers)?),
            Event::Ended { .. } | Event::Other => adapter::each(0, answers).map(|_| "{}".to_owned()),
        }
    }
}

fn request(wish: Wish<'_>) -> Result<Request, AdapterError> {
    Ok(Request {
        // The server's own ids are no names for the client's requests.
        call: (!wish.is_of_server()).then(|| wish.id.to_owned()),
        operation: wish.operation(),
        resource: wish.resource(),
        arguments: wish.arguments()?,
        labels: if wish.answers_input { vec!["input-responses".to_owned()] } else { Vec::new() },
        session: Some(wish.connection),
    })
}

vak_sdk::export_adapter!(Mcp);
