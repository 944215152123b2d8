//! A model that follows a script: the part of the Messages API that Claude Code
//! asks for, on loopback.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// What the model does next.
pub(super) struct Step {
    content: Value,
    before: Box<dyn FnOnce() + Send>,
}

/// It uses a tool, under this id.
pub(super) fn uses(id: &str, tool: &str, input: &Value) -> Step {
    let content = json!({ "type": "tool_use", "id": id, "name": tool, "input": input });
    Step { content, before: Box::new(|| ()) }
}

impl Step {
    /// It does so after this was done.
    pub(super) fn after(self, before: impl FnOnce() + Send + 'static) -> Self {
        Self { before: Box::new(before), ..self }
    }
}

/// A model that is listening.
pub(super) struct Model {
    address: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    script: std::collections::VecDeque<Step>,
    /// What it was told of each tool that it used.
    told: BTreeMap<String, String>,
    /// What was asked that a model does not answer.
    strange: Vec<String>,
}

impl Model {
    /// Listens. At the end of the script the model says that it is done.
    pub(super) fn start(script: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { script: script.into(), ..State::default() }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || answer(&stream, &state));
            }
        });
        Self { address, state }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// What it was told of each tool that it used. Nobody else was asked anything.
    pub(super) fn told(self) -> BTreeMap<String, String> {
        let mut state = self.state.lock().unwrap();
        assert!(state.strange.is_empty(), "{:?}", state.strange);
        assert!(state.script.is_empty(), "the script was not followed to its end");
        std::mem::take(&mut state.told)
    }
}

fn answer(mut stream: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).unwrap();
    let request = line.clone();
    loop {
        line.clear();
        if reader.read_line(&mut line).unwrap() <= 2 {
            break;
        }
        if let Some((_, value)) = line.to_ascii_lowercase().split_once("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    // It looks whether anybody is there.
    let (kind, body) = match request.split_whitespace().collect::<Vec<_>>()[..] {
        ["POST", path, _] if path.starts_with("/v1/messages") => {
            ("text/event-stream", events(&serde_json::from_slice(&body).unwrap(), state))
        }
        ["HEAD", "/" | "/v1", _] => ("text/plain", String::new()),
        _ => {
            state.lock().unwrap().strange.push(request);
            ("text/plain", String::new())
        }
    };
    let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: {kind}\r\n");
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap_or_default();
}

/// The next step of the script as events of a stream.
fn events(asked: &Value, state: &Mutex<State>) -> String {
    let mut state = state.lock().unwrap();
    let last = asked["messages"].as_array().and_then(|messages| messages.last());
    for part in last.and_then(|last| last["content"].as_array()).into_iter().flatten() {
        if part["type"] == "tool_result" {
            let id = part["tool_use_id"].as_str().unwrap().to_owned();
            state.told.insert(id, text_of(&part["content"]));
        }
    }
    let step = match asked["tools"].as_array().is_some_and(|tools| !tools.is_empty()) {
        true => state.script.pop_front(),
        // It has the model think of a title and the like.
        false => None,
    };
    let (content, reason) = match step {
        Some(step) => {
            (step.before)();
            (step.content, "tool_use")
        }
        None => (json!({ "type": "text", "text": "done" }), "end_turn"),
    };
    let (start, delta) = match content["type"] == "text" {
        true => (json!({ "type": "text", "text": "" }), json!({ "type": "text_delta", "text": content["text"] })),
        false => {
            let input = content["input"].to_string();
            let mut start = content;
            start["input"] = json!({});
            (start, json!({ "type": "input_json_delta", "partial_json": input }))
        }
    };
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": asked["model"], "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": { "input_tokens": 1, "output_tokens": 1 },
    });
    let ended = json!({ "stop_reason": reason, "stop_sequence": null });
    let events = [
        json!({ "type": "message_start", "message": message }),
        json!({ "type": "content_block_start", "index": 0, "content_block": start }),
        json!({ "type": "content_block_delta", "index": 0, "delta": delta }),
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "message_delta", "delta": ended, "usage": { "output_tokens": 1 } }),
        json!({ "type": "message_stop" }),
    ];
    let event = |event: Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    events.into_iter().map(event).collect()
}

fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => content.to_string(),
    }
}
