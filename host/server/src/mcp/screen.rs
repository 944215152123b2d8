//! What a line of the client must be before anything else looks at it.

use rmcp::model::{ClientJsonRpcMessage, ErrorData, RequestId, ServerJsonRpcMessage};
use serde::Deserialize;
use serde::de::IgnoredAny;
use vak_types::{Json, printable};

/// Longest message that is acted on, in bytes: arguments as long as they may
/// be, with room for escapes and the rest of the message.
pub(crate) const MESSAGE_BYTES_MAX: usize = 2 * Json::BYTES_MAX;

/// Longest quote of the client's text in an error, in bytes.
const QUOTE_BYTES_MAX: usize = 256;

/// The parts that decide what a message means. The library reads the same
/// line again, and where a key stands twice the two readings could differ, so
/// repeated keys are refused: here by the derived code, inside the arguments
/// by [`Json`].
#[derive(Deserialize)]
#[expect(dead_code, reason = "read for what it refuses")]
struct Strict {
    #[serde(default)]
    id: Option<IgnoredAny>,
    #[serde(default)]
    method: Option<IgnoredAny>,
    #[serde(default)]
    params: Option<StrictParams>,
    /// What a person says is in one.
    #[serde(default)]
    result: Option<Json>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "read for what it refuses")]
struct StrictParams {
    #[serde(default)]
    name: Option<IgnoredAny>,
    #[serde(default)]
    uri: Option<IgnoredAny>,
    #[serde(default)]
    arguments: Option<Json>,
    #[serde(default)]
    input_responses: Option<Json>,
    #[serde(default)]
    request_state: Option<IgnoredAny>,
}

/// Skips everything else without building it, however deep it is.
#[derive(Deserialize)]
struct Identified {
    id: RequestId,
}

/// Reads one line; `None` for an empty one.
///
/// # Errors
/// The answer to a line that is not a message to act on. It names the request
/// where that can be made out.
pub(crate) fn read(line: &[u8]) -> Result<Option<ClientJsonRpcMessage>, Box<ServerJsonRpcMessage>> {
    let line = line.trim_ascii();
    if line.is_empty() {
        return Ok(None);
    }
    let refuse = |error| {
        let id = serde_json::from_slice(line).ok().map(|Identified { id }| id);
        Box::new(ServerJsonRpcMessage::error(error, id))
    };
    if line.len() > MESSAGE_BYTES_MAX {
        let message = format!("the message has {} bytes; the most is {MESSAGE_BYTES_MAX}", line.len());
        return Err(refuse(ErrorData::invalid_request(message, None)));
    }
    let message = serde_json::from_slice::<Strict>(line).and_then(|_| serde_json::from_slice(line));
    message.map(Some).map_err(|error| refuse(unreadable(&error)))
}

/// The answer to a line that is too long to read.
pub(crate) fn too_long(bytes_max: usize) -> Box<ServerJsonRpcMessage> {
    let message = format!("a message was longer than {bytes_max} bytes and was dropped; send less at a time");
    Box::new(ServerJsonRpcMessage::error(ErrorData::invalid_request(message, None), None))
}

/// The answer to a request whose id another one has. It has no id itself: it
/// must not pass for the answer to the other.
pub(crate) fn repeated(id: &RequestId) -> Box<ServerJsonRpcMessage> {
    let id = printable(&id.to_string(), QUOTE_BYTES_MAX);
    let message = format!("a request with the id `{id}` has no answer yet; use another id");
    Box::new(ServerJsonRpcMessage::error(ErrorData::invalid_request(message, None), None))
}

fn unreadable(error: &serde_json::Error) -> ErrorData {
    let why = printable(&error.to_string(), QUOTE_BYTES_MAX);
    match error.classify() {
        serde_json::error::Category::Data => ErrorData::invalid_request(format!("the message is refused: {why}"), None),
        _ => ErrorData::parse_error(format!("the message cannot be read: {why}"), None),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn call(arguments: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"x","arguments":{arguments}}}}}"#)
    }

    #[test]
    fn refuses_what_two_readers_could_read_differently() {
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(Json::BYTES_MAX));
        let longer = format!(r#"{{"a":"{}"}}"#, "x".repeat(MESSAGE_BYTES_MAX));
        let cases = [
            (call(r#"{"path":"/ok","path":"/etc/shadow"}"#), Some(7), "the key `path` stands twice"),
            (call(r#"{"a":[{"b":1,"\u0062":2}]}"#), Some(7), "the key `b` stands twice"),
            (call(r#"{}, "arguments": {"a":1}"#), Some(7), "duplicate field `arguments`"),
            (call(r#"{}, "name": "y""#), Some(7), "duplicate field `name`"),
            (call(&deep), Some(7), "nested deeper than 64 levels"),
            (call(&long), Some(7), "the most is 1048576"),
            (call(&longer), Some(7), "the most is 2097152"),
            (call(r#"{}, "inputResponses": {"approve": {"action": "decline", "action": "accept"}}"#), Some(7), "twice"),
            (call(r#"{}, "requestState": "a", "requestState": "b""#), Some(7), "duplicate field `requestState`"),
            (r#"{"id":7,"result":{"content":{"approve":false,"approve":true}}}"#.to_owned(), Some(7), "stands twice"),
            (call("{\"a\":1e999}"), Some(7), "number out of range"),
            ("{\"id\":7,\"id\":8,\"method\":\"ping\"}".to_owned(), None, "duplicate field `id`"),
            ("[]".to_owned(), None, "refused"),
            ("12".to_owned(), None, "refused"),
            ("{not json".to_owned(), None, "cannot be read"),
            ("\u{202e}".to_owned(), None, "cannot be read"),
        ];
        for (line, id, part) in cases {
            let shown = printable(&line, 100);
            let answer = serde_json::to_value(read(line.as_bytes()).unwrap_err()).unwrap();
            let message = answer["error"]["message"].as_str().unwrap();
            assert!(message.contains(part), "{shown}: {message}");
            assert_eq!(answer["id"].as_i64(), id, "{shown}");
        }
    }

    #[test]
    fn passes_what_is_a_message() {
        for line in [&call("{\"a\":{\"a\":1}}"), "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"ping\"}\r"] {
            assert!(read(line.as_bytes()).unwrap().is_some(), "{line}");
        }
        assert!(read(b"\r").unwrap().is_none());
    }
}
