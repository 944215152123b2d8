//! JSON-RPC messages.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use vak_sdk::adapter::{AdapterError, need, object};

/// One message and where it belongs.
pub(crate) enum Event<'a> {
    /// A request for something that a policy may have an opinion on.
    Asks(Wish<'a>),
    /// The server has answered a request.
    Ended { call: String, connection: String, how: How<'a> },
    /// Nothing is about to be done.
    Other,
}

/// How a request ended.
pub(crate) enum How<'a> {
    Gave(&'a str),
    Failed(String),
    Unknown(String),
}

/// What a request wants.
pub(crate) struct Wish<'a> {
    pub(crate) server: String,
    pub(crate) connection: String,
    /// The request, as it came.
    pub(crate) message: &'a str,
    /// Its id, as JSON.
    pub(crate) id: &'a str,
    /// Its parameters, which are an object.
    pub(crate) params: &'a str,
    pub(crate) kind: Kind,
    /// What the kind is to be done to.
    pub(crate) target: String,
    /// The arguments it has, as JSON.
    arguments: Option<&'a str>,
    /// Whether it answers what the server asked.
    pub(crate) answers_input: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Tool,
    Read,
    Subscribe,
    Prompt,
    Listen,
    Sampling,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    server: Option<String>,
    connection: Option<String>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Message<'a> {
    jsonrpc: Option<String>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    method: Option<String>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Params<'a> {
    name: Option<String>,
    uri: Option<String>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow, rename = "inputResponses")]
    input_responses: Option<&'a RawValue>,
}

/// Requests that look around, ask persons, or say how to talk, and notifications.
const OTHERS: [&str; 23] = [
    "completion/complete",
    "elicitation/create",
    "initialize",
    "logging/setLevel",
    "notifications/cancelled",
    "notifications/elicitation/complete",
    "notifications/initialized",
    "notifications/message",
    "notifications/progress",
    "notifications/prompts/list_changed",
    "notifications/resources/list_changed",
    "notifications/resources/updated",
    "notifications/roots/list_changed",
    "notifications/subscriptions/acknowledged",
    "notifications/tools/list_changed",
    "ping",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "resources/unsubscribe",
    "roots/list",
    "server/discover",
    "tools/list",
];

impl<'a> Event<'a> {
    /// A method that is not known is an error: it could be one that does something.
    pub(crate) fn read(text: &'a str) -> Result<Self, AdapterError> {
        let envelope: Envelope<'a> = parse("the event", text)?;
        let server = need(envelope.server, "server")?;
        if server.contains('/') || server.is_empty() {
            return Err(AdapterError::malformed("`server` is empty or has a `/`"));
        }
        let connection = need(envelope.connection, "connection")?;
        let whole = need(envelope.message, "message")?.get();
        let message: Message<'a> = parse("`message`", whole)?;
        if message.jsonrpc.as_deref() != Some("2.0") {
            return Err(AdapterError::unknown("`message.jsonrpc` is not `2.0`"));
        }
        match (&message.method, message.result, message.error) {
            (Some(_), None, None) => message.asks(server, connection, whole),
            (None, Some(result), None) => {
                let how = result_of(result.get())?;
                Ok(Self::Ended { call: id_of(message.id)?.to_owned(), connection, how })
            }
            (None, None, Some(error)) => {
                let why = error_of(error.get())?;
                // An error about no request is about none that waits.
                let Some(id) = message.id else { return Ok(Self::Other) };
                Ok(Self::Ended { call: id_of(Some(id))?.to_owned(), connection, how: How::Failed(why) })
            }
            _ => Err(AdapterError::malformed("`message` is neither a request nor a response")),
        }
    }
}

impl<'a> Message<'a> {
    fn asks(self, server: String, connection: String, message: &'a str) -> Result<Event<'a>, AdapterError> {
        let method = need(self.method, "message.method")?;
        let kind = match &*method {
            "tools/call" => Kind::Tool,
            "resources/read" => Kind::Read,
            "resources/subscribe" => Kind::Subscribe,
            "prompts/get" => Kind::Prompt,
            "subscriptions/listen" => Kind::Listen,
            "sampling/createMessage" => Kind::Sampling,
            other if OTHERS.contains(&other) => return Ok(Event::Other),
            other => return Err(AdapterError::unknown(format!("`{other}` is no method that this adapter knows"))),
        };
        let id = id_of(self.id)?;
        let params = need(self.params, "message.params")?.get();
        let Params { name, uri, arguments, input_responses } = parse("`message.params`", params)?;
        let target = match kind {
            Kind::Tool | Kind::Prompt => need(name, "message.params.name")?,
            Kind::Read | Kind::Subscribe => need(uri, "message.params.uri")?,
            Kind::Listen => "subscriptions".to_owned(),
            Kind::Sampling => "model".to_owned(),
        };
        let arguments = match kind {
            Kind::Tool | Kind::Prompt => arguments.map(RawValue::get),
            Kind::Listen | Kind::Sampling => Some(params),
            Kind::Read | Kind::Subscribe => None,
        };
        let arguments = arguments.map(|arguments| object("`message.params.arguments`", arguments)).transpose()?;
        let answers_input = input_responses.is_some();
        Ok(Event::Asks(Wish { server, connection, message, id, params, kind, target, arguments, answers_input }))
    }
}

impl Wish<'_> {
    /// Whether the server wants it of the client.
    pub(crate) fn is_of_server(&self) -> bool {
        self.kind == Kind::Sampling
    }

    pub(crate) fn operation(&self) -> String {
        let server = &self.server;
        match self.kind {
            Kind::Tool => format!("mcp/{server}/tools/{}", self.target),
            Kind::Read => format!("mcp/{server}/resources/read"),
            Kind::Subscribe => format!("mcp/{server}/resources/subscribe"),
            Kind::Prompt => format!("mcp/{server}/prompts/get"),
            Kind::Listen => format!("mcp/{server}/subscriptions/listen"),
            Kind::Sampling => format!("mcp/{server}/sampling/createMessage"),
        }
    }

    pub(crate) fn resource(&self) -> String {
        match self.kind {
            Kind::Tool => format!("tool:{}", self.target),
            Kind::Prompt => format!("prompt:{}", self.target),
            Kind::Read | Kind::Subscribe | Kind::Listen | Kind::Sampling => self.target.clone(),
        }
    }

    pub(crate) fn arguments(&self) -> Result<String, AdapterError> {
        match (self.kind, self.arguments) {
            (Kind::Read | Kind::Subscribe, _) => {
                let uri = BTreeMap::from([("uri", &self.target)]);
                serde_json::to_string(&uri).map_err(|error| AdapterError::malformed(error.to_string()))
            }
            (_, arguments) => Ok(arguments.unwrap_or("{}").to_owned()),
        }
    }
}

/// A request has an id, a text or a number, and it is told apart by how it is
/// written: `1` is not `"1"`.
fn id_of(id: Option<&RawValue>) -> Result<&str, AdapterError> {
    match need(id, "message.id")?.get() {
        id if id.starts_with(['"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) => Ok(id),
        _ => Err(AdapterError::malformed("`message.id` is neither a text nor a number")),
    }
}

fn result_of(result: &str) -> Result<How<'_>, AdapterError> {
    #[derive(Deserialize)]
    struct Fields<'a> {
        #[serde(rename = "isError", default)]
        is_error: bool,
        #[serde(rename = "resultType")]
        result_type: Option<String>,
        #[serde(borrow)]
        content: Option<&'a RawValue>,
        #[serde(borrow)]
        task: Option<&'a RawValue>,
    }

    let fields: Fields<'_> = parse("`message.result`", result)?;
    Ok(match fields.result_type.as_deref() {
        None | Some("complete") if fields.is_error => How::Failed(fields.content.map_or("", RawValue::get).to_owned()),
        // It goes on where the message does not tell.
        None | Some("complete") if fields.task.is_some() && fields.content.is_none() => {
            How::Unknown("it goes on as a task".to_owned())
        }
        None | Some("complete") => How::Gave(result),
        Some(other) => How::Unknown(format!("its result is of the type `{other}`")),
    })
}

fn error_of(error: &str) -> Result<String, AdapterError> {
    #[derive(Deserialize)]
    struct Fields {
        message: Option<String>,
    }

    let fields: Fields = parse("`message.error`", error)?;
    need(fields.message, "message.error.message")
}

fn parse<'a, T: Deserialize<'a>>(name: &str, text: &'a str) -> Result<T, AdapterError> {
    serde_json::from_str(object(name, text)?).map_err(|error| AdapterError::malformed(format!("{name}: {error}")))
}
