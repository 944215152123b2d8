//! Understands tool calls, approvals and handoffs of the OpenAI Agents SDK for
//! Python.
//!
//! # What it is sent
//!
//! One object for each event, with the SDK's own objects as JSON. What is not named
//! here does not matter. In all of them, `session_id` is the id of the run's
//! `Session`, its `group_id`, or a name that the sender keeps for the run; ids of
//! calls are told apart by it alone.
//!
//! **`invoke_tool`** asks: what a `FunctionTool`'s `on_invoke_tool(context, arguments)`
//! is about to do, when it is wrapped.
//!
//! ```json
//! {
//!   "event": "invoke_tool",
//!   "context": { "tool_name": "pay", "tool_call_id": "call_1", "tool_arguments": "{\"amount\": 5}", "tool_namespace": null },
//!   "tool": { "name": "pay", "type": "FunctionTool", "origin": { "type": "function" } },
//!   "agent": "triage",
//!   "session_id": "s-1"
//! }
//! ```
//!
//! * `context` has these fields of the `ToolContext`.
//! * `tool.origin` is `ToolOrigin.to_json_dict()`. A tool of an MCP server has
//!   `mcp:SERVER/TOOL` as its resource and the label `mcp`; an agent that is used as
//!   a tool has the label `agent-as-tool`. Whoever sends several events about one call
//!   gives the same `tool` with each, or they are about different actions.
//!
//! **`tool_input_guardrail`** asks the same with the same fields, from a
//! `ToolInputGuardrail`, and **`on_tool_start`** from `RunHooks` or `AgentHooks`.
//! **`needs_approval`** asks it with `"call_id"` and `"args"`, which is an object, from
//! the function that a tool has as `needs_approval`. **`mcp_approval_request`** asks it
//! with `"data"`, the `McpApprovalRequest`, from a `HostedMCPTool`'s
//! `on_approval_request`.
//!
//! **`invoke_handoff`** asks for a handoff, from a wrapped `on_invoke_handoff`:
//! `{"handoff": {"tool_name": "transfer_to_billing", "agent_name": "billing"}, "input_json": "{}"}`.
//! Its operation is `openai-agents/agent/handoff`.
//! **`on_handoff`** asks it with the names `"from_agent"` and `"to_agent"`, from hooks.
//!
//! **`tool_result`**, **`on_tool_end`** (both `"result"`) and **`tool_output_guardrail`**
//! (`"output"`) tell what a call gave, with the same `context`; **`tool_error`** tells
//! that it failed (`"error"`), and **`tool_cancelled`** that nobody knows. The SDK makes
//! a text for the model of what a tool raises, so only a wrapped tool can tell that it
//! failed. Other events of hooks pass; one that is not known is an error, and so is
//! `on_tool_start` without the call, as for `ShellTool` or `ComputerTool`.
//!
//! # What it answers
//!
//! * to `invoke_tool` and `invoke_handoff`: `{"action": "allow"}`, `{"action": "override",
//!   "arguments": "…"}` with a text that holds JSON, or `{"action": "reject", "message":
//!   "…"}`, which is the tool's result; a handoff can only raise it;
//! * to `tool_input_guardrail`: the fields of a `ToolGuardrailFunctionOutput`;
//! * to `on_tool_start` and `on_handoff`: `{"action": "allow"}` or `{"action": "raise",
//!   "message": "…"}`;
//! * to `needs_approval`: `{"needs_approval": false}` if it is allowed, `{"needs_approval":
//!   true, "message": "…", "seq": 7}` if a person has to approve it, and else
//!   `{"action": "reject", "message": "…"}` without that member;
//! * to `mcp_approval_request`: an `MCPToolApprovalFunctionResult`;
//! * to everything else: `{}`.
//!
//! Only a wrapped tool or handoff can be given other arguments, so anywhere else what
//! is allowed with others alone is an error, and `needs_approval` rejects it. Where the
//! tool is wrapped too, its call can be let through to that, which is answered by itself.

mod event;
mod fields;
mod reply;

use vak_sdk::adapter::{self, Adapter, AdapterError, Answer, Ended, Info, Intake, Request};

use crate::event::{Asked, Event, How};

#[derive(Default)]
struct OpenAiAgents;

impl Adapter for OpenAiAgents {
    fn describe(&self) -> Info {
        Info { framework: "openai-agents".to_owned(), versions: vec!["0.24.0".to_owned()], rewrites: true }
    }

    fn ingest(&self, event: &str) -> Result<Intake, AdapterError> {
        Ok(match Event::read(event)? {
            Event::Asks(_, asked) => Intake::Actions(vec![request(asked)]),
            Event::Ended { call, session, how } => Intake::Outcomes(vec![match how {
                How::Gave(output) => Ended::succeeded(call, session, output),
                How::Failed(why) => Ended::failed(call, session, why),
                How::Unknown(why) => Ended::unknown(call, session, why),
            }]),
            Event::Other => Intake::Pass,
        })
    }

    fn render(&self, event: &str, answers: &[Answer]) -> Result<String, AdapterError> {
        match Event::read(event)? {
            Event::Asks(by, _) => reply::to(by, adapter::one(answers)?),
            Event::Ended { .. } | Event::Other => adapter::each(0, answers).map(|_| "{}".to_owned()),
        }
    }
}

fn request(asked: Asked) -> Request {
    let Asked { call, session, operation, resource, arguments, labels } = asked;
    let operation = format!("openai-agents/{operation}");
    let labels = labels.into_iter().map(str::to_owned).collect();
    Request { call, session, operation, resource, arguments, labels }
}

vak_sdk::export_adapter!(OpenAiAgents);
