//! What the Python side sends.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use vak_sdk::adapter::{AdapterError, need, object};

/// One event.
pub(crate) enum Event<'a> {
    /// A tool is about to be called.
    Call(ToolCall<'a>),
    /// A tool is about to run, and a callback is told.
    Start(Start<'a>),
    /// A call has ended.
    Ended { call: String, thread: Option<String>, how: How<'a> },
    /// Nothing is about to be done.
    Other,
}

/// How a call ended.
pub(crate) enum How<'a> {
    Gave(&'a str),
    Failed(String),
    Unknown(String),
}

/// A tool call of a model.
pub(crate) struct ToolCall<'a> {
    pub(crate) name: String,
    pub(crate) args: &'a str,
    pub(crate) id: Option<String>,
    pub(crate) thread: Option<String>,
    /// Whether there is a tool of that name.
    pub(crate) registered: bool,
    /// Whether the graph that calls it is part of another.
    pub(crate) subgraph: bool,
}

/// A run of a tool.
pub(crate) struct Start<'a> {
    pub(crate) name: String,
    pub(crate) arguments: Cow<'a, str>,
    pub(crate) run: String,
    pub(crate) thread: Option<String>,
}

#[derive(Deserialize)]
struct Fields<'a> {
    event: Option<String>,
    #[serde(borrow)]
    tool_call: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    tool: Option<&'a RawValue>,
    thread_id: Option<String>,
    checkpoint_ns: Option<String>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<String>,
    run_id: Option<String>,
    #[serde(borrow)]
    serialized: Option<&'a RawValue>,
    #[serde(borrow)]
    inputs: Option<&'a RawValue>,
    input_str: Option<String>,
    #[serde(borrow, default, deserialize_with = "present")]
    output: Option<&'a RawValue>,
}

/// A field that is there, be it `null`.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
struct CallFields<'a> {
    name: Option<String>,
    #[serde(borrow)]
    args: Option<&'a RawValue>,
    id: Option<String>,
    r#type: Option<String>,
}

/// Events of callbacks and of `astream_events` upon which nothing is done that a
/// policy could have an opinion on: a model is asked, a chain runs, something is
/// told. A tool that an agent chose has an event of its own.
const OTHERS: [&str; 27] = [
    "on_agent_action",
    "on_agent_finish",
    "on_chain_end",
    "on_chain_error",
    "on_chain_start",
    "on_chain_stream",
    "on_chat_model_end",
    "on_chat_model_start",
    "on_chat_model_stream",
    "on_custom_event",
    "on_llm_end",
    "on_llm_error",
    "on_llm_new_token",
    "on_llm_start",
    "on_llm_stream",
    "on_parser_end",
    "on_parser_start",
    "on_parser_stream",
    "on_prompt_end",
    "on_prompt_start",
    "on_retriever_end",
    "on_retriever_error",
    "on_retriever_start",
    "on_retriever_stream",
    "on_retry",
    "on_stream_event",
    "on_text",
];

impl<'a> Event<'a> {
    /// An event that is not known is an error: it could be one before something
    /// is done.
    pub(crate) fn read(text: &'a str) -> Result<Self, AdapterError> {
        let mut fields: Fields<'a> = parse("the message", text)?;
        let name = need(fields.event.take(), "event")?;
        match &*name {
            "tool_call" => fields.call(),
            "on_tool_start" => fields.start(),
            "tool_result" => {
                let result = need(fields.result, "result")?;
                let how = result_of(result)?;
                fields.ended(how)
            }
            "tool_error" => {
                let error = need(fields.error.take(), "error")?;
                fields.ended(How::Failed(error))
            }
            "tool_cancelled" => fields.ended(How::Unknown("the call was cancelled".to_owned())),
            "on_tool_end" => {
                let output = need(fields.output, "output")?;
                let how = result_of(output)?;
                fields.run_ended(how)
            }
            "on_tool_error" => {
                let error = need(fields.error.take(), "error")?;
                fields.run_ended(How::Failed(error))
            }
            other if OTHERS.contains(&other) => Ok(Self::Other),
            other => Err(AdapterError::unknown(format!("`{other}` is no event that this adapter knows"))),
        }
    }
}

impl<'a> Fields<'a> {
    fn call(self) -> Result<Event<'a>, AdapterError> {
        let CallFields { name, args, id, r#type } = parse("`tool_call`", need(self.tool_call, "tool_call")?.get())?;
        if r#type.is_some_and(|kind| kind != "tool_call") {
            return Err(AdapterError::malformed("`tool_call` is of another type"));
        }
        Ok(Event::Call(ToolCall {
            name: need(name, "tool_call.name")?,
            args: object("`tool_call.args`", need(args, "tool_call.args")?.get())?,
            id,
            thread: self.thread_id,
            registered: need(self.tool, "tool")?.get() != "null",
            // One for the graph itself, and one for each that it is part of.
            subgraph: self.checkpoint_ns.is_some_and(|namespace| namespace.contains('|')),
        }))
    }

    fn start(self) -> Result<Event<'a>, AdapterError> {
        #[derive(Deserialize)]
        struct Serialized {
            name: Option<String>,
        }

        let serialized: Serialized = parse("`serialized`", need(self.serialized, "serialized")?.get())?;
        let arguments = match self.inputs {
            Some(inputs) => Cow::Borrowed(object("`inputs`", inputs.get())?),
            // A tool that takes one text.
            None => {
                let input = need(self.input_str, "input_str")?;
                Cow::Owned(serde_json::json!({ "input": input }).to_string())
            }
        };
        let name = need(serialized.name, "serialized.name")?;
        Ok(Event::Start(Start { name, arguments, run: need(self.run_id, "run_id")?, thread: self.thread_id }))
    }

    fn ended(self, how: How<'a>) -> Result<Event<'a>, AdapterError> {
        let call: CallFields<'_> = parse("`tool_call`", need(self.tool_call, "tool_call")?.get())?;
        // One without a name could not be waiting for its end.
        let Some(call) = call.id else { return Ok(Event::Other) };
        Ok(Event::Ended { call, thread: self.thread_id, how })
    }

    fn run_ended(self, how: How<'a>) -> Result<Event<'a>, AdapterError> {
        Ok(Event::Ended { call: need(self.run_id, "run_id")?, thread: self.thread_id, how })
    }
}

/// A `ToolMessage` says whether it is an error. Everything else a tool gave is what
/// it gave.
fn result_of(result: &RawValue) -> Result<How<'_>, AdapterError> {
    #[derive(Deserialize)]
    struct Message<'a> {
        r#type: Option<String>,
        status: Option<String>,
        #[serde(borrow)]
        content: Option<&'a RawValue>,
    }

    let text = result.get();
    if !text.starts_with('{') {
        return Ok(How::Gave(text));
    }
    let Ok(message) = serde_json::from_str::<Message<'_>>(text) else { return Ok(How::Gave(text)) };
    match (message.r#type.as_deref(), message.status.as_deref()) {
        (Some("tool"), Some("success")) => Ok(How::Gave(text)),
        (Some("tool"), Some("error")) => {
            let content = message.content.map_or("an error", RawValue::get);
            Ok(How::Failed(serde_json::from_str(content).unwrap_or_else(|_| content.to_owned())))
        }
        (Some("tool"), status) => {
            Err(AdapterError::malformed(format!("a tool message with the status `{}`", status.unwrap_or("none"))))
        }
        _ => Ok(How::Gave(text)),
    }
}

fn parse<'a, T: Deserialize<'a>>(name: &str, text: &'a str) -> Result<T, AdapterError> {
    serde_json::from_str(object(name, text)?).map_err(|error| AdapterError::malformed(format!("{name}: {error}")))
}
