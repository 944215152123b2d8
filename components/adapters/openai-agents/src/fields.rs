//! The objects of the SDK, as far as they matter.

use serde::Deserialize;
use serde_json::value::RawValue;
use vak_sdk::adapter::{AdapterError, object};

#[derive(Deserialize)]
pub(crate) struct Fields<'a> {
    pub(crate) event: Option<String>,
    pub(crate) session_id: Option<String>,
    #[serde(borrow)]
    pub(crate) context: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) tool: Option<&'a RawValue>,
    pub(crate) call_id: Option<String>,
    #[serde(borrow)]
    pub(crate) args: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) data: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) handoff: Option<&'a RawValue>,
    pub(crate) input_json: Option<String>,
    pub(crate) from_agent: Option<String>,
    pub(crate) to_agent: Option<String>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(crate) result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(crate) output: Option<&'a RawValue>,
    pub(crate) error: Option<String>,
}

/// A field that is there, be it `null`.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// A `ToolContext`.
#[derive(Deserialize)]
pub(crate) struct Context {
    pub(crate) tool_name: Option<String>,
    pub(crate) tool_call_id: Option<String>,
    pub(crate) tool_arguments: Option<String>,
    pub(crate) tool_namespace: Option<String>,
}

/// A tool.
#[derive(Deserialize)]
pub(crate) struct Tool<'a> {
    pub(crate) name: Option<String>,
    pub(crate) namespace: Option<String>,
    #[serde(borrow)]
    pub(crate) origin: Option<&'a RawValue>,
}

/// A `ToolOrigin`.
#[derive(Deserialize)]
pub(crate) struct Origin {
    pub(crate) r#type: Option<String>,
    pub(crate) mcp_server_name: Option<String>,
}

/// An `McpApprovalRequest`.
#[derive(Deserialize)]
pub(crate) struct McpApprovalRequest {
    pub(crate) id: Option<String>,
    pub(crate) arguments: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) server_label: Option<String>,
    pub(crate) r#type: Option<String>,
}

/// A `Handoff`.
#[derive(Deserialize)]
pub(crate) struct Handoff {
    pub(crate) agent_name: Option<String>,
}

pub(crate) fn parse<'a, T: Deserialize<'a>>(name: &str, text: &'a str) -> Result<T, AdapterError> {
    serde_json::from_str(object(name, text)?).map_err(|error| AdapterError::malformed(format!("{name}: {error}")))
}
