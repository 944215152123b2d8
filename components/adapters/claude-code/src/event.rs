//! What Claude Code gives a hook.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use vak_sdk::adapter::{AdapterError, need, object};

/// One event.
pub(crate) enum Event<'a> {
    /// A tool is about to be used.
    Before(Tool<'a>),
    /// It was used, and gave this.
    After { session: String, call: String, output: &'a RawValue },
    /// It was used, and failed.
    Failed { session: String, call: String, error: String },
    /// Nothing is about to be done.
    Other,
}

/// A tool that is about to be used.
pub(crate) struct Tool<'a> {
    pub(crate) session: String,
    pub(crate) call: String,
    pub(crate) name: String,
    pub(crate) input: &'a RawValue,
    /// Whether an agent uses it that another one started.
    pub(crate) subagent: bool,
    /// Whether this version is known to take other input for it.
    pub(crate) takes_input: bool,
}

/// The fields that are needed of any of them; what else there is does not matter.
#[derive(Deserialize)]
struct Fields<'a> {
    hook_event_name: Option<Cow<'a, str>>,
    session_id: Option<String>,
    tool_name: Option<String>,
    tool_use_id: Option<String>,
    #[serde(borrow)]
    tool_input: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_response: Option<&'a RawValue>,
    error: Option<String>,
    agent_id: Option<Cow<'a, str>>,
    prompt_id: Option<Cow<'a, str>>,
}

/// Events upon which nothing is done that a policy could have an opinion on.
const OTHERS: [&str; 17] = [
    "UserPromptSubmit",
    "UserPromptExpansion",
    "SessionStart",
    "SessionEnd",
    "Stop",
    "StopFailure",
    "SubagentStart",
    "SubagentStop",
    "PreCompact",
    "PostCompact",
    "Notification",
    "MessageDisplay",
    "InstructionsLoaded",
    "PermissionRequest",
    "PermissionDenied",
    "PostToolBatch",
    "PostModelSwitch",
];

impl<'a> Event<'a> {
    /// An event that is not known is an error: it could be one before something
    /// is done.
    pub(crate) fn read(text: &'a str) -> Result<Self, AdapterError> {
        let fields: Result<Fields<'a>, _> = serde_json::from_str(object("the message", text)?);
        let fields = fields.map_err(|error| AdapterError::malformed(error.to_string()))?;
        let name = need(fields.hook_event_name, "hook_event_name")?;
        match &*name {
            "PreToolUse" => {
                let input = need(fields.tool_input, "tool_input")?;
                object("`tool_input`", input.get())?;
                Ok(Self::Before(Tool {
                    session: need(fields.session_id, "session_id")?,
                    call: need(fields.tool_use_id, "tool_use_id")?,
                    name: need(fields.tool_name, "tool_name")?,
                    input,
                    subagent: fields.agent_id.is_some(),
                    // No version says which it is. 2.1.120 takes other input, as those
                    // after it that were tried, and does not tell this yet.
                    takes_input: fields.prompt_id.is_some(),
                }))
            }
            "PostToolUse" => Ok(Self::After {
                session: need(fields.session_id, "session_id")?,
                call: need(fields.tool_use_id, "tool_use_id")?,
                output: need(fields.tool_response, "tool_response")?,
            }),
            "PostToolUseFailure" => Ok(Self::Failed {
                session: need(fields.session_id, "session_id")?,
                call: need(fields.tool_use_id, "tool_use_id")?,
                error: need(fields.error, "error")?,
            }),
            other if OTHERS.contains(&other) => Ok(Self::Other),
            other => Err(AdapterError::unknown(format!("`{other}` is no event that this adapter knows"))),
        }
    }
}

/// What a tool is used on, as its input says, where it is known where that stands.
pub(crate) fn resource(tool: &str, input: &RawValue) -> String {
    #[derive(Deserialize)]
    struct Targets<'a> {
        file_path: Option<Cow<'a, str>>,
        notebook_path: Option<Cow<'a, str>>,
        path: Option<Cow<'a, str>>,
        url: Option<Cow<'a, str>>,
    }

    let targets: Option<Targets<'_>> = serde_json::from_str(input.get()).ok();
    let target = targets.and_then(|targets| match tool {
        "Read" | "Write" | "Edit" | "MultiEdit" => targets.file_path.map(|path| format!("file:{path}")),
        "NotebookEdit" => targets.notebook_path.map(|path| format!("file:{path}")),
        "Glob" | "Grep" | "LS" => targets.path.map(|path| format!("file:{path}")),
        "WebFetch" => targets.url.map(Cow::into_owned),
        _ => None,
    });
    target.unwrap_or_else(|| format!("tool:{tool}"))
}
