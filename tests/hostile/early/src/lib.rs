//! A skill that reaches for its rights too early: while it is configured, as its
//! configuration says. It tells what it found then and what it finds in a call.

#![cfg(target_os = "wasi")]

use std::time::SystemTime;

use serde_json::{Value, json};
use vak_sdk::log::{self, Level};
use vak_sdk::secrets;
use vak_sdk::skill::{ConfigError, Configure, Skill, SkillError, Tool};
use wasip2::cli::{stderr, stdout};
use wasip2::http::types::Fields;
use wasip2::io::streams::OutputStream;

struct Early {
    config: String,
    then: Value,
}

impl Configure for Early {
    fn configure(config: &str) -> Result<Self, ConfigError> {
        match config.split_once(' ').unwrap_or((config, "")) {
            // Told to whoever reads why it was not loaded.
            ("secret", name) => return refuse(format!("{:?}", secrets::get(name))),
            ("secret-for-later", name) => {
                let then = secrets::get(name).map_or(Value::Null, Value::from);
                return Ok(Self { config: config.to_owned(), then });
            }
            ("http", _) => return refuse(format!("{:?}", Fields::new())),
            ("say", what) => {
                log::write(Level::Warn, &format!("logged {what}"));
                // Past `std`, which keeps what it prints to.
                print(&stdout::get_stdout(), &format!("printed {what}\n"));
                print(&stderr::get_stderr(), &format!("complained {what}"));
            }
            _ => {}
        }
        Ok(Self { config: config.to_owned(), then: found() })
    }
}

impl Skill for Early {
    fn describe(&self) -> Tool {
        let description = match self.config.as_str() {
            "tell" => format!("Knows {}.", token()),
            _ => "Is early.".to_owned(),
        };
        Tool::new(description, &json!({ "type": "object" }))
    }

    fn invoke(&self, _: &str) -> Result<String, SkillError> {
        let token = token();
        log::write(Level::Warn, &format!("logged {token}"));
        println!("printed {token}");
        Ok(json!({ "then": self.then, "now": found(), "token": token, "length": token.len() }).to_string())
    }
}

fn refuse(message: String) -> Result<Early, ConfigError> {
    Err(ConfigError { message, line: None, column: None })
}

fn token() -> String {
    secrets::get("token").unwrap_or_else(|error| format!("{error:?}"))
}

fn print(to: &OutputStream, text: &str) {
    if let Err(error) = to.blocking_write_and_flush(text.as_bytes()) {
        panic!("{error:?}");
    }
}

/// What its rights give it.
fn found() -> Value {
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    json!({ "s": time, "variables": wasip2::cli::environment::get_environment().len() })
}

vak_sdk::export_configurable_skill!(Early);
