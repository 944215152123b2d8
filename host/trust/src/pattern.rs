//! Names of components, by pattern.

use std::fmt;

use serde::{Deserialize, Serialize};
use vak_types::{Name, TextError};

/// One name, or all that begin with what is before a `*` at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NamePattern {
    start: String,
    open: bool,
}

impl NamePattern {
    /// All names.
    pub(crate) fn every() -> Self {
        Self { start: String::new(), open: true }
    }

    /// Whether one of `patterns` names `name`.
    pub(crate) fn any(patterns: &[Self], name: &Name) -> bool {
        patterns.iter().any(|pattern| match pattern.open {
            true => name.as_str().starts_with(&pattern.start),
            false => name.as_str() == pattern.start,
        })
    }
}

impl TryFrom<String> for NamePattern {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        let (start, open) = match text.strip_suffix('*') {
            Some("") => return Ok(Self::every()),
            Some(start) => (start, true),
            None => (text.as_str(), false),
        };
        // What no name can have would never match.
        let start: Name = start.parse()?;
        Ok(Self { start: start.into(), open })
    }
}

impl From<NamePattern> for String {
    fn from(pattern: NamePattern) -> String {
        pattern.to_string()
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.start, if self.open { "*" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_one_or_those_with_a_beginning() {
        let cases = [("acme-*", "acme-mail", true), ("acme-*", "acme", false), ("acme", "acme-mail", false)];
        for (pattern, name, matches) in cases {
            let pattern = NamePattern::try_from(pattern.to_owned()).unwrap();
            assert_eq!(NamePattern::any(&[pattern], &name.parse().unwrap()), matches, "{name}");
        }
        assert!(NamePattern::any(&[NamePattern::every()], &"x".parse().unwrap()));
        for bad in ["", "a*b", "**", "a b", "/"] {
            assert!(NamePattern::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
