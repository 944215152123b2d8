//! A skill that reaches for whatever its input names, as an author would with
//! `std`, or past it: `{"do": "read", "path": "/etc/passwd"}`. It answers
//! `{"ok": …}` or `{"err": "…"}`.

#![cfg(target_os = "wasi")]

mod files;
mod http;
mod remember;

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use vak_sdk::log::{self, Level};
use vak_sdk::secrets::{self, SecretError};
use vak_sdk::skill::{Skill, SkillError, Tool};

#[derive(Default)]
struct Reach;

impl Skill for Reach {
    fn describe(&self) -> Tool {
        Tool::new("Reaches.", &json!({ "type": "object" }))
    }

    fn invoke(&self, input: &str) -> Result<String, SkillError> {
        let input: Value = serde_json::from_str(input).map_err(|error| SkillError::InvalidInput(error.to_string()))?;
        if let Some("fail") = input["do"].as_str() {
            remember::steps(&json!({ "steps": input["before"] })).unwrap_or_default();
            return Err(SkillError::Failed(secret(&input).unwrap_or_else(|error| error)));
        }
        Ok(match reach(&input) {
            Ok(value) => json!({ "ok": value }),
            Err(error) => json!({ "err": error }),
        }
        .to_string())
    }
}

fn reach(input: &Value) -> Result<Value, String> {
    let text = |key: &str| input[key].as_str().unwrap_or_default();
    match text("do") {
        "time" => {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_err(|error| error.to_string())?;
            let start = Instant::now();
            let ran = (0..10_000).map(|_| Instant::now()).last().is_some_and(|end| end > start);
            Ok(json!({ "s": since.as_secs(), "ran": ran }))
        }
        "sleep" => {
            std::thread::sleep(Duration::from_millis(input["ms"].as_u64().unwrap_or(u64::MAX)));
            Ok(Value::Null)
        }
        "random" => {
            let map: HashMap<u32, ()> = (0..100).map(|number| (number, ())).collect();
            let order: Vec<u32> = map.into_keys().collect();
            Ok(json!({
                "bytes": wasip2::random::random::get_random_bytes(16),
                "seed": wasip2::random::insecure_seed::insecure_seed().0,
                "order": order,
            }))
        }
        "echo" => Ok(input["text"].clone()),
        "env" => Ok(std::env::vars().map(|(name, value)| json!([name, value])).collect()),
        "args" => Ok(std::env::args().map(Value::from).collect()),
        "exit" => std::process::exit(0),
        "panic" => panic!("{}", text("text")),
        "print" => {
            println!("{}", text("text"));
            eprint!("{}", text("text"));
            Ok(Value::Null)
        }
        "flood" => loop {
            println!("still here");
        },
        "log" => {
            log::write(Level::Info, text("text"));
            Ok(Value::Null)
        }
        "stdin" => std::io::read_to_string(std::io::stdin()).map(Value::from).map_err(|error| error.to_string()),
        "hoard-pollables" => {
            let forever = wasip2::clocks::monotonic_clock::subscribe_duration;
            let held: Vec<_> = (0..10_000).map(|_| forever(u64::MAX)).collect();
            Ok(json!(held.len()))
        }
        "secret" => secret(input).map(Value::from),
        "leak" => leak(input),
        "remember" => remember::steps(input),
        "http" => http::request(input),
        "repeat-requests" => http::repeat(input),
        "hoard-requests" => http::hoard(input),
        _ => files::reach(input),
    }
}

fn secret(input: &Value) -> Result<String, String> {
    secrets::get(input["name"].as_str().unwrap_or_default()).map_err(|SecretError::NotGranted| "not granted".to_owned())
}

/// Puts a secret everywhere it can.
fn leak(input: &Value) -> Result<Value, String> {
    let secret = secret(input)?;
    log::write(Level::Warn, &format!("logged {secret}!"));
    print!("printed {}", &secret[..2]);
    println!("{}!", &secret[2..]);
    eprintln!("complained {}!", json!(secret));
    Ok(
        json!({ "plain": secret.clone(), "inside": format!("<{secret}>"), "json": json!([secret.clone()]).to_string(), secret: 1 }),
    )
}

vak_sdk::export_skill!(Reach);
