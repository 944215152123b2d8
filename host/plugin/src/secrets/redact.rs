//! Finding secrets in what leaves a component.

use std::borrow::Cow;

use serde_json::Value;
use vak_types::Name;
use zeroize::Zeroizing;

/// A line of a longer secret that is found by itself, in characters: shorter
/// ones, such as `}`, are in many texts.
const LINE_CHARACTERS_MIN: usize = 8;

/// What to look for, the longest first: one secret may be part of another.
pub(super) struct Redactor(Vec<(Zeroizing<String>, String)>);

impl Redactor {
    pub(super) fn new<'a>(secrets: impl Iterator<Item = (&'a Name, &'a str)>) -> Self {
        let mut needles: Vec<(Zeroizing<String>, String)> = Vec::new();
        for (name, value) in secrets {
            let lines = value.lines().filter(|line| line.chars().count() >= LINE_CHARACTERS_MIN);
            for text in [value].into_iter().chain(lines) {
                let label = format!("[secret {name}]");
                let quoted = Zeroizing::new(Value::from(text).to_string());
                let escaped = Zeroizing::new(quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned());
                if escaped.as_str() != text {
                    needles.push((escaped, label.clone()));
                }
                needles.push((Zeroizing::new(text.to_owned()), label));
            }
        }
        needles.sort_by_key(|(needle, _)| std::cmp::Reverse(needle.len()));
        needles.dedup_by(|one, other| one.0 == other.0);
        Self(needles)
    }

    pub(super) fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut redacted = Cow::Borrowed(text);
        for (needle, label) in &self.0 {
            if redacted.contains(needle.as_str()) {
                redacted = Cow::Owned(redacted.replace(needle.as_str(), label));
            }
        }
        redacted
    }

    /// Whether there is anything to be replaced.
    pub(super) fn finds(&self, bytes: &[u8]) -> bool {
        let finds = |needle: &[u8]| bytes.windows(needle.len().max(1)).any(|part| part == needle);
        self.0.iter().any(|(needle, _)| finds(needle.as_bytes()))
    }

    /// In texts, in keys, and in numbers, which become texts.
    pub(super) fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => self.text(&text).into(),
            Value::Number(number) => match self.text(&number.to_string()) {
                Cow::Owned(text) => text.into(),
                Cow::Borrowed(_) => Value::Number(number),
            },
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                members.into_iter().map(|(key, value)| (self.text(&key).into_owned(), self.value(value))).collect()
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn redactor(secrets: &[(&str, &str)]) -> Redactor {
        let secrets: Vec<(Name, &str)> = secrets.iter().map(|(name, value)| (name.parse().unwrap(), *value)).collect();
        Redactor::new(secrets.iter().map(|(name, value)| (name, *value)))
    }

    #[test]
    fn secrets_are_found_as_they_are_and_in_json() {
        let redactor = redactor(&[("a", "s3\"cr\\et"), ("b", "s3"), ("key", "-----BEGIN\nMIIEvQ+/long\n}\n")]);
        let cases = [
            ("nothing here", "nothing here"),
            ("is s3\"cr\\et!", "is [secret a]!"),
            (r#"{"x":"s3\"cr\\et"}"#, r#"{"x":"[secret a]"}"#),
            ("s3s3", "[secret b][secret b]"),
            ("-----BEGIN\nMIIEvQ+/long\n}\n", "[secret key]"),
            (r"-----BEGIN\nMIIEvQ+/long\n}\n", "[secret key]"),
            ("> MIIEvQ+/long }", "> [secret key] }"),
        ];
        for (text, expected) in cases {
            assert_eq!(redactor.text(text), expected, "{text}");
            assert_eq!(redactor.finds(&[b"\xff", text.as_bytes()].concat()), text != expected, "{text}");
        }
    }

    #[test]
    fn secrets_are_found_in_documents() {
        let redactor = redactor(&[("n", "1234"), ("t", "tök\"en")]);
        let document = json!({ "a": ["tök\"en", 12345, 1.5], "tök\"en": null, "in": "{\"t\":\"tök\\\"en\"}" });
        let expected =
            json!({ "a": ["[secret t]", "[secret n]5", 1.5], "[secret t]": null, "in": "{\"t\":\"[secret t]\"}" });
        assert_eq!(redactor.value(document), expected);
    }
}
