//! A skill that fetches one URL: `{"url": "https://example.org/"}` gives
//! `{"status": 200, "headers": […], "body": "…", "encoding": "text", "bytes": 5}`.
//!
//! Redirects are answers, not followed: where one leads is a call of its own,
//! which policies judge. The host lets requests go where the skill was granted.

// Outside of a component there is no host to ask, and what asks it is left out.
#![cfg_attr(not(target_os = "wasi"), allow(dead_code))]

mod answer;
mod target;
#[cfg(target_os = "wasi")]
mod wire;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use vak_sdk::skill::{Skill, SkillError, Tool};

use target::Target;

const URL_BYTES_MAX: usize = 4_096;
const HEADERS_MAX: usize = 50;
const REQUEST_BODY_BYTES_MAX: usize = 256 << 10;

/// Most bytes of a body. As JSON text they may be twice as many, and an answer
/// ends at 1 MiB.
const BODY_BYTES_MAX: usize = 384 << 10;

#[derive(Default)]
struct HttpFetch;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    url: String,
    #[serde(default)]
    method: Method,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    #[serde(default = "body_bytes_max")]
    body_bytes_max: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Method {
    #[default]
    Get,
    Head,
    Post,
}

fn body_bytes_max() -> usize {
    BODY_BYTES_MAX
}

impl Skill for HttpFetch {
    fn describe(&self) -> Tool {
        let input = json!({
            "type": "object",
            "properties": {
                "url": {
                    "type": "string", "maxLength": URL_BYTES_MAX,
                    "description": "`https://` or `http://`, a host, and the rest, percent-encoded."
                },
                "method": { "enum": ["GET", "HEAD", "POST"], "default": "GET" },
                "headers": {
                    "type": "object", "additionalProperties": { "type": "string" }, "maxProperties": HEADERS_MAX,
                    "description": "Headers of the request."
                },
                "body": { "type": "string", "maxLength": REQUEST_BODY_BYTES_MAX, "description": "For POST: what to send, in UTF-8." },
                "body_bytes_max": {
                    "type": "integer", "minimum": 0, "maximum": BODY_BYTES_MAX, "default": BODY_BYTES_MAX,
                    "description": "A longer answer is an error."
                }
            },
            "required": ["url"],
            "additionalProperties": false
        });
        let output = json!({
            "type": "object",
            "properties": {
                "status": { "type": "integer" },
                "headers": {
                    "type": "array",
                    "description": "Names in lower case and values, in the order of the answer.",
                    "items": { "type": "array", "items": { "type": "string" }, "minItems": 2, "maxItems": 2 }
                },
                "body": { "type": "string" },
                "encoding": { "enum": ["text", "base64"], "description": "How `body` is written: as text if it is UTF-8 without control characters." },
                "bytes": { "type": "integer", "minimum": 0, "description": "The length of the body." }
            },
            "required": ["status", "headers", "body", "encoding", "bytes"]
        });
        Tool::new("Fetches a URL. A redirect is an answer with a `location`, and is not followed.", &input)
            .output(&output)
    }

    fn invoke(&self, input: &str) -> Result<String, SkillError> {
        let input: Input = serde_json::from_str(input).map_err(|error| SkillError::InvalidInput(error.to_string()))?;
        let target = check(&input).map_err(SkillError::InvalidInput)?;
        fetch(&input, &target)
    }
}

fn check(input: &Input) -> Result<Target<'_>, String> {
    let sent = input.body.as_deref().unwrap_or_default().len();
    let longest = [
        ("url", input.url.len(), URL_BYTES_MAX),
        ("body", sent, REQUEST_BODY_BYTES_MAX),
        ("headers", input.headers.len(), HEADERS_MAX),
        ("body_bytes_max", input.body_bytes_max, BODY_BYTES_MAX),
    ];
    if let Some((name, found, most)) = longest.into_iter().find(|(_, found, most)| found > most) {
        return Err(format!("`{name}` is or has {found}, and the most is {most}"));
    }
    if input.body.is_some() && input.method != Method::Post {
        return Err("only POST takes a `body`".to_owned());
    }
    Target::read(&input.url).map_err(|error| error.to_string())
}

#[cfg(target_os = "wasi")]
fn fetch(input: &Input, target: &Target<'_>) -> Result<String, SkillError> {
    let answer = wire::fetch(input, target)?;
    Ok(answer.told().to_string())
}

#[cfg(not(target_os = "wasi"))]
fn fetch(_: &Input, target: &Target<'_>) -> Result<String, SkillError> {
    Err(SkillError::Failed(format!("`{}` can be asked from within a component alone", target.authority)))
}

vak_sdk::export_skill!(HttpFetch);
