//! A skill that misbehaves as its input says: `{"how": "spin"}`. It echoes
//! every other input.

#[path = "../../misbehave.rs"]
mod misbehave;

use serde_json::{Value, json};
use vak_sdk::skill::{Skill, SkillError, Tool};

use misbehave::{misbehave, too_long};

#[derive(Default)]
struct Hostile;

impl Skill for Hostile {
    fn describe(&self) -> Tool {
        Tool::new("Misbehaves.", &json!({ "type": "object", "properties": { "how": { "type": "string" } } }))
    }

    fn invoke(&self, input: &str) -> Result<String, SkillError> {
        let value: Value = serde_json::from_str(input).map_err(|error| SkillError::InvalidInput(error.to_string()))?;
        match value["how"].as_str().unwrap_or_default() {
            "result-too-long" => return Ok(json!(too_long()).to_string()),
            "error-too-long" => return Err(SkillError::Failed(too_long())),
            "error" => return Err(SkillError::Failed("not\u{1b}[2J today".to_owned())),
            "no-json" => return Ok("{\"value\": 1".to_owned()),
            "repeated-key" => return Ok("{\"value\": 1, \"value\": 2}".to_owned()),
            "too-deep" => return Ok("[".repeat(10_000) + &"]".repeat(10_000)),
            how => misbehave(how),
        }
        Ok(input.to_owned())
    }
}

vak_sdk::export_skill!(Hostile);
