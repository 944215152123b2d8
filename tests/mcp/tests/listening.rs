//! A gateway that is reached over HTTP, and a client that sends whatever it likes.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rmcp::RoleClient;
use rmcp::model::{ClientCapabilities, ClientConfig, Implementation, ProtocolVersion};
use rmcp::service::{ClientLifecycleMode, RunningService, serve_client_with_lifecycle};
use rmcp::transport::streamable_http_client::{StreamableHttpClientTransport, StreamableHttpClientTransportConfig};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use vak_test_support::{Site, binary};

pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// `vak mcp --listen`, or `vak serve`, on a free port.
pub(crate) struct Listening {
    child: Child,
    stderr: std::process::ChildStderr,
    pub(crate) address: SocketAddr,
}

/// What a request was answered with.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Lines, names in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

/// A file with `token` that is its owner's alone.
pub(crate) fn token_file(site: &Site, token: &str) -> PathBuf {
    let path = site.path().join("token");
    std::fs::remove_file(&path).unwrap_or_default();
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
    file.write_all(token.as_bytes()).unwrap();
    path
}

/// The command of a gateway that listens at `address`.
pub(crate) fn command(site: &Site, address: &str, upstream: &[OsString]) -> Command {
    let mut command = Command::new(binary("vak"));
    command.arg("mcp").arg("--config").arg(site.config()).args(["--listen", address, "--token"]);
    command.arg(site.path().join("token"));
    if !upstream.is_empty() {
        command.arg("--").args(upstream);
    }
    command
}

impl Listening {
    pub(crate) fn start(site: &Site, upstream: &[OsString]) -> Self {
        token_file(site, TOKEN);
        let mut child = command(site, "127.0.0.1:0", upstream).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let address = told_by(&mut stderr, "serving MCP at http://").strip_suffix("/mcp").unwrap().parse().unwrap();
        Self { child, stderr, address }
    }

    /// `vak serve`.
    pub(crate) fn serve(site: &Site) -> Self {
        let mut command = Command::new(binary("vak"));
        command.arg("serve").arg("--config").arg(site.config()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let address = told_by(child.stdout.as_mut().unwrap(), "listening on http://").parse().unwrap();
        Self { child, stderr, address }
    }

    /// The library's client.
    pub(crate) async fn client(&self, lifecycle: ClientLifecycleMode) -> RunningService<RoleClient, ClientConfig> {
        // The library's HTTP client has none of its own. Another test may have been first.
        rustls::crypto::ring::default_provider().install_default().unwrap_or_default();
        let config = StreamableHttpClientTransportConfig::with_uri(self.url()).auth_header(TOKEN);
        let transport = StreamableHttpClientTransport::from_config(config);
        let me = ClientConfig::new(ClientCapabilities::default(), Implementation::new("test", "0"))
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE);
        serve_client_with_lifecycle(me, transport, lifecycle).await.unwrap()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// Opens a connection and sends this.
    pub(crate) fn send(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    }

    /// The text of a request with a token and these headers, which may replace it.
    pub(crate) fn request(&self, method: &str, headers: &[(&str, &str)], body: &str) -> String {
        self.request_at("/mcp", method, headers, body)
    }

    fn request_at(&self, path: &str, method: &str, headers: &[(&str, &str)], body: &str) -> String {
        let mut lines = vec![
            ("Host".to_owned(), self.address.to_string()),
            ("Connection".to_owned(), "close".to_owned()),
            ("Authorization".to_owned(), format!("Bearer {TOKEN}")),
            ("Accept".to_owned(), "application/json, text/event-stream".to_owned()),
            ("Content-Type".to_owned(), "application/json".to_owned()),
            ("Content-Length".to_owned(), body.len().to_string()),
        ];
        for (name, value) in headers {
            // `+` adds one beside it, and nothing leaves it out.
            match name.strip_prefix('+') {
                Some(name) => lines.push((name.to_owned(), (*value).to_owned())),
                None => {
                    lines.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
                    lines.extend((!value.is_empty()).then(|| ((*name).to_owned(), (*value).to_owned())));
                }
            }
        }
        let lines: String = lines.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{method} {path} HTTP/1.1\r\n{lines}\r\n{body}")
    }

    /// Sends a request and reads the whole answer.
    pub(crate) fn ask(&self, method: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        read(self.send(&self.request(method, headers, body)))
    }

    /// The same of what else is served there, with this token.
    pub(crate) fn ask_at(&self, path: &str, method: &str, token: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        read(self.send(&self.request_at(path, method, &[("Authorization", &bearer)], body)))
    }

    /// Sends a signal, and waits for nothing.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub(crate) fn post(&self, headers: &[(&str, &str)], message: &Value) -> Answer {
        self.ask("POST", headers, &message.to_string())
    }

    /// Begins a session of the revision 2025-11-25 and gives its id.
    pub(crate) fn begin(&self) -> String {
        let answer = self.post(&[], &initialize());
        assert_eq!(answer.status, 200, "{answer:?}");
        let id = answer.header("mcp-session-id").unwrap_or_else(|| panic!("{answer:?}")).to_owned();
        let done = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(self.post(&[("Mcp-Session-Id", &id)], &done).status, 202);
        id
    }

    /// Asks the process to stop and waits for its end; gives what it said.
    pub(crate) fn stop(mut self) -> String {
        self.signal(Signal::TERM);
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        assert!(self.child.wait().unwrap().success(), "{said}");
        said
    }
}

/// What stands behind `start` in the first line that begins so.
fn told_by(output: &mut impl std::io::Read, start: &str) -> String {
    let mut said = String::new();
    // Byte by byte: what comes after is somebody else's to read.
    loop {
        let mut byte = [0];
        assert!(output.read(&mut byte).unwrap() > 0, "{said}");
        said.push(byte[0].into());
        if byte == *b"\n"
            && let Some(told) = said.lines().last().and_then(|line| line.strip_prefix(start))
        {
            return told.to_owned();
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The message in the body, of an event stream the last one.
    pub(crate) fn message(&self) -> Value {
        let mut events = self.body.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
        let text = events.rfind(|data| !data.is_empty()).unwrap_or(&self.body);
        serde_json::from_str(text).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

/// How clients begin in each revision.
pub(crate) fn lifecycles() -> [ClientLifecycleMode; 2] {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    [ClientLifecycleMode::Initialize, ClientLifecycleMode::Discover { preferred_versions }]
}

/// Reads an answer to its end.
pub(crate) fn read(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let head: String = head.to_lowercase();
    let body = match head.contains("transfer-encoding: chunked") {
        true => whole(body),
        false => body.to_owned(),
    };
    Answer { status, head, body }
}

/// The chunks of a body together.
fn whole(mut chunks: &str) -> String {
    let mut body = String::new();
    while let Some((size, rest)) = chunks.split_once("\r\n") {
        let Ok(size) = usize::from_str_radix(size.trim(), 16) else { break };
        body += rest.get(..size).unwrap_or(rest);
        chunks = rest.get(size + 2..).unwrap_or("");
    }
    body
}

pub(crate) fn initialize() -> Value {
    let client = json!({ "name": "raw", "version": "0" });
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params })
}

pub(crate) fn call(id: i64, tool: &str, arguments: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool, "arguments": arguments } })
}

/// The same in the revision 2026-07-28, with the headers that go with it.
pub(crate) fn stateless(mut message: Value) -> (Vec<(&'static str, String)>, Value) {
    let version = "2026-07-28";
    message["params"]["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientInfo": { "name": "raw", "version": "0" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let mut headers = vec![("MCP-Protocol-Version", version.to_owned())];
    headers.push(("Mcp-Method", message["method"].as_str().unwrap().to_owned()));
    if let Some(name) = message["params"]["name"].as_str().or(message["params"]["uri"].as_str()) {
        headers.push(("Mcp-Name", name.to_owned()));
    }
    (headers, message)
}

/// Headers as [`Listening::ask`] takes them.
pub(crate) fn borrowed<'a>(headers: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    headers.iter().map(|(name, value)| (*name, value.as_str())).collect()
}
