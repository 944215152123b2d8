//! Remembering.

use serde_json::{Value, json};
use vak_sdk::memory::{self, MemoryError};

/// Does one step after the other: `{"steps": [["set", "notes", "k", "v"], …]}`.
/// The step `trap` ends the call; an unknown one ends the steps, and the call succeeds.
pub(crate) fn steps(input: &Value) -> Result<Value, String> {
    let steps = input["steps"].as_array().ok_or("no steps")?;
    steps.iter().map(step).collect::<Result<Vec<_>, _>>().map(Value::from)
}

fn step(step: &Value) -> Result<Value, String> {
    let text = |at: usize| step[at].as_str().unwrap_or_default();
    // A number stands for so many bytes.
    let value = || match step[3].as_u64() {
        Some(bytes) => "v".repeat(bytes as usize).into_bytes(),
        None => text(3).as_bytes().to_vec(),
    };
    let answer = match text(0) {
        "get" => memory::get(text(1), text(2))
            .map(|value| json!(value.map(|value| String::from_utf8_lossy(&value).into_owned()))),
        "set" => memory::set(text(1), text(2), &value()).map(|()| Value::Null),
        "remove" => memory::remove(text(1), text(2)).map(|()| Value::Null),
        "keys" => memory::keys(text(1), text(2), step[3].as_str()).map(Value::from),
        "secret" => {
            let secret = vak_sdk::secrets::get(text(3)).map_err(|_| "no secret".to_owned())?;
            memory::set(text(1), text(2), format!("<{secret}>").as_bytes()).map(|()| Value::Null)
        }
        "sleep" => {
            std::thread::sleep(std::time::Duration::from_millis(step[1].as_u64().unwrap_or_default()));
            Ok(Value::Null)
        }
        "trap" => panic!("as asked"),
        other => return Err(other.to_owned()),
    };
    Ok(answer.unwrap_or_else(|error| json!(word(error))))
}

fn word(error: MemoryError) -> &'static str {
    match error {
        MemoryError::NotGranted => "not-granted",
        MemoryError::ReadOnly => "read-only",
        MemoryError::InvalidKey => "invalid-key",
        MemoryError::ValueTooLong => "value-too-long",
        MemoryError::Full => "full",
        MemoryError::HasSecret => "has-secret",
    }
}
