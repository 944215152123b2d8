//! Understands tool calls of LangChain and LangGraph.
//!
//! # What it is sent
//!
//! One object for each event, with the framework's own objects as JSON. What is not
//! named here does not matter.
//!
//! **`tool_call`** asks: what `AgentMiddleware.wrap_tool_call(request, handler)`, or a
//! `ToolNode`, is about to have carried out.
//!
//! ```json
//! {
//!   "event": "tool_call",
//!   "tool_call": { "name": "write_file", "args": { "path": "a" }, "id": "call_1", "type": "tool_call" },
//!   "tool": { "name": "write_file", "description": "Write a file." },
//!   "thread_id": "t-1",
//!   "checkpoint_ns": "tools:5c1b…"
//! }
//! ```
//!
//! * `tool_call` is `request.tool_call` as it is. Without an `id` a retry is another
//!   action.
//! * `tool` is `request.tool`, of which the name is enough, or `null` if no tool of
//!   that name is there: then the action is labelled `unregistered-tool`.
//! * `thread_id` is `request.runtime.config["configurable"]["thread_id"]`, or a name
//!   that the sender keeps for the run; ids of calls are told apart by it alone.
//! * `checkpoint_ns` is `request.runtime.config["configurable"]["checkpoint_ns"]`. A
//!   call in a graph inside another is labelled `subgraph`.
//!
//! **`tool_result`**, **`tool_error`** and **`tool_cancelled`** tell how it ended, with
//! the same `tool_call` and `thread_id`:
//!
//! * `"result"` is what the handler returned: `ToolMessage.model_dump(mode="json")`, of
//!   which `"status": "error"` is a failure, or a `Command` as an object of its fields;
//! * `"error"` is the `repr` of what it raised. `GraphBubbleUp` is none: an interrupt
//!   or a jump to a parent graph has not ended the call;
//! * nothing more of one that was cancelled: it may have happened.
//!
//! **`on_tool_start`** asks too: a callback handler with `raise_error = True` keeps a
//! tool from running by raising. Its fields are those of the callback, and `thread_id`
//! beside them: `serialized`, `input_str`, `inputs`, `run_id`. The call is named by
//! `run_id`, since **`on_tool_end`** (`output`) and **`on_tool_error`** (`error`) have
//! no other name for it. Every other event of callbacks and of `astream_events` that
//! is known passes; one that is not is an error.
//!
//! # What it answers
//!
//! To `tool_call`, one of
//!
//! * `{"action": "allow"}`: `handler(request)`;
//! * `{"action": "override", "args": {…}}`: `handler(request.override(tool_call={**request.tool_call, "args": args}))`;
//! * `{"action": "error", "tool_message": {…}}`: `ToolMessage(**tool_message)` is the result;
//! * `{"action": "interrupt", "value": {…}, "tool_message": {…}}`: `interrupt(value)`, and
//!   the call is sent once more when the graph is resumed. The value is a
//!   `HITLRequest`, with `seq` and `reason` beside it. Where nothing is kept that could
//!   be resumed, the message is the result.
//!
//! To `on_tool_start`, `{"action": "allow"}` or `{"action": "raise", "message": "…"}`. A
//! callback can't change arguments, so what is allowed with others alone is an error.
//! To everything else, `{}`.

mod event;
mod reply;

use vak_sdk::adapter::{self, Adapter, AdapterError, Answer, Ended, Info, Intake, Request};

use crate::event::{Event, How, Start, ToolCall};

#[derive(Default)]
struct LangChain;

impl Adapter for LangChain {
    fn describe(&self) -> Info {
        let versions = ["langchain 1.5.2", "langchain-core 1.8.3", "langgraph 1.2.24"];
        let versions = versions.map(str::to_owned).to_vec();
        Info { framework: "langchain".to_owned(), versions, rewrites: true }
    }

    fn ingest(&self, event: &str) -> Result<Intake, AdapterError> {
        Ok(match Event::read(event)? {
            Event::Call(call) => Intake::Actions(vec![request(call)]),
            Event::Start(start) => Intake::Actions(vec![started(start)]),
            Event::Ended { call, thread, how } => Intake::Outcomes(vec![match how {
                How::Gave(output) => Ended::succeeded(call, thread, output),
                How::Failed(why) => Ended::failed(call, thread, why),
                How::Unknown(why) => Ended::unknown(call, thread, why),
            }]),
            Event::Other => Intake::Pass,
        })
    }

    fn render(&self, event: &str, answers: &[Answer]) -> Result<String, AdapterError> {
        match Event::read(event)? {
            Event::Call(call) => reply::to_call(&call, adapter::one(answers)?),
            Event::Start(_) => reply::to_start(adapter::one(answers)?),
            Event::Ended { .. } | Event::Other => adapter::each(0, answers).map(|_| "{}".to_owned()),
        }
    }
}

fn request(call: ToolCall<'_>) -> Request {
    let labels = [("unregistered-tool", !call.registered), ("subgraph", call.subgraph)];
    Request {
        call: call.id,
        session: call.thread,
        operation: format!("langchain/{}", call.name),
        resource: format!("tool:{}", call.name),
        arguments: call.args.to_owned(),
        labels: labels.into_iter().filter(|(_, so)| *so).map(|(label, _)| label.to_owned()).collect(),
    }
}

fn started(start: Start<'_>) -> Request {
    Request {
        call: Some(start.run),
        session: start.thread,
        operation: format!("langchain/{}", start.name),
        resource: format!("tool:{}", start.name),
        arguments: start.arguments.into_owned(),
        labels: Vec::new(),
    }
}

vak_sdk::export_adapter!(LangChain);
