//! What the gateway adds to a tool call.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use rmcp::RoleClient;
use rmcp::model::{CallToolRequestParams, ClientCapabilities, ClientConfig, Implementation, ProtocolVersion};
use rmcp::service::{ClientLifecycleMode, RunningService, serve_client, serve_client_with_lifecycle};
use rmcp::transport::streamable_http_client::{StreamableHttpClientTransport, StreamableHttpClientTransportConfig};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use vak_test_support::{Site, binary};

use crate::machine::sync;
use crate::print::{Row, quantile};

const CALLS: usize = 3_000;

const RULES: &str = "[[rule]]\nid = 'read'\neffect = 'permit'\noperations = ['files/*']\n\
                     [[rule]]\nid = 'no-env'\neffect = 'forbid'\noperations = ['files/*']\n\
                     when = [{ argument = '/path', matches = '**/.env' }]";

/// p50 of `tools/call` through the gateway less that of the bare server. The
/// log only accepts here, so what is left is the gateway and not the disk.
pub(crate) fn rows() -> Vec<Row> {
    let site = Site::new().rules(RULES).section("[mcp]\nagent = 'bench'\nupstream = 'files'");
    let files = site.path().join("files");
    std::fs::create_dir(&files).unwrap();
    std::fs::write(files.join("a.txt"), "hello").unwrap();
    let server = binary("vak-file-server");
    let mut bare = Command::new(&server);
    bare.arg(&files);
    let gateway = |release: &str| {
        let mut gateway = Command::new(binary("vak"));
        gateway.args(["mcp", "--set", &format!("audit.release={release}"), "--config"]).arg(site.config());
        gateway.arg("--").arg(&server).arg(&files);
        gateway
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let p50 = |command| runtime.block_on(measure(command));
    let bare = p50(bare);
    let governed = p50(gateway("accepted"));
    let durable = p50(gateway("durable"));
    let sync = sync(site.path());
    let text = format!(
        "bare server {bare:.3} ms; with a durable log {durable:.3} ms, of which two syncs are {:.3} ms",
        2.0 * sync
    );
    let http = runtime.block_on(over_http(site.path(), gateway("accepted")));
    let over = format!("bare server on stdio {bare:.3} ms; the HTTP client's own time is in it");
    vec![
        Row::at_most("gateway beyond the bare server, p50", governed - bare, 0.3, "ms", text),
        Row::at_most("the same over HTTP, p50", http - bare, 0.5, "ms", over),
    ]
}

/// The same calls of the revision 2026-07-28 over HTTP, to the gateway of this
/// command, which gets a token in this folder.
async fn over_http(folder: &Path, gateway: Command) -> f64 {
    // The library's HTTP client has no cryptography of its own.
    rustls::crypto::ring::default_provider().install_default().unwrap_or_default();
    let (token, file) = ("0123456789abcdef0123456789abcdef", folder.join("token"));
    std::fs::write(&file, token).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let given = gateway.as_std();
    let words: Vec<_> = given.get_args().map(ToOwned::to_owned).collect();
    let (before, after) = words.split_at(words.iter().position(|word| word == "--").unwrap());
    let mut listening = Command::new(given.get_program());
    listening.args(before).args(["--listen", "127.0.0.1:0", "--token"]).arg(&file).args(after);
    let mut child = listening.stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    let url = loop {
        let line = stderr.next_line().await.unwrap().expect("the gateway listens");
        if let Some(url) = line.strip_prefix("serving MCP at ") {
            break url.to_owned();
        }
    };
    let config = StreamableHttpClientTransportConfig::with_uri(url).auth_header(token);
    let transport = StreamableHttpClientTransport::from_config(config);
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    let lifecycle = ClientLifecycleMode::Discover { preferred_versions };
    let mut client = serve_client_with_lifecycle(me(), transport, lifecycle).await.unwrap();
    let p50 = calls(&client).await;
    client.close().await.unwrap();
    p50
}

fn me() -> ClientConfig {
    ClientConfig::new(ClientCapabilities::default(), Implementation::new("bench", "0"))
        .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
}

async fn measure(mut command: Command) -> f64 {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let pipes = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
    let mut client = serve_client(me(), pipes).await.unwrap();
    let p50 = calls(&client).await;
    client.close().await.unwrap();
    child.wait().await.unwrap();
    p50
}

async fn calls(client: &RunningService<RoleClient, ClientConfig>) -> f64 {
    let mut millis = Vec::with_capacity(CALLS);
    for turn in 0..CALLS + 200 {
        let arguments = serde_json::from_str(r#"{"path": "a.txt"}"#).unwrap();
        let start = Instant::now();
        let result = client.call_tool(CallToolRequestParams::new("read_file").with_arguments(arguments)).await.unwrap();
        assert_ne!(result.is_error, Some(true), "{result:?}");
        if turn >= 200 {
            millis.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    quantile(&mut millis, 0.5)
}
