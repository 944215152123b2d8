//! What can be asked of an upstream, and the operations that those are.

use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, ClientRequest, GetPromptRequest, GetPromptRequestParams,
    GetPromptResult, JsonObject, ListResourceTemplatesRequest, ListResourcesRequest, MetaObject, Prompt,
    ReadResourceRequest, ReadResourceRequestParams, ReadResourceResult, Resource, ResourceTemplate, ServerResult,
};
use serde::Serialize;
use serde_json::Value;
use vak_types::Name;

use super::connection::{Abandon, Connection};
use super::error::RequestError;
use super::pages::List;
use super::routes::ProgressTarget;
use super::tools;
use super::upstream::Upstream;

/// What is asked, beside what stands in the arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    /// The call of a tool, with the tool's own arguments.
    Tool(String),
    /// The list of resources.
    Resources,
    /// The list of templates for the addresses of resources.
    Templates,
    /// The resource with the address `/uri`.
    Resource,
    /// The list of prompts.
    Prompts,
    /// The prompt `/name`, with the texts `/arguments`.
    Prompt,
}

/// What an upstream gave.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Given {
    Tool(CallToolResult),
    Resources(Vec<Resource>),
    Templates(Vec<ResourceTemplate>),
    Resource(ReadResourceResult),
    Prompts(Vec<Prompt>),
    Prompt(GetPromptResult),
}

impl Given {
    /// What is said of it, where it is no list.
    pub(crate) fn meta(&mut self) -> Option<&mut Option<MetaObject>> {
        match self {
            Self::Tool(result) => Some(&mut result.meta),
            Self::Resource(result) => Some(&mut result.meta),
            Self::Prompt(result) => Some(&mut result.meta),
            Self::Resources(_) | Self::Templates(_) | Self::Prompts(_) => None,
        }
    }

    /// What a tool says that went wrong, if it reports an error.
    pub(crate) fn reported_error(&self) -> Option<&str> {
        let Self::Tool(CallToolResult { is_error: Some(true), content, .. }) = self else { return None };
        let text = content.iter().find_map(|block| block.as_text());
        Some(text.map_or("(no text)", |text| text.text.as_str()))
    }
}

impl Wish {
    /// The call of a tool that an upstream may have. Only the name decides.
    pub(crate) fn tool(name: &str) -> Option<Self> {
        (!tools::is_reserved(name)).then(|| Self::Tool(name.to_owned()))
    }

    /// The operation. No tool is called as the others are.
    pub(crate) fn operation(&self, upstream: &Name) -> String {
        let what = match self {
            Self::Tool(tool) => tool,
            Self::Resources => "resources/list",
            Self::Templates => "resources/templates/list",
            Self::Resource => "resources/read",
            Self::Prompts => "prompts/list",
            Self::Prompt => "prompts/get",
        };
        format!("{upstream}/{what}")
    }

    /// Asks for it, with the arguments that were judged.
    pub(crate) async fn ask(
        &self,
        arguments: JsonObject,
        upstream: &Upstream,
        connection: &Connection,
        progress: Option<ProgressTarget>,
        abandon: &Abandon,
    ) -> Result<Given, RequestError> {
        let unexpected = |wanted| RequestError::Unexpected { upstream: connection.upstream.clone(), wanted };
        match self {
            Self::Tool(tool) => {
                let params = CallToolRequestParams::new(tool.clone()).with_arguments(arguments);
                let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
                match connection.request(request, progress, abandon).await? {
                    ServerResult::CallToolResult(result) => Ok(Given::Tool(result)),
                    _ => Err(unexpected("a tool result")),
                }
            }
            Self::Resources => Ok(Given::Resources(RESOURCES.all(connection, abandon).await?)),
            Self::Templates => Ok(Given::Templates(TEMPLATES.all(connection, abandon).await?)),
            Self::Prompts => Ok(Given::Prompts(upstream.prompts.list(connection, abandon).await?)),
            Self::Resource => {
                let params = ReadResourceRequestParams::new(text(&arguments, "uri"));
                let request = ClientRequest::ReadResourceRequest(ReadResourceRequest::new(params));
                match connection.request(request, None, abandon).await? {
                    ServerResult::ReadResourceResult(result) => Ok(Given::Resource(result)),
                    _ => Err(unexpected("a resource")),
                }
            }
            Self::Prompt => {
                let mut params = GetPromptRequestParams::new(text(&arguments, "name"));
                params.arguments = arguments.get("arguments").and_then(Value::as_object).cloned();
                let request = ClientRequest::GetPromptRequest(GetPromptRequest::new(params));
                match connection.request(request, None, abandon).await? {
                    ServerResult::GetPromptResult(result) => Ok(Given::Prompt(result)),
                    _ => Err(unexpected("a prompt")),
                }
            }
        }
    }
}

/// A text among the arguments. Policies may put another in its place; what they
/// take away is asked for as nothing.
pub(crate) fn text<'a>(arguments: &'a JsonObject, name: &str) -> &'a str {
    arguments.get(name).and_then(Value::as_str).unwrap_or_default()
}

const RESOURCES: List<Resource> = List {
    what: "resources",
    request: |params| ClientRequest::ListResourcesRequest(ListResourcesRequest::with_param(params)),
    page: |answer| match answer {
        ServerResult::ListResourcesResult(page) => Some((page.resources, page.next_cursor)),
        _ => None,
    },
};

const TEMPLATES: List<ResourceTemplate> = List {
    what: "resource templates",
    request: |params| ClientRequest::ListResourceTemplatesRequest(ListResourceTemplatesRequest::with_param(params)),
    page: |answer| match answer {
        ServerResult::ListResourceTemplatesResult(page) => Some((page.resource_templates, page.next_cursor)),
        _ => None,
    },
};
