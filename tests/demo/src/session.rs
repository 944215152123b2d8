//! The scripted MCP client.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use indicatif::ProgressBar;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, Implementation, JsonObject,
    ProtocolVersion,
};
use rmcp::service::serve_client;
use serde_json::Value;
use tokio::process::Command;

use crate::site::Site;

/// How a scripted call has to end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    Well,
    Refused,
}

fn script() -> Vec<(&'static str, Value, Ends)> {
    let path = |path: &str| serde_json::json!({ "path": path });
    let write = |text: &str| serde_json::json!({ "path": "answer.txt", "content": text });
    vec![
        ("list_directory", path("."), Ends::Well),
        ("read_file", path("notes.txt"), Ends::Well),
        ("read_file", path(".env"), Ends::Refused),
        ("write_file", write("41"), Ends::Well),
        ("vak_calculator", serde_json::json!({ "expression": "6 * (3 + 4)" }), Ends::Well),
        ("write_file", write("42"), Ends::Well),
        ("write_file", write("43"), Ends::Refused),
        ("vak_hostile-skill", serde_json::json!({ "how": "spin" }), Ends::Refused),
        ("read_file", path("answer.txt"), Ends::Well),
    ]
}

/// Speaks MCP to the file server through `vak mcp`.
pub(crate) async fn run(site: &Site) -> Result<()> {
    let bar = ProgressBar::new_spinner().with_message("starting the host: verifying, compiling and baking components");
    bar.enable_steady_tick(Duration::from_millis(100));
    let mut gateway = Command::new(&site.vak);
    gateway.arg("mcp").arg("--config").arg(site.config()).arg("--").arg(&site.file_server);
    gateway.arg(site.folder.join("files"));
    let mut gateway = gateway.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let pipes = (gateway.stdout.take().context("no stdout")?, gateway.stdin.take().context("no stdin")?);
    let agent = Implementation::new("vak-demo", env!("CARGO_PKG_VERSION"));
    let client = ClientConfig::new(ClientCapabilities::default(), agent)
        .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE);
    let mut client = serve_client(client, pipes).await.context("the gateway did not start")?;
    bar.finish_and_clear();

    let tools = client.list_all_tools().await?;
    let tools: Vec<_> = tools.iter().map(|tool| &*tool.name).collect();
    println!("   tools: {}\n", tools.join(", "));
    for (tool, arguments, ends) in script() {
        let text = format!("{tool} {arguments}");
        let arguments: JsonObject = serde_json::from_value(arguments)?;
        let result = client.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments)).await?;
        let refused = result.is_error == Some(true);
        println!("   {} {text}\n       {}", if refused { "✗" } else { "✓" }, first_line(&result)?);
        ensure!(refused == (ends == Ends::Refused), "{text} ended otherwise than it should");
    }
    client.close().await?;
    let status = gateway.wait().await?;
    ensure!(status.success(), "`vak mcp` ended with {status}");
    Ok(())
}

fn first_line(result: &CallToolResult) -> Result<String> {
    let content = serde_json::to_value(&result.content)?;
    let text = content.pointer("/0/text").and_then(Value::as_str).unwrap_or_default();
    Ok(text.lines().collect::<Vec<_>>().join(", "))
}
