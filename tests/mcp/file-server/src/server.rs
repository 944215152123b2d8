//! The tools as MCP has them.

use std::sync::Arc;

use cap_std::fs::Dir;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, Implementation, JsonObject,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool, ToolAnnotations, ToolsCapability,
};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler};
use serde_json::Value;

use crate::files;

/// Serves the files below a folder. `cap-std` keeps paths and links inside.
pub(crate) struct FileServer {
    root: Arc<Dir>,
}

impl FileServer {
    pub(crate) fn new(root: Arc<Dir>) -> Self {
        Self { root }
    }
}

fn tools() -> Vec<Tool> {
    let path = || ("path", rmcp::object!({ "type": "string", "description": "A path below the root." }));
    let content = ("content", rmcp::object!({ "type": "string" }));
    let read_only = ToolAnnotations::new().read_only(true);
    let replaces = ToolAnnotations::new().destructive(true).idempotent(true);
    vec![
        Tool::new("list_directory", "Lists a folder; names of folders end in a slash.", schema([path()]))
            .with_annotations(read_only.clone()),
        Tool::new("read_file", "Reads a text file.", schema([path()])).with_annotations(read_only),
        Tool::new("write_file", "Writes a text file, replacing what it held.", schema([path(), content]))
            .with_annotations(replaces),
    ]
}

fn schema<const N: usize>(properties: [(&str, JsonObject); N]) -> JsonObject {
    let required: Vec<_> = properties.iter().map(|(name, _)| *name).collect();
    let required = Value::from(required);
    let properties = properties.into_iter().map(|(name, schema)| (name.to_owned(), Value::Object(schema)));
    let properties: JsonObject = properties.collect();
    rmcp::object!({ "type": "object", "properties": properties, "required": required })
}

fn run(root: &Dir, tool: &str, arguments: &JsonObject) -> Result<CallToolResult, ErrorData> {
    let text = |name: &str| {
        let text = arguments.get(name).and_then(Value::as_str);
        text.ok_or_else(|| ErrorData::invalid_params(format!("the argument `{name}` is missing or not a text"), None))
    };
    let done = match tool {
        "list_directory" => files::list(root, text("path")?),
        "read_file" => files::read(root, text("path")?),
        "write_file" => files::write(root, text("path")?, text("content")?),
        other => return Err(ErrorData::invalid_params(format!("there is no tool `{other}`"), None)),
    };
    Ok(match done {
        Ok(text) => CallToolResult::success(vec![ContentBlock::text(text)]),
        Err(error) => CallToolResult::error(vec![ContentBlock::text(error.to_string())]),
    })
}

impl ServerHandler for FileServer {
    fn get_info(&self) -> ServerConfig {
        let mut capabilities = ServerCapabilities::default();
        capabilities.tools = Some(ToolsCapability::default());
        let me = Implementation::new("vak-file-server", env!("CARGO_PKG_VERSION"));
        ServerConfig::new(capabilities).with_server_info(me)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools()))
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let root = Arc::clone(&self.root);
        let arguments = params.arguments.unwrap_or_default();
        let call = tokio::task::spawn_blocking(move || run(&root, &params.name, &arguments));
        let failed = |_| ErrorData::internal_error("the tool failed", None);
        Ok(call.await.map_err(failed)??.into())
    }
}
