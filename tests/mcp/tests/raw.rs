//! A client that sends whatever lines it likes.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vak_test_support::{Site, binary};

/// Longer than anything takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A session with `vak mcp`.
pub(crate) struct Session {
    child: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    stderr: Option<std::thread::JoinHandle<String>>,
    kept: Vec<Value>,
    next_id: i64,
    /// What the gateway offers, as it said.
    pub(crate) capabilities: Value,
}

/// What is left of a session.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
    /// Messages that nobody asked for.
    pub(crate) rest: Vec<Value>,
}

impl Session {
    /// Starts the gateway and says `initialize`.
    pub(crate) fn start(site: &Site, upstream: &[OsString]) -> Self {
        let mut session = Self::silent(site, upstream);
        session.initialize();
        session
    }

    /// Starts the gateway.
    pub(crate) fn silent(site: &Site, upstream: &[OsString]) -> Self {
        let mut command = Command::new(binary("vak"));
        command.arg("mcp").arg("--config").arg(site.config()).arg("--").args(upstream);
        Self::of(command)
    }

    /// Starts a gateway.
    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (output, mut errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Nothing but the protocol may be on standard output.
                let message = serde_json::from_str(&line).unwrap_or_else(|_| json!({ "not JSON": line }));
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let stderr = std::thread::spawn(move || {
            let mut text = String::new();
            errors.read_to_string(&mut text).unwrap();
            text
        });
        let input = child.stdin.take();
        Self { child, input, messages, stderr: Some(stderr), kept: Vec::new(), next_id: 1, capabilities: Value::Null }
    }

    pub(crate) fn initialize(&mut self) {
        self.initialize_able(&json!({}));
    }

    /// Says `initialize` with what the client is able to do.
    pub(crate) fn initialize_able(&mut self, able: &Value) {
        let client = json!({ "name": "raw", "version": "0" });
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": able, "clientInfo": client });
        let answer = self.ask("initialize", &params);
        self.capabilities = answer["result"]["capabilities"].clone();
        assert_eq!(self.capabilities["tools"], json!({ "listChanged": true }), "{answer}");
        self.notify("notifications/initialized", &json!({}));
    }

    /// The process's id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a line as it is.
    pub(crate) fn line(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(line.as_bytes()).and_then(|()| input.write_all(b"\n")).unwrap();
    }

    pub(crate) fn notify(&mut self, method: &str, params: &Value) {
        self.line(&json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string());
    }

    /// Sends a request and gives its id.
    pub(crate) fn send(&mut self, method: &str, params: &Value) -> i64 {
        let id = self.next_id;
        self.next_id += 1;
        self.line(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string());
        id
    }

    pub(crate) fn send_call(&mut self, tool: &str, arguments: &Value) -> i64 {
        self.send("tools/call", &json!({ "name": tool, "arguments": arguments }))
    }

    pub(crate) fn ask(&mut self, method: &str, params: &Value) -> Value {
        let id = self.send(method, params);
        self.answer(Some(id))
    }

    /// Calls a tool; gives what a model would read, and whether it is an error.
    pub(crate) fn call(&mut self, tool: &str, arguments: &Value) -> (bool, String) {
        let id = self.send_call(tool, arguments);
        told(&self.answer(Some(id)))
    }

    /// The names of the tools, or the error.
    pub(crate) fn tools(&mut self) -> Result<Vec<String>, String> {
        let answer = self.ask("tools/list", &json!({}));
        match answer["result"]["tools"].as_array() {
            Some(tools) => Ok(tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()),
            None => Err(answer["error"]["message"].as_str().unwrap().to_owned()),
        }
    }

    /// Waits for the answer to the request `id`; `None` for an answer without
    /// an id.
    pub(crate) fn answer(&mut self, id: Option<i64>) -> Value {
        let id = id.map_or(Value::Null, Value::from);
        let wanted = |message: &Value| message.get("method").is_none() && message["id"] == id;
        if let Some(at) = self.kept.iter().position(wanted) {
            return self.kept.remove(at);
        }
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let message = self.messages.recv_timeout(left);
            let message = message.unwrap_or_else(|error| panic!("no answer to {id}: {error}; got {:?}", self.kept));
            match wanted(&message) {
                true => return message,
                false => self.kept.push(message),
            }
        }
    }

    /// The next request that the gateway has for the client.
    pub(crate) fn asked(&mut self) -> Value {
        loop {
            let message = self.messages.recv_timeout(PATIENCE).unwrap();
            match message.get("method").is_some() && message.get("id").is_some() {
                true => return message,
                false => self.kept.push(message),
            }
        }
    }

    /// Waits until the gateway has said this without being asked.
    pub(crate) fn hears(&mut self, method: &str) {
        let wanted = |message: &Value| message["method"] == method;
        while !self.kept.iter().any(wanted) {
            let message = self.messages.recv_timeout(PATIENCE);
            self.kept.push(message.unwrap_or_else(|error| panic!("no `{method}`: {error}; got {:?}", self.kept)));
        }
    }

    /// Answers it.
    pub(crate) fn reply(&mut self, to: &Value, result: &Value) {
        self.line(&json!({ "jsonrpc": "2.0", "id": to["id"], "result": result }).to_string());
    }

    /// Closes the gateway's input and waits for its end.
    pub(crate) fn finish(mut self) -> Ended {
        self.input = None;
        self.ended()
    }

    /// Waits for the end.
    pub(crate) fn ended(mut self) -> Ended {
        let start = Instant::now();
        let code = self.child.wait().unwrap().code();
        let took = start.elapsed();
        let stderr = self.stderr.take().unwrap().join().unwrap();
        let rest = self.kept.drain(..).chain(self.messages.iter()).collect();
        Ended { code, stderr, took, rest }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.child.kill().unwrap_or_default();
    }
}

/// Whether an answer is an error, and its text.
pub(crate) fn told(answer: &Value) -> (bool, String) {
    if let Some(message) = answer["error"]["message"].as_str() {
        return (true, message.to_owned());
    }
    let result = &answer["result"];
    let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
    (result["isError"] == true, text.to_owned())
}
