//! The texts in an action's arguments, each with where it stands.

use serde_json::Value;

/// One text of the arguments.
#[derive(Debug)]
pub(crate) struct Text {
    /// JSON pointer to the value, or to the value that the key names.
    pub(crate) pointer: String,
    /// The name it stands under: the last key on the way, array indices aside.
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) part: Part,
}

/// What a text is in the JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Key,
    Value,
    /// Digits: a card number need not be written as a text.
    Number,
}

/// All texts of one action.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) texts: Vec<Text>,
    pub(crate) root: Value,
}

/// Why arguments cannot be examined.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    NotJson,
    /// More bytes of text than the limit.
    TooLong(usize),
}

impl Arguments {
    /// Reads the arguments. Depth is bounded by the host and, at 128, by the
    /// parser; the bytes of all texts together by `bytes_max`.
    pub(crate) fn read(json: &str, bytes_max: usize) -> Result<Self, Unreadable> {
        let root: Value = serde_json::from_str(json).map_err(|_| Unreadable::NotJson)?;
        let mut walk = Walk { texts: Vec::new(), bytes: 0 };
        walk.value(&root, String::new(), "");
        match walk.bytes {
            bytes if bytes > bytes_max => Err(Unreadable::TooLong(bytes)),
            _ => Ok(Self { texts: walk.texts, root }),
        }
    }
}

struct Walk {
    texts: Vec<Text>,
    bytes: usize,
}

impl Walk {
    fn value(&mut self, value: &Value, pointer: String, name: &str) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => self.text(pointer, name, number.to_string(), Part::Number),
            Value::String(text) => self.text(pointer, name, text.clone(), Part::Value),
            Value::Array(values) => {
                for (at, value) in values.iter().enumerate() {
                    self.value(value, format!("{pointer}/{at}"), name);
                }
            }
            Value::Object(fields) => {
                for (key, value) in fields {
                    let pointer = format!("{pointer}/{}", escaped(key));
                    self.text(pointer.clone(), "", key.clone(), Part::Key);
                    self.value(value, pointer, key);
                }
            }
        }
    }

    fn text(&mut self, pointer: String, name: &str, text: String, part: Part) {
        self.bytes += text.len();
        self.texts.push(Text { pointer, name: name.to_owned(), text, part });
    }
}

/// A key as a segment of a JSON pointer (RFC 6901).
fn escaped(key: &str) -> String {
    match key.contains(['~', '/']) {
        true => key.replace('~', "~0").replace('/', "~1"),
        false => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_has_its_pointer() {
        let arguments = Arguments::read(r#"{"a/b":["x",{"c~":7}],"d":true}"#, 100).unwrap();
        let texts: Vec<_> = arguments.texts.iter().map(|text| (&*text.pointer, &*text.text, text.part)).collect();
        let expected = [
            ("/a~1b", "a/b", Part::Key),
            ("/a~1b/0", "x", Part::Value),
            ("/a~1b/1/c~0", "c~", Part::Key),
            ("/a~1b/1/c~0", "7", Part::Number),
            ("/d", "d", Part::Key),
        ];
        assert_eq!(texts, expected);
        assert_eq!(arguments.texts[1].name, "a/b");
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert_eq!(Arguments::read("{", 100).unwrap_err(), Unreadable::NotJson);
        assert_eq!(Arguments::read(r#"{"a":"12345"}"#, 5).unwrap_err(), Unreadable::TooLong(6));
    }
}
