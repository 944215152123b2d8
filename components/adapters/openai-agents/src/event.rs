//! What the Python side sends.

use serde_json::value::RawValue;
use vak_sdk::adapter::{AdapterError, need, object};

use crate::fields::{Context, Fields, Handoff, McpApprovalRequest, Origin, Tool, parse};

/// One event.
pub(crate) enum Event<'a> {
    /// Something is about to be done.
    Asks(By, Asked),
    /// A call has ended.
    Ended { call: String, session: Option<String>, how: How<'a> },
    /// Nothing is about to be done.
    Other,
}

/// Who asks, which is who has to be answered.
#[derive(Clone, Copy)]
pub(crate) enum By {
    /// A wrapped tool or handoff.
    Wrapper,
    Guardrail,
    Hook,
    NeedsApproval,
    McpApproval,
}

/// What is asked for.
pub(crate) struct Asked {
    pub(crate) call: Option<String>,
    pub(crate) session: Option<String>,
    pub(crate) operation: String,
    pub(crate) resource: String,
    pub(crate) arguments: String,
    pub(crate) labels: Vec<&'static str>,
}

/// How a call ended.
pub(crate) enum How<'a> {
    Gave(&'a str),
    Failed(String),
    Unknown(String),
}

/// Events of hooks upon which nothing is done that a policy could have an opinion on.
const OTHERS: [&str; 6] = ["on_agent_end", "on_agent_start", "on_end", "on_llm_end", "on_llm_start", "on_start"];

impl<'a> Event<'a> {
    /// An event that is not known is an error: it could be one before something
    /// is done.
    pub(crate) fn read(text: &'a str) -> Result<Self, AdapterError> {
        let mut fields: Fields<'a> = parse("the message", text)?;
        let name = need(fields.event.take(), "event")?;
        match &*name {
            "invoke_tool" => Ok(Self::Asks(By::Wrapper, fields.called()?)),
            "tool_input_guardrail" => Ok(Self::Asks(By::Guardrail, fields.called()?)),
            "on_tool_start" => Ok(Self::Asks(By::Hook, fields.called()?)),
            "needs_approval" => Ok(Self::Asks(By::NeedsApproval, fields.approved()?)),
            "mcp_approval_request" => Ok(Self::Asks(By::McpApproval, fields.hosted()?)),
            "invoke_handoff" => Ok(Self::Asks(By::Wrapper, fields.handed()?)),
            "on_handoff" => Ok(Self::Asks(By::Hook, fields.handed_over()?)),
            "tool_result" | "on_tool_end" => {
                let result = need(fields.result, "result")?;
                fields.ended(How::Gave(result.get()))
            }
            "tool_output_guardrail" => {
                let output = need(fields.output, "output")?;
                fields.ended(How::Gave(output.get()))
            }
            "tool_error" => {
                let error = need(fields.error.take(), "error")?;
                fields.ended(How::Failed(error))
            }
            "tool_cancelled" => fields.ended(How::Unknown("the call was cancelled".to_owned())),
            other if OTHERS.contains(&other) => Ok(Self::Other),
            other => Err(AdapterError::unknown(format!("`{other}` is no event that this adapter knows"))),
        }
    }
}

impl<'a> Fields<'a> {
    fn called(self) -> Result<Asked, AdapterError> {
        let context: Context = parse("`context`", need(self.context, "context")?.get())?;
        let name = need(context.tool_name, "context.tool_name")?;
        let arguments = need(context.tool_arguments, "context.tool_arguments")?;
        let call = need(context.tool_call_id, "context.tool_call_id")?;
        // A tool without parameters may be called with no text at all.
        let arguments = if arguments.is_empty() { "{}".to_owned() } else { arguments };
        object("`context.tool_arguments`", &arguments)?;
        asked(self.tool, self.session_id, (name, context.tool_namespace), call, arguments)
    }

    fn approved(self) -> Result<Asked, AdapterError> {
        let tool: Tool<'_> = parse("`tool`", need(self.tool, "tool")?.get())?;
        let arguments = object("`args`", need(self.args, "args")?.get())?.to_owned();
        let name = (need(tool.name, "tool.name")?, tool.namespace);
        asked(self.tool, self.session_id, name, need(self.call_id, "call_id")?, arguments)
    }

    fn hosted(self) -> Result<Asked, AdapterError> {
        let request: McpApprovalRequest = parse("`data`", need(self.data, "data")?.get())?;
        if need(request.r#type, "data.type")? != "mcp_approval_request" {
            return Err(AdapterError::malformed("`data` is of another type"));
        }
        let (name, server) = (need(request.name, "data.name")?, need(request.server_label, "data.server_label")?);
        let arguments = need(request.arguments, "data.arguments")?;
        object("`data.arguments`", &arguments)?;
        let call = need(request.id, "data.id")?;
        let mut asked = asked(None, self.session_id, (name, None), call, arguments)?;
        asked.resource = format!("mcp:{server}/{}", asked.operation);
        asked.labels.extend(["mcp", "hosted"]);
        Ok(asked)
    }

    fn handed(self) -> Result<Asked, AdapterError> {
        let handoff: Handoff = parse("`handoff`", need(self.handoff, "handoff")?.get())?;
        let to = need(handoff.agent_name, "handoff.agent_name")?;
        // One without input may be called with no text at all.
        let input = self.input_json.filter(|input| !input.is_empty()).unwrap_or_else(|| "{}".to_owned());
        object("`input_json`", &input)?;
        Ok(handoff_to(&to, self.session_id, input))
    }

    fn handed_over(self) -> Result<Asked, AdapterError> {
        let (from, to) = (need(self.from_agent, "from_agent")?, need(self.to_agent, "to_agent")?);
        let arguments = serde_json::json!({ "from": from }).to_string();
        Ok(handoff_to(&to, self.session_id, arguments))
    }

    fn ended(self, how: How<'a>) -> Result<Event<'a>, AdapterError> {
        let context: Context = parse("`context`", need(self.context, "context")?.get())?;
        let call = need(context.tool_call_id, "context.tool_call_id")?;
        Ok(Event::Ended { call, session: self.session_id, how })
    }
}

/// A call of a tool by its name and namespace.
fn asked(
    tool: Option<&RawValue>,
    session: Option<String>,
    (name, namespace): (String, Option<String>),
    call: String,
    arguments: String,
) -> Result<Asked, AdapterError> {
    let tool: Option<Tool<'_>> = tool.map(|tool| parse("`tool`", tool.get())).transpose()?;
    let origin = tool.and_then(|tool| tool.origin).filter(|origin| origin.get() != "null");
    let origin: Option<Origin> = origin.map(|origin| parse("`tool.origin`", origin.get())).transpose()?;
    let (mut resource, mut labels) = (format!("tool:{name}"), Vec::new());
    match origin.as_ref().and_then(|origin| origin.r#type.as_deref()) {
        None | Some("function") => {}
        Some("agent_as_tool") => labels.push("agent-as-tool"),
        Some("mcp") => {
            let server = origin.and_then(|origin| origin.mcp_server_name);
            resource = format!("mcp:{}/{name}", need(server, "tool.origin.mcp_server_name")?);
            labels.push("mcp");
        }
        Some(other) => return Err(AdapterError::malformed(format!("`tool.origin` is of the type `{other}`"))),
    }
    // Models name tools without slashes, so no tool is called as a handoff is.
    if name.contains('/') {
        return Err(AdapterError::malformed(format!("a tool is called `{name}`")));
    }
    let operation = match namespace {
        Some(namespace) => format!("{namespace}.{name}"),
        None => name,
    };
    Ok(Asked { call: Some(call), session, operation, resource, arguments, labels })
}

fn handoff_to(agent: &str, session: Option<String>, arguments: String) -> Asked {
    let (operation, resource) = ("agent/handoff".to_owned(), format!("agent:{agent}"));
    Asked { call: None, session, operation, resource, arguments, labels: Vec::new() }
}
