//! JSON that reads the same to everybody.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// A JSON document as compact text with sorted keys.
///
/// Two parsers can disagree about a document with a repeated key, and then a
/// policy judges one value while the tool acts on the other. Such a document
/// is refused here, before anything judges it. Numbers are read as 64-bit
/// integers or IEEE 754 doubles, as RFC 8785 does, and written back the same
/// way, so the text is also what gets forwarded.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Json(String);

/// Why a text is not acceptable as JSON.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// Not JSON, nested too deep, or a key is repeated.
    #[error("not acceptable as JSON: {0}")]
    Syntax(#[from] serde_json::Error),
    /// Longer than [`Json::BYTES_MAX`].
    #[error("the JSON has {bytes} bytes; the most is {}", Json::BYTES_MAX)]
    TooLong {
        /// Its length.
        bytes: usize,
    },
}

impl Json {
    /// 1 MiB: larger tool arguments are files in disguise, and every policy
    /// would have to copy them.
    pub const BYTES_MAX: usize = 1 << 20;

    /// Deepest nesting of arrays and objects. Well below what a guest's 64 KiB
    /// stack can walk.
    pub const DEPTH_MAX: usize = 64;

    /// Reads a document.
    ///
    /// # Errors
    /// The text is not JSON, repeats a key, nests deeper than
    /// [`Json::DEPTH_MAX`] or is longer than [`Json::BYTES_MAX`].
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        if text.len() > Self::BYTES_MAX {
            return Err(JsonError::TooLong { bytes: text.len() });
        }
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let json = serde::Deserialize::deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(json)
    }

    /// The document for a value that is already parsed.
    ///
    /// # Errors
    /// It is deeper or longer than the limits.
    pub fn from_value(value: &Value) -> Result<Self, JsonError> {
        if depth(value) > Self::DEPTH_MAX {
            return Err(serde_json::Error::custom(too_deep()).into());
        }
        // Another crate in the build may have members keep the order they came in.
        let text = match is_sorted(value) {
            true => value.to_string(),
            false => {
                let mut value = value.clone();
                value.sort_all_objects();
                value.to_string()
            }
        };
        if text.len() > Self::BYTES_MAX {
            return Err(JsonError::TooLong { bytes: text.len() });
        }
        Ok(Self(text))
    }

    /// The compact text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The document as a tree.
    pub fn to_value(&self) -> Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

/// An empty object.
impl Default for Json {
    fn default() -> Self {
        Self("{}".to_owned())
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for Json {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = UniqueKeys { depth: 0 }.deserialize(deserializer)?;
        Self::from_value(&value).map_err(D::Error::custom)
    }
}

fn too_deep() -> String {
    format!("nested deeper than {} levels", Json::DEPTH_MAX)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn is_sorted(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(is_sorted),
        Value::Object(members) => members.keys().is_sorted() && members.values().all(is_sorted),
        _ => true,
    }
}

/// Builds a tree and refuses a repeated key.
#[derive(Clone, Copy)]
struct UniqueKeys {
    depth: usize,
}

impl UniqueKeys {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == Json::DEPTH_MAX {
            return Err(E::custom(too_deep()));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for UniqueKeys {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let value = members.next_value_seed(inner)?;
            if object.contains_key(&key) {
                return Err(A::Error::custom(format_args!("the key `{key}` stands twice in one object")));
            }
            object.insert(key, value);
        }
        object.sort_keys();
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_one_text_for_one_document() {
        let cases = [
            (r#" { "b" : 1.50, "a" : [ null , true ] } "#, r#"{"a":[null,true],"b":1.5}"#),
            (r#""\u0041\n""#, r#""A\n""#),
            ("18446744073709551615", "18446744073709551615"),
            ("1e2", "100.0"),
            // Read less exactly, it would be another number.
            ("-1.6797147598904503", "-1.6797147598904503"),
            ("9007199254740993.0", "9007199254740992.0"),
        ];
        for (text, canonical) in cases {
            assert_eq!(Json::parse(text).unwrap().as_str(), canonical);
        }
    }

    /// Whatever order a value keeps its members in: some crates have
    /// `serde_json` keep the order they came in, for all that is built with them.
    #[test]
    fn keys_are_sorted() {
        let value = serde_json::json!({"b": 1, "a": [{"d": 1, "c": {"f": 2, "e": 3}}]});
        let sorted = r#"{"a":[{"c":{"e":3,"f":2},"d":1}],"b":1}"#;
        assert_eq!(Json::from_value(&value).unwrap().as_str(), sorted);
        assert_eq!(Json::parse(&value.to_string()).unwrap().as_str(), sorted);
    }

    #[test]
    fn refuses_what_parsers_disagree_about() {
        let deep = "[".repeat(65) + &"]".repeat(65);
        let cases = [
            (r#"{"path": "/ok", "path": "/etc/shadow"}"#, "the key `path` stands twice"),
            (r#"[{"a": {"b": 1, "b": 1}}]"#, "the key `b` stands twice"),
            (r#"{"a": 1} x"#, "trailing characters"),
            ("NaN", "expected"),
            ("1e999", "number out of range"),
            (&deep, "nested deeper than 64 levels"),
        ];
        for (text, part) in cases {
            let error = Json::parse(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
        let long = format!("\"{}\"", "x".repeat(Json::BYTES_MAX));
        assert!(matches!(Json::parse(&long), Err(JsonError::TooLong { .. })));
    }

    proptest::proptest! {
        #[test]
        fn numbers_are_read_exactly(number in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL) {
            let json = Json::parse(&format!("[{number:e}]")).unwrap();
            assert_eq!(json.to_value()[0].as_f64(), Some(number));
            assert_eq!(Json::parse(json.as_str()).unwrap(), json);
            assert_eq!(serde_json::to_string(&json).unwrap(), json.as_str());
        }

        #[test]
        fn canonical_text_is_a_fixed_point(text in "[\\[\\]{}\",:0-9a-z\\\\ .-]{0,40}") {
            if let Ok(json) = Json::parse(&text) {
                assert_eq!(Json::parse(json.as_str()).unwrap(), json);
            }
        }
    }
}
