//! What an agent is told.

use serde_json::{Value, json};
use vak_sdk::skill::Tool;

use crate::store::{FOUND_MAX, NOTE_BYTES_MAX, NOTES_MAX};

pub(crate) fn tool() -> Tool {
    let name = json!({
        "type": "string",
        "description": "A note's name: letters, digits, spaces, `-`, `_` and `.`; no path, and no `.` at the start."
    });
    let text = |what: &str| json!({ "type": "string", "maxLength": NOTE_BYTES_MAX, "description": what });
    let input = json!({
        "type": "object",
        "oneOf": [
            operation("list", "All notes.", &json!({})),
            operation("read", "What is in a note.", &json!({ "name": name })),
            operation("write", "Makes a note or replaces it.", &json!({ "name": name, "text": text("All that is in the note.") })),
            operation("append", "Adds to the end of a note that is there.", &json!({ "name": name, "text": text("What to add, as it is.") })),
            operation("remove", "Removes a note for good.", &json!({ "name": name })),
            operation("search", "Finds lines with a text in them, in whatever case.", &json!({ "text": { "type": "string", "minLength": 1, "maxLength": 200 } }))
        ]
    });
    let bytes = json!({ "type": "integer", "minimum": 0 });
    let output = json!({
        "type": "object",
        "properties": {
            "notes": {
                "type": "array", "maxItems": NOTES_MAX, "description": "Of `list`, by name.",
                "items": { "type": "object", "properties": { "name": { "type": "string" }, "bytes": bytes }, "required": ["name", "bytes"] }
            },
            "text": { "type": "string", "description": "Of `read`." },
            "bytes": { "type": "integer", "minimum": 0, "description": "Of `write` and `append`: the note's length." },
            "removed": { "type": "string", "description": "Of `remove`." },
            "found": {
                "type": "array", "maxItems": FOUND_MAX, "description": "Of `search`. Long lines are cut.",
                "items": {
                    "type": "object",
                    "properties": { "name": { "type": "string" }, "line": { "type": "integer", "minimum": 1 }, "text": { "type": "string" } },
                    "required": ["name", "line", "text"]
                }
            },
            "more": { "type": "boolean", "description": "Of `search`: whether there are more places." }
        }
    });
    Tool::new("Keeps notes: lists, reads, writes, extends, removes and searches them.", &input).output(&output)
}

fn operation(name: &str, what: &str, properties: &Value) -> Value {
    let mut properties = properties.clone();
    let mut required: Vec<String> =
        properties.as_object().map(|members| members.keys().cloned().collect()).unwrap_or_default();
    required.insert(0, "operation".to_owned());
    properties["operation"] = json!({ "const": name });
    json!({ "type": "object", "description": what, "properties": properties, "required": required, "additionalProperties": false })
}
