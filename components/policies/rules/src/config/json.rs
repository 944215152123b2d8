//! JSON texts.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::node::{Data, Key, Node, Problem};
use crate::tree::Tree;

/// Levels of lists and tables. Reading is recursive, and conditions are limited
/// to less.
const NESTING_MAX: usize = 64;

/// Gives `take` the table of `text`, and one more table for each rule in it: a
/// whole file at once takes many times its size in memory.
pub(crate) fn read<'a>(text: &'a str, mut take: impl FnMut(Node<'a>) -> Result<(), Problem>) -> Result<(), Problem> {
    let reader = Reader { text };
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| {
        let line = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        Problem::new((line + error.column().saturating_sub(1)).min(text.len()), message)
    })?;
    let (mut document, mut rules) = (Vec::new(), None);
    for (key, value) in reader.members(raw)? {
        match &*key.name {
            "rule" if value.get().starts_with('[') => rules = Some((key, value)),
            _ => document.push((key, reader.node(value, 1)?)),
        }
    }
    take(Node { at: reader.place(raw), data: Data::Table(document) })?;
    let Some((_, list)) = rules else { return Ok(()) };
    let Items(items) = reader.parse(list)?;
    for rule in items {
        let at = reader.place(rule);
        let list = Node { at, data: Data::List(vec![reader.node(rule, 2)?]) };
        let key = Key { at, name: Cow::Borrowed("rule") };
        take(Node { at, data: Data::Table(vec![(key, list)]) })?;
    }
    Ok(())
}

struct Reader<'a> {
    text: &'a str,
}

struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

struct Items<'a>(Vec<&'a RawValue>);

impl<'a> Reader<'a> {
    /// The byte that a part of the text starts at.
    fn place(&self, raw: &RawValue) -> usize {
        (raw.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize)
    }

    fn parse<T: Deserialize<'a>>(&self, raw: &'a RawValue) -> Result<T, Problem> {
        serde_json::from_str(raw.get()).map_err(|_| Problem::new(self.place(raw), "the JSON value is not valid"))
    }

    fn members(&self, raw: &'a RawValue) -> Result<Vec<(Key<'a>, &'a RawValue)>, Problem> {
        let Members(members) = self.parse(raw)?;
        let mut keys: Vec<(Key<'a>, &RawValue)> = Vec::with_capacity(members.len());
        let mut names = rustc_hash::FxHashSet::default();
        for (key, value) in members {
            let at = self.place(key);
            let Tree::Text(name) = self.parse(key)? else { return Err(Problem::new(at, "the name is not a text")) };
            if !names.insert(name.clone()) {
                return Err(Problem::new(at, format!("the field `{name}` stands twice")));
            }
            keys.push((Key { at, name }, value));
        }
        Ok(keys)
    }

    fn node(&self, raw: &'a RawValue, depth: usize) -> Result<Node<'a>, Problem> {
        let at = self.place(raw);
        if depth > NESTING_MAX {
            return Err(Problem::new(at, format!("nested deeper than {NESTING_MAX} levels")));
        }
        let data = match raw.get().as_bytes().first() {
            Some(b'{') => {
                let entry = |(key, value)| Ok((key, self.node(value, depth + 1)?));
                Data::Table(self.members(raw)?.into_iter().map(entry).collect::<Result<_, _>>()?)
            }
            Some(b'[') => {
                let Items(items) = self.parse(raw)?;
                Data::List(items.into_iter().map(|item| self.node(item, depth + 1)).collect::<Result<_, _>>()?)
            }
            _ => match self.parse(raw)? {
                Tree::Bool(value) => Data::Bool(value),
                Tree::Number(number) => Data::Number(number),
                Tree::Text(text) => Data::Text(text),
                Tree::Null | Tree::Array(_) | Tree::Object(_) => Data::Null,
            },
        };
        Ok(Node { at, data })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Parts).map(|(members, _)| Self(members))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Parts).map(|(_, items)| Self(items))
    }
}

/// Takes a list or an object apart, one level deep.
struct Parts;

impl<'de> Visitor<'de> for Parts {
    type Value = (Vec<(&'de RawValue, &'de RawValue)>, Vec<&'de RawValue>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok((members, Vec::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok((Vec::new(), items))
    }
}
