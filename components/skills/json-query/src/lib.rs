//! A skill that runs a jq filter: `{"filter": ".[] | select(. > 1)", "input":
//! [1, 2, 3]}` gives `{"outputs": [2, 3], "more": false}`. A filter computes on
//! its input alone.

mod library;
mod query;

use serde::Deserialize;
use serde_json::{Value, json};
use vak_sdk::skill::{Skill, SkillError, Tool};

use query::{FILTER_BYTES_MAX, LIMIT_MAX};

#[derive(Default)]
struct JsonQuery;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    filter: String,
    input: Value,
    #[serde(default = "limit")]
    limit: usize,
}

fn limit() -> usize {
    100
}

impl Skill for JsonQuery {
    fn describe(&self) -> Tool {
        let input = json!({
            "type": "object",
            "properties": {
                "filter": {
                    "type": "string", "maxLength": FILTER_BYTES_MAX,
                    "description": "A jq filter (jaq 3). There are no variables, modules, other inputs, environment, clock and debug output."
                },
                "input": { "description": "What the filter is run on." },
                "limit": {
                    "type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": limit(),
                    "description": "The most outputs."
                }
            },
            "required": ["filter", "input"],
            "additionalProperties": false
        });
        let output = json!({
            "type": "object",
            "properties": {
                "outputs": { "type": "array", "maxItems": LIMIT_MAX },
                "more": { "type": "boolean", "description": "Whether there are more outputs than `limit`." }
            },
            "required": ["outputs", "more"]
        });
        Tool::new("Runs a jq filter on JSON and gives its outputs.", &input).output(&output)
    }

    fn invoke(&self, input: &str) -> Result<String, SkillError> {
        let Input { filter, input, limit } =
            serde_json::from_str(input).map_err(|error| SkillError::InvalidInput(error.to_string()))?;
        query::run(&filter, &input, limit).map(|told| told.to_string())
    }
}

vak_sdk::export_skill!(JsonQuery);
