//! What an agent is told.

use serde_json::json;
use vak_sdk::skill::Tool;

use crate::{LIMIT, LIMIT_MAX, PATTERN_BYTES_MAX, REPLACEMENT_BYTES_MAX, TEXT_BYTES_MAX};

pub(crate) fn tool() -> Tool {
    let flag = |what: &str| json!({ "type": "boolean", "default": false, "description": what });
    let input = json!({
        "type": "object",
        "properties": {
            "operation": {
                "enum": ["find", "captures", "replace", "split"],
                "description": "`find` tells matches, `captures` also their groups, `replace` gives the text with matches replaced, `split` the pieces between them."
            },
            "pattern": {
                "type": "string", "maxLength": PATTERN_BYTES_MAX,
                "description": "As Rust's crate `regex` has it: Perl's syntax without look-around and back-references. Unicode is on."
            },
            "text": { "type": "string", "maxLength": TEXT_BYTES_MAX },
            "replacement": {
                "type": "string", "maxLength": REPLACEMENT_BYTES_MAX,
                "description": "For `replace`: `$1`, `${name}`, `$0` stand for groups and the match, `$$` for a dollar sign."
            },
            "limit": {
                "type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT,
                "description": "The most matches or pieces. Without it `replace` replaces all."
            },
            "case_insensitive": flag("Like `(?i)`."),
            "multi_line": flag("`^` and `$` stand for the ends of lines, like `(?m)`."),
            "dot_matches_new_line": flag("Like `(?s)`.")
        },
        "required": ["operation", "pattern", "text"],
        "additionalProperties": false
    });
    let place = json!({ "type": "integer", "minimum": 0, "description": "In Unicode scalar values from the start of the text." });
    let group = json!({
        "type": ["object", "null"],
        "properties": {
            "name": { "type": "string" }, "text": { "type": "string" }, "start": place, "end": place
        },
        "required": ["text", "start", "end"]
    });
    let output = json!({
        "type": "object",
        "properties": {
            "matches": {
                "type": "array",
                "description": "Of `find` and `captures`.",
                "items": {
                    "type": "object",
                    "properties": {
                        "text": { "type": "string" }, "start": place, "end": place,
                        "groups": { "type": "array", "items": group, "description": "From group 1 on; null where one took no part." }
                    },
                    "required": ["text", "start", "end"]
                }
            },
            "text": { "type": "string", "description": "Of `replace`." },
            "replaced": { "type": "integer", "minimum": 0, "description": "Of `replace`: how many matches." },
            "pieces": { "type": "array", "items": { "type": "string" }, "description": "Of `split`." },
            "more": { "type": "boolean", "description": "Whether there are more matches than `limit`. With `split` the last piece is the rest." }
        },
        "required": ["more"]
    });
    Tool::new("Finds, replaces or splits by a regular expression, in time linear in the text.", &input).output(&output)
}
