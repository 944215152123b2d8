//! What an answer is, and what it should be.

use std::fmt;

use serde_json::Value;

/// A place where an answer is not what is expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    place: String,
    expected: Value,
    found: Option<Value>,
}

/// Where `found` is not what is expected. Of objects only the members that are
/// expected are compared; everything else has to be equal.
pub(crate) fn differences(expected: &Value, found: &Value) -> Vec<Difference> {
    let mut differences = Vec::new();
    compare(String::new(), expected, Some(found), &mut differences);
    differences
}

fn compare(place: String, expected: &Value, found: Option<&Value>, differences: &mut Vec<Difference>) {
    match (expected, found) {
        (Value::Object(members), Some(Value::Object(others))) => {
            for (name, member) in members {
                compare(format!("{place}/{name}"), member, others.get(name), differences);
            }
        }
        (Value::Array(items), Some(Value::Array(others))) if items.len() == others.len() => {
            for (number, (item, other)) in items.iter().zip(others).enumerate() {
                compare(format!("{place}/{number}"), item, Some(other), differences);
            }
        }
        // What is expected to be absent may be left out.
        (Value::Null, None) => {}
        (expected, Some(found)) if expected == found => {}
        (expected, found) => {
            differences.push(Difference { place, expected: expected.clone(), found: found.cloned() });
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.place.is_empty() { "the answer" } else { &self.place };
        write!(f, "{place}: expected {}, ", self.expected)?;
        match &self.found {
            Some(found) => write!(f, "found {found}"),
            None => f.write_str("found nothing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn says_where_an_answer_differs() {
        let cases = [
            (json!({"a": 1}), json!({"a": 1, "b": 2}), vec![]),
            (json!({"a": null}), json!({}), vec![]),
            (json!({"a": 1}), json!({"b": 1}), vec!["/a: expected 1, found nothing"]),
            (json!({"a": {"b": [1, 2]}}), json!({"a": {"b": [1, 3]}}), vec!["/a/b/1: expected 2, found 3"]),
            (json!([1]), json!([1, 2]), vec!["the answer: expected [1], found [1,2]"]),
            (json!({"a": 1}), json!("pass"), vec![r#"the answer: expected {"a":1}, found "pass""#]),
            (json!({"a": 1.0}), json!({"a": true}), vec!["/a: expected 1.0, found true"]),
        ];
        for (expected, found, told) in cases {
            let differences: Vec<_> = differences(&expected, &found).iter().map(ToString::to_string).collect();
            assert_eq!(differences, told, "{expected} {found}");
        }
    }
}
