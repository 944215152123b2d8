//! A skill that validates JSON: `{"schema": {"type": "integer"}, "instance":
//! "x"}` gives `{"valid": false, "errors": [{"instance": "", "schema": "/type",
//! "message": …}], "more": false}`.

mod offline;
mod validate;

use serde::Deserialize;
use serde_json::{Value, json};
use vak_sdk::skill::{Skill, SkillError, Tool};

use validate::{DRAFTS, ERRORS_MAX};

#[derive(Default)]
struct JsonSchema;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    schema: Value,
    instance: Value,
    draft: Option<String>,
    #[serde(default)]
    formats: bool,
}

impl Skill for JsonSchema {
    fn describe(&self) -> Tool {
        let input = json!({
            "type": "object",
            "properties": {
                "schema": {
                    "type": ["object", "boolean"],
                    "description": "A JSON Schema. References stay within it; patterns are without look-around and back-references."
                },
                "instance": { "description": "What to validate." },
                "draft": {
                    "enum": DRAFTS.map(|(name, _)| name),
                    "description": "The draft; if it is left out, the one that `$schema` names, or 2020-12."
                },
                "formats": { "type": "boolean", "default": false, "description": "Whether `format` is checked too." }
            },
            "required": ["schema", "instance"],
            "additionalProperties": false
        });
        let pointer = |what: &str| json!({ "type": "string", "description": what });
        let output = json!({
            "type": "object",
            "properties": {
                "valid": { "type": "boolean" },
                "errors": {
                    "type": "array", "maxItems": ERRORS_MAX,
                    "items": {
                        "type": "object",
                        "properties": {
                            "instance": pointer("JSON pointer (RFC 6901) to what is wrong in the instance."),
                            "schema": pointer("JSON pointer to the keyword that says so, in the schema."),
                            "message": { "type": "string" }
                        },
                        "required": ["instance", "schema", "message"]
                    }
                },
                "more": { "type": "boolean", "description": "Whether there are more errors than are listed." }
            },
            "required": ["valid", "errors", "more"]
        });
        Tool::new("Validates JSON against a JSON Schema and lists what is wrong and where.", &input).output(&output)
    }

    fn invoke(&self, input: &str) -> Result<String, SkillError> {
        let Input { schema, instance, draft, formats } =
            serde_json::from_str(input).map_err(|error| SkillError::InvalidInput(error.to_string()))?;
        validate::validate(&schema, &instance, draft.as_deref(), formats)
            .map(|told| told.to_string())
            .map_err(|error| SkillError::InvalidInput(error.to_string()))
    }
}

vak_sdk::export_skill!(JsonSchema);
