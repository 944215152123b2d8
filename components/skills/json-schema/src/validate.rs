//! Validating.

use std::fmt;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Value, json};

use crate::offline::Offline;

/// Nobody mends more at once.
pub(crate) const ERRORS_MAX: usize = 50;

/// Messages quote the instance.
const MESSAGE_CHARACTERS_MAX: usize = 300;

/// What a compiled pattern may take.
const PATTERN_BYTES_MAX: usize = 1 << 20;

pub(crate) const DRAFTS: [(&str, Draft); 5] = [
    ("4", Draft::Draft4),
    ("6", Draft::Draft6),
    ("7", Draft::Draft7),
    ("2019-09", Draft::Draft201909),
    ("2020-12", Draft::Draft202012),
];

/// Why nothing was validated.
#[derive(Debug)]
pub(crate) enum SchemaError {
    /// No such draft.
    Draft(String),
    /// The schema is none: where, and why.
    Schema(String, String),
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Draft(draft) => {
                let known: Vec<_> = DRAFTS.iter().map(|(name, _)| format!("`{name}`")).collect();
                write!(f, "`draft` is `{draft}`, and has to be one of {}", known.join(", "))
            }
            Self::Schema(place, why) if place.is_empty() => write!(f, "`schema` is not valid: {why}"),
            Self::Schema(place, why) => write!(f, "`schema` is not valid at `{place}`: {why}"),
        }
    }
}

/// What is wrong with `instance`.
pub(crate) fn validate(
    schema: &Value,
    instance: &Value,
    draft: Option<&str>,
    formats: bool,
) -> Result<Value, SchemaError> {
    let validator = compile(schema, draft, formats)?;
    let mut wrong = validator.iter_errors(instance);
    let errors = wrong.by_ref().take(ERRORS_MAX).map(|error| {
        json!({
            "instance": error.instance_path().as_str(),
            "schema": error.schema_path().as_str(),
            "message": cut(&error.to_string()),
        })
    });
    let errors: Vec<_> = errors.collect();
    Ok(json!({ "valid": errors.is_empty(), "errors": errors, "more": wrong.next().is_some() }))
}

fn compile(schema: &Value, draft: Option<&str>, formats: bool) -> Result<Validator, SchemaError> {
    // Patterns run in linear time: a schema may come from anybody.
    let mut options = jsonschema::options()
        .with_retriever(Offline)
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES_MAX))
        .should_validate_formats(formats);
    if let Some(draft) = draft {
        let known = DRAFTS.iter().find(|(name, _)| *name == draft);
        options = options.with_draft(known.ok_or_else(|| SchemaError::Draft(draft.to_owned()))?.1);
    }
    options.build(schema).map_err(|error| {
        // Its place in the schema, which is the instance of the meta-schema.
        SchemaError::Schema(error.instance_path().as_str().to_owned(), cut(&error.to_string()))
    })
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MESSAGE_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(schema: &Value, instance: &Value) -> Value {
        validate(schema, instance, None, true).unwrap()
    }

    #[test]
    fn says_where_and_why() {
        let schema = json!({
            "properties": { "a/b": { "type": "array", "items": { "$ref": "#/$defs/even" } } },
            "$defs": { "even": { "type": "integer", "multipleOf": 2 } },
        });
        assert_eq!(told(&schema, &json!({ "a/b": [2, 4] }))["valid"], true);
        let wrong = told(&schema, &json!({ "a/b": [2, 3] }));
        assert_eq!(wrong["errors"][0]["instance"], "/a~1b/1");
        assert_eq!(wrong["errors"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn errors_are_bounded() {
        let many = told(&json!({ "items": { "type": "string" } }), &json!(vec![0; 200]));
        assert_eq!((many["errors"].as_array().unwrap().len(), &many["more"]), (ERRORS_MAX, &json!(true)));
        let long = told(&json!({ "const": 1 }), &json!("ä".repeat(10_000)));
        assert!(long["errors"][0]["message"].as_str().unwrap().chars().count() <= MESSAGE_CHARACTERS_MAX + 1);
    }

    #[test]
    fn schemas_that_are_none_or_lead_out_are_refused() {
        let cases = [
            (json!({ "type": "whole" }), "/type"),
            (json!({ "pattern": "(" }), "/pattern"),
            (json!({ "pattern": "(?=a)" }), "/pattern"),
            (json!({ "pattern": "\\p{L}{5000}" }), "/pattern"),
            (json!({ "$ref": "https://example.org/schema.json" }), "nothing is fetched"),
            (json!({ "$ref": "file:///etc/passwd" }), "nothing is fetched"),
            (json!({ "$schema": "https://example.org/meta" }), "example.org/meta"),
            (json!(3), "not valid"),
        ];
        for (schema, part) in cases {
            let error = validate(&schema, &json!("x"), None, false).unwrap_err().to_string();
            assert!(error.contains(part), "{schema}: {error}");
        }
        assert!(validate(&json!({}), &json!(1), Some("5"), false).unwrap_err().to_string().contains("`2020-12`"));
    }
}
