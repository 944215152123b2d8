//! What an agent is told.

use serde_json::json;
use vak_sdk::skill::Tool;

use crate::{CLAUSES_MAX, COLUMNS_MAX, LIMIT_MAX, limit};

pub(crate) fn tool() -> Tool {
    let column = json!({ "type": "string", "description": "A column, as the first line names it." });
    let input = json!({
        "type": "object",
        "properties": {
            "csv": { "type": "string", "description": "A table as CSV (RFC 4180), whose first line names the columns." },
            "delimiter": { "type": "string", "default": ",", "description": "One ASCII character." },
            "select": {
                "type": "array", "items": column, "maxItems": COLUMNS_MAX,
                "description": "The columns of the answer; all if it is left out."
            },
            "where": {
                "type": "array", "maxItems": CLAUSES_MAX,
                "description": "Conditions that all have to hold.",
                "items": {
                    "type": "object",
                    "properties": {
                        "column": column,
                        "is": { "enum": ["=", "!=", "<", "<=", ">", ">=", "contains", "starts-with", "in"] },
                        "value": {
                            "type": ["string", "number", "array"], "items": { "type": "string" },
                            "description": "A number compares numbers, and an empty field is none; a text compares texts by code point; `in` takes a list of texts."
                        }
                    },
                    "required": ["column", "is", "value"],
                    "additionalProperties": false
                }
            },
            "group_by": {
                "type": "array", "items": column, "maxItems": CLAUSES_MAX,
                "description": "One row of the answer for each combination of these columns."
            },
            "aggregate": {
                "type": "array", "maxItems": CLAUSES_MAX,
                "description": "Numbers over each group, or over all rows. Their columns are named like `sum(price)`. Empty fields do not count.",
                "items": {
                    "type": "object",
                    "properties": { "function": { "enum": ["count", "sum", "min", "max", "mean"] }, "column": column },
                    "required": ["function"],
                    "additionalProperties": false
                }
            },
            "order_by": {
                "type": "array", "maxItems": CLAUSES_MAX,
                "description": "Empty fields come last. Aggregates are ordered as numbers.",
                "items": {
                    "type": "object",
                    "properties": {
                        "column": column,
                        "numeric": { "type": "boolean", "default": false },
                        "descending": { "type": "boolean", "default": false }
                    },
                    "required": ["column"],
                    "additionalProperties": false
                }
            },
            "offset": { "type": "integer", "minimum": 0, "default": 0 },
            "limit": { "type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": limit() }
        },
        "required": ["csv"],
        "additionalProperties": false
    });
    let output = json!({
        "type": "object",
        "properties": {
            "columns": { "type": "array", "items": { "type": "string" } },
            "rows": { "type": "array", "items": { "type": "array", "items": { "type": ["string", "number", "null"] } } },
            "total": { "type": "integer", "minimum": 0, "description": "Rows before `offset` and `limit`." },
            "more": { "type": "boolean", "description": "Whether there are rows after these." }
        },
        "required": ["columns", "rows", "total", "more"]
    });
    Tool::new("Selects, filters, orders and aggregates rows of CSV.", &input).output(&output)
}
