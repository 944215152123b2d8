//! Counts the characters, words and lines of a text.

use serde_json::{Value, json};
use vak_sdk::skill::{Skill, SkillError, Tool};

#[derive(Default)]
struct TextStatistics;

impl Skill for TextStatistics {
    fn describe(&self) -> Tool {
        let input = json!({
            "type": "object",
            "properties": { "text": { "type": "string", "description": "The text to count in." } },
            "required": ["text"],
            "additionalProperties": false,
        });
        let count = json!({ "type": "integer", "minimum": 0 });
        let output = json!({
            "type": "object",
            "properties": { "characters": count, "words": count, "lines": count },
            "required": ["characters", "words", "lines"],
        });
        Tool::new("Counts the characters, words and lines of a text.", &input).output(&output)
    }

    // A panic ends the component, and the agent is not told why: return errors.
    fn invoke(&self, input: &str) -> Result<String, SkillError> {
        let input: Value = serde_json::from_str(input).map_err(|error| SkillError::InvalidInput(error.to_string()))?;
        let text = input["text"].as_str();
        let text = text.ok_or_else(|| SkillError::InvalidInput("`text` is not a string".to_owned()))?;
        let counts = json!({
            "characters": text.chars().count(),
            "words": text.split_whitespace().count(),
            "lines": text.lines().count(),
        });
        Ok(counts.to_string())
    }
}

vak_sdk::export_skill!(TextStatistics);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        let output = TextStatistics.invoke(r#"{"text": "to be\nor not to be"}"#);
        assert_eq!(output.unwrap(), r#"{"characters":18,"lines":2,"words":6}"#);
    }
}
