//! JSON pointers (RFC 6901), all of a mapping looked up in one walk through a
//! message.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The pointers that are looked up together.
#[derive(Debug, Default)]
pub(crate) struct Pointers {
    texts: Vec<String>,
    root: Step,
}

/// A place on the way to what pointers point to.
#[derive(Debug, Default)]
struct Step {
    slot: Option<usize>,
    members: Vec<(String, Step)>,
}

/// What the pointers point to in one message, each as JSON; where one points to
/// nothing, `None`.
#[derive(Debug)]
pub(crate) struct Found<'a>(Vec<Option<&'a str>>);

impl Pointers {
    /// The number of `pointer`, which is new or not.
    pub(crate) fn slot(&mut self, pointer: &str) -> Result<usize, String> {
        if let Some(slot) = self.texts.iter().position(|text| text == pointer) {
            return Ok(slot);
        }
        let mut step = &mut self.root;
        if !pointer.is_empty() {
            let Some(tokens) = pointer.strip_prefix('/') else {
                return Err(format!("`{pointer}` is no JSON pointer; it starts with `/`"));
            };
            for token in tokens.split('/') {
                step = step.member(unescaped(token)?);
            }
        }
        let slot = self.texts.len();
        step.slot = Some(slot);
        self.texts.push(pointer.to_owned());
        Ok(slot)
    }

    /// Looks all of them up.
    pub(crate) fn find<'a>(&self, json: &'a str) -> Result<Found<'a>, serde_json::Error> {
        let mut found = vec![None; self.texts.len()];
        self.root.find(json, &mut found)?;
        Ok(Found(found))
    }
}

impl<'a> Found<'a> {
    pub(crate) fn get(&self, slot: usize) -> Option<&'a str> {
        self.0.get(slot).copied().flatten()
    }
}

fn unescaped(token: &str) -> Result<String, String> {
    let mut text = String::with_capacity(token.len());
    let mut characters = token.chars();
    while let Some(character) = characters.next() {
        match character {
            '~' => match characters.next() {
                Some('0') => text.push('~'),
                Some('1') => text.push('/'),
                _ => return Err(format!("`{token}` has a `~` that is neither `~0` nor `~1`")),
            },
            _ => text.push(character),
        }
    }
    Ok(text)
}

impl Step {
    fn member(&mut self, name: String) -> &mut Self {
        let at = self.members.iter().position(|(member, _)| *member == name).unwrap_or_else(|| {
            self.members.push((name, Self::default()));
            self.members.len() - 1
        });
        &mut self.members[at].1
    }

    fn find<'a>(&self, json: &'a str, found: &mut [Option<&'a str>]) -> Result<(), serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        Walk { step: self, found }.deserialize(&mut deserializer)?;
        deserializer.end()
    }

    fn find_below<'a>(&self, json: &'a str, found: &mut [Option<&'a str>]) -> Result<(), serde_json::Error> {
        serde_json::Deserializer::from_str(json).deserialize_any(Walk { step: self, found })
    }
}

/// Walks through a value along the steps, and skips everything else.
struct Walk<'s, 'f, 'a> {
    step: &'s Step,
    found: &'f mut [Option<&'a str>],
}

impl<'a> DeserializeSeed<'a> for Walk<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        let Some(slot) = self.step.slot else { return deserializer.deserialize_any(self) };
        let raw = <&'a RawValue as serde::Deserialize>::deserialize(deserializer)?.get();
        self.found[slot] = Some(raw);
        match self.step.members.is_empty() {
            true => Ok(()),
            // Some want what is in it too.
            false => self.step.find_below(raw, self.found).map_err(serde::de::Error::custom),
        }
    }
}

impl<'a> Visitor<'a> for Walk<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(member) = map.next_key_seed(Which(&self.step.members))? {
            match member {
                Some(step) => map.next_value_seed(Walk { step, found: &mut *self.found })?,
                None => map.next_value::<IgnoredAny>().map(drop)?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        for number in 0_usize.. {
            let name = number.to_string();
            let more = match self.step.members.iter().find(|(member, _)| *member == name) {
                Some((_, step)) => seq.next_element_seed(Walk { step, found: &mut *self.found })?.is_some(),
                None => seq.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                break;
            }
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Reads a key, and says whether it is on the way.
struct Which<'s>(&'s [(String, Step)]);

impl<'a, 's> DeserializeSeed<'a> for Which<'s> {
    type Value = Option<&'s Step>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'s> Visitor<'_> for Which<'s> {
    type Value = Option<&'s Step>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().find(|(member, _)| member == key).map(|(_, step)| step))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// Documents with the keys that pointers have to escape, and with numbers as keys.
    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a\"\\\\é\n]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 4, |inner| {
            let key = prop_oneof![Just("a"), Just("0"), Just("1"), Just("m~n"), Just("x/y"), Just("\"é")];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(key.prop_map(str::to_owned), inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn pointer() -> impl Strategy<Value = String> {
        let token = prop_oneof![Just("a"), Just("0"), Just("1"), Just("m~0n"), Just("x~1y"), Just("\"é"), Just("9")];
        prop::collection::vec(token, 0..5).prop_map(|tokens| tokens.iter().map(|token| format!("/{token}")).collect())
    }

    proptest! {
        /// All at once find what one by one find in a tree.
        #[test]
        fn finds_what_a_tree_has(document in document(), wanted in prop::collection::vec(pointer(), 1..6)) {
            let mut pointers = Pointers::default();
            let slots: Vec<_> = wanted.iter().map(|pointer| pointers.slot(pointer).unwrap_or(usize::MAX)).collect();
            let text = document.to_string();
            let found = pointers.find(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
            for (pointer, slot) in wanted.iter().zip(slots) {
                let expected = document.pointer(pointer).map(Value::to_string);
                prop_assert_eq!(found.get(slot), expected.as_deref(), "{} in {}", pointer, text);
            }
        }
    }
}
