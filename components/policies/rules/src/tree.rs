//! Arguments as a tree that borrows from their text.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use crate::number::Number;

/// A JSON value. It takes what `serde_json::Value` takes and finds the same
/// under a pointer, but copies no text that stands in the document as it is:
/// every byte a call writes has to be reset after it.
#[derive(Debug)]
pub(crate) enum Tree<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    Array(Vec<Tree<'a>>),
    Object(Vec<(Key<'a>, Tree<'a>)>),
}

/// The name of a member.
#[derive(Debug, Deserialize)]
pub(crate) struct Key<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

impl Tree<'_> {
    /// What the JSON pointer (RFC 6901) leads to.
    pub(crate) fn at(&self, pointer: &str) -> Option<&Self> {
        let (mut found, mut rest) = (self, pointer);
        while let Some(after) = rest.strip_prefix('/') {
            // Once over the token: loops are what is slow in a guest.
            let (mut end, mut escaped) = (0, false);
            for byte in after.bytes().take_while(|byte| *byte != b'/') {
                escaped |= byte == b'~';
                end += 1;
            }
            found = found.child(&after[..end], escaped)?;
            rest = &after[end..];
        }
        rest.is_empty().then_some(found)
    }

    fn child(&self, token: &str, escaped: bool) -> Option<&Self> {
        match self {
            Self::Object(_) if escaped => self.member(&token.replace("~1", "/").replace("~0", "~")),
            Self::Object(_) => self.member(token),
            Self::Array(items) => items.get(index(token)?),
            _ => None,
        }
    }

    fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        // The last of a repeated key, as everywhere in serde_json.
        members.iter().rev().find(|(Key(key), _)| *key == name).map(|(_, value)| value)
    }

    /// Whether both are the same value; `1` and `1.0` are one number.
    pub(crate) fn same(&self, other: &Tree<'_>) -> bool {
        match (self, other) {
            (Self::Null, Tree::Null) => true,
            (Self::Bool(one), Tree::Bool(other)) => one == other,
            (Self::Number(one), Tree::Number(other)) => one.compare(*other).is_eq(),
            (Self::Text(one), Tree::Text(other)) => one == other,
            (Self::Array(one), Tree::Array(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.same(other))
            }
            (Self::Object(one), Tree::Object(_)) => {
                self.names_are_in(other)
                    && other.names_are_in(self)
                    // Of a repeated key the last one counts, on both sides.
                    && one.iter().all(|(Key(key), _)| match (self.member(key), other.member(key)) {
                        (Some(one), Some(other)) => one.same(other),
                        _ => false,
                    })
            }
            _ => false,
        }
    }

    fn names_are_in(&self, other: &Tree<'_>) -> bool {
        let Self::Object(members) = self else { return false };
        members.iter().all(|(Key(key), _)| other.member(key).is_some())
    }
}

/// An array index of RFC 6901: no sign and no leading zero.
fn index(token: &str) -> Option<usize> {
    let plain = !token.starts_with('+') && (token.len() == 1 || !token.starts_with('0'));
    plain.then(|| token.parse().ok()).flatten()
}

impl<'de: 'a, 'a> Deserialize<'de> for Tree<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Tree<'de>, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree<'de>, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(Number::Integer(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(Number::from_unsigned(value)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(Number::Float(value)))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree<'de>, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Tree::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree<'de>, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Tree::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// Whether `tree` is what serde_json makes of its text.
    fn is(tree: &Tree<'_>, value: &Value) -> bool {
        let text = value.to_string();
        tree.same(&serde_json::from_str::<Tree<'_>>(&text).unwrap())
    }

    fn check(text: &str, pointer: &str) {
        let tree = serde_json::from_str::<Tree<'_>>(text);
        let value = serde_json::from_str::<Value>(text);
        assert_eq!(tree.is_ok(), value.is_ok(), "{text}");
        if let (Ok(tree), Ok(value)) = (tree, value) {
            assert!(is(&tree, &value), "{text}");
            match (tree.at(pointer), value.pointer(pointer)) {
                (None, None) => {}
                (Some(found), Some(expected)) => assert!(is(found, expected), "{pointer} in {text}"),
                (found, expected) => panic!("{pointer} in {text}: {found:?}, expected {expected:?}"),
            }
        }
    }

    #[test]
    fn reads_and_finds_what_serde_json_does() {
        let text = r#"{"a":[10,{"b":null}],"":1,"x/y":2,"~1":3,"\u0061b":"\u00e9","a b":-0.0,"d":1,"d":2,"é":[]}"#;
        let pointers = [
            "",
            "/",
            "/a",
            "/a/0",
            "/a/00",
            "/a/+1",
            "/a/1/b",
            "/a/2",
            "/a/-",
            "/a/99999999999999999999",
            "/x~1y",
            "/~01",
            "/ab",
            "/a b",
            "/d",
            "/é",
            "/a/",
            "/d/0",
            "//",
            "a",
        ];
        pointers.iter().for_each(|pointer| check(text, pointer));
        let deep = "[".repeat(128) + &"]".repeat(128);
        let texts =
            ["1e999", "-1e999", r#""\ud800""#, "18446744073709551616", "1e-999", "{", "[1,]", "1 1", "nul", &deep];
        texts.iter().for_each(|text| check(text, ""));
    }

    proptest! {
        #[test]
        fn is_what_is_equal(one in value(), other in value()) {
            let text = one.to_string();
            let tree: Tree<'_> = serde_json::from_str(&text).unwrap();
            assert_eq!(is(&tree, &other), alike(&one, &other), "{text} and {other}");
            assert!(is(&tree, &one), "{text}");
        }

        #[test]
        fn reads_any_text_like_serde_json(text in "[\\[\\]{}\",:0-9a-c\\\\ue.~/ -]{0,40}", pointer in "(/[a-c0-2~]{0,2}){0,3}") {
            check(&text, &pointer);
        }

        #[test]
        fn finds_in_any_document_like_serde_json(value in value(), pointer in "(/[ab0-2]{0,1}){0,4}") {
            check(&value.to_string(), &pointer);
        }
    }

    /// The same, of values that serde_json compares.
    fn alike(one: &Value, other: &Value) -> bool {
        match (one, other) {
            (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
            (Value::Array(one), Value::Array(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| alike(one, other))
            }
            (Value::Object(one), Value::Object(other)) => {
                one.len() == other.len()
                    && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| alike(one, other)))
            }
            _ => one == other,
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-3_i64..3).prop_map(Value::from),
            prop_oneof![any::<f64>(), Just(1.0), Just(-0.0)].prop_map(Value::from),
            ".{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab0-2]{0,1}", inner, 0..4)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }
}
