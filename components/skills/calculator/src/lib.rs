//! A skill that evaluates arithmetic: `{"expression": "2 * (3 + 4)"}` gives
//! `{"value": 14.0}`.

use serde_json::json;
use vak_sdk::skill::{Skill, SkillError, Tool};

/// Longer sums are programs.
const EXPRESSION_BYTES_MAX: usize = 4_096;

#[derive(Default)]
struct Calculator;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    expression: String,
}

impl Skill for Calculator {
    fn describe(&self) -> Tool {
        let input = json!({
            "type": "object",
            "properties": {
                "expression": {
                    "type": "string",
                    "maxLength": EXPRESSION_BYTES_MAX,
                    "description": "Numbers, + - * / % ^, parentheses, pi(), e(), and functions: abs, ceil, floor, int, log(base, x), max, min, round, sign, sin, cos, tan and their inverses."
                }
            },
            "required": ["expression"],
            "additionalProperties": false
        });
        let output = json!({
            "type": "object",
            "properties": { "value": { "type": "number" } },
            "required": ["value"]
        });
        Tool::new("Evaluates an arithmetic expression in IEEE 754 double precision.", &input).output(&output)
    }

    fn invoke(&self, input: &str) -> Result<String, SkillError> {
        let Input { expression } =
            serde_json::from_str(input).map_err(|error| SkillError::InvalidInput(error.to_string()))?;
        evaluate(&expression).map(|value| json!({ "value": value }).to_string())
    }
}

fn evaluate(expression: &str) -> Result<f64, SkillError> {
    if expression.len() > EXPRESSION_BYTES_MAX {
        return Err(SkillError::InvalidInput(format!("the expression is longer than {EXPRESSION_BYTES_MAX} bytes")));
    }
    let value = fasteval::ez_eval(expression, &mut fasteval::EmptyNamespace)
        .map_err(|error| SkillError::InvalidInput(describe(&error)))?;
    // JSON has no infinity; `null` would read as a result.
    match value.is_finite() {
        true => Ok(value),
        false => Err(SkillError::Failed("the result is not a finite number".to_owned())),
    }
}

fn describe(error: &fasteval::Error) -> String {
    match error {
        fasteval::Error::Undefined(name) => format!("`{name}` is neither a number nor a known function"),
        fasteval::Error::UnparsedTokensRemaining(rest) => format!("cannot read on from `{rest}`"),
        fasteval::Error::TooLong => "the expression is too long".to_owned(),
        fasteval::Error::TooDeep => "the expression is nested too deep".to_owned(),
        other => format!("not an arithmetic expression ({other:?})"),
    }
}

vak_sdk::export_skill!(Calculator);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calculates_or_says_why_not() {
        let cases = [
            ("2 * (3 + 4)", Some(14.0)),
            ("2^10", Some(1024.0)),
            ("sin(pi()/2) + max(1, 2)", Some(3.0)),
            ("-7 % 3 + 0.5", Some(-0.5)),
            ("1/0", None),
            ("x + 1", None),
            ("", None),
        ];
        for (expression, expected) in cases {
            assert_eq!(evaluate(expression).ok(), expected, "{expression}");
        }
        assert!(evaluate(&"1+".repeat(3_000)).is_err());
    }
}
