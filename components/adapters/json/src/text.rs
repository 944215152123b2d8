//! Texts with places in them for what a message says.

use vak_sdk::adapter::AdapterError;

use crate::scope::{Reference, Scope, Sight};

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part<P> {
    Fixed(String),
    Place(P),
}

/// Splits `a{/b}c` into its parts; `{{` and `}}` are braces.
pub(crate) fn parts<P>(text: &str, mut place: impl FnMut(&str) -> Result<P, String>) -> Result<Vec<Part<P>>, String> {
    let (mut parts, mut fixed, mut rest) = (Vec::new(), String::new(), text);
    while let Some(at) = rest.find(['{', '}']) {
        fixed.push_str(&rest[..at]);
        let (brace, after) = rest[at..].split_at(1);
        if let Some(after) = after.strip_prefix(brace) {
            fixed.push_str(brace);
            rest = after;
            continue;
        }
        let (name, after) = match (brace, after.split_once('}')) {
            ("{", Some((name, after))) => (name, after),
            _ => return Err(format!("`{text}` has a `{brace}` by itself; write it twice to mean the character")),
        };
        if !fixed.is_empty() {
            parts.push(Part::Fixed(std::mem::take(&mut fixed)));
        }
        parts.push(Part::Place(place(name)?));
        rest = after;
    }
    fixed.push_str(rest);
    if !fixed.is_empty() || parts.is_empty() {
        parts.push(Part::Fixed(fixed));
    }
    Ok(parts)
}

/// A name that is put together from what a message says, so that no two messages
/// that say different things are given the same.
#[derive(Debug)]
pub(crate) struct Name(Vec<Part<Reference>>);

impl Name {
    /// Reads one. What is behind a place has to end what is put there.
    pub(crate) fn read(text: &str, scope: &mut Scope, may_miss: bool) -> Result<Self, String> {
        let parts = parts(text, |name| scope.reference(name))?;
        for pair in parts.windows(2) {
            if let [Part::Place(_), Part::Place(_)] = pair {
                return Err(format!("`{text}` has two places with nothing between them"));
            }
        }
        let optional = |part: &Part<Reference>| matches!(part, Part::Place(reference) if reference.optional);
        if !may_miss && parts.iter().any(optional) {
            return Err(format!("`{text}` may miss nothing; take the `?` away"));
        }
        if text.is_empty() {
            return Err("the text is empty".to_owned());
        }
        Ok(Self(parts))
    }

    /// What it is for a message. `None` if something that may be missing is.
    pub(crate) fn of(&self, sight: Sight<'_, '_>) -> Result<Option<String>, AdapterError> {
        let mut name = String::new();
        for (number, part) in self.0.iter().enumerate() {
            match part {
                Part::Fixed(text) => name.push_str(text),
                Part::Place(reference) => {
                    let Some(value) = reference.plain(sight)? else { return Ok(None) };
                    if value.is_empty() {
                        return Err(reference.wrong("more than an empty text"));
                    }
                    let end = match self.0.get(number + 1) {
                        Some(Part::Fixed(text)) => text.chars().next(),
                        _ => None,
                    };
                    if let Some(end) = end.filter(|end| value.contains(*end)) {
                        return Err(reference.wrong(&format!("without `{end}`, which ends it here")));
                    }
                    name.push_str(&value);
                }
            }
        }
        Ok(Some(name))
    }

    /// What it is for a message, where nothing may be missing.
    pub(crate) fn needed(&self, sight: Sight<'_, '_>) -> Result<String, AdapterError> {
        self.of(sight)?.ok_or_else(|| AdapterError::malformed("a name is missing"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the name is for a message with these members.
    fn name(template: &str, [a, b, c]: &[String; 3]) -> Option<String> {
        let mut scope = Scope::default();
        let name = Name::read(template, &mut scope, false).ok()?;
        let text = serde_json::json!({ "a": a, "b": b, "c": c }).to_string();
        let found = scope.message.find(&text).ok()?;
        name.needed(Sight { message: &found, item: None }).ok()
    }

    proptest! {
        #[test]
        fn two_messages_are_never_given_one_name(
            one in prop::array::uniform3("[a/:{]{1,4}"),
            other in prop::array::uniform3("[a/:{]{1,4}"),
        ) {
            for template in ["{/a}/{/b}:{/c}", "x{/a}:/{/b}/{/c}y", "{/a}:{/b}{{{/c}"] {
                if let (Some(first), Some(second)) = (name(template, &one), name(template, &other)) {
                    prop_assert!(first != second || one == other, "{} of {:?} and {:?}", first, one, other);
                }
            }
        }
    }
}
