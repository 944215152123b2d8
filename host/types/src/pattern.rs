//! Names by their beginning.

use std::fmt;
use std::str::FromStr;

use crate::TextError;

/// One name (`files/read`), those that begin with what is before a `*` at the
/// end (`files/*`), or all (`*`). A name with a `*` of its own is matched by its
/// beginning only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern<T> {
    /// `None` for all.
    start: Option<T>,
    open: bool,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Only the last character is special.
    #[error("the pattern `{0}` has a `*` before its end; only the last character can be `*`")]
    Star(String),
    /// What no name can begin with would never match, which nobody means.
    #[error("the pattern `{pattern}` matches nothing: {source}")]
    Never {
        /// The pattern.
        pattern: String,
        /// What is wrong with it as a name.
        source: TextError,
    },
}

impl<T> Pattern<T> {
    /// All names.
    pub fn every() -> Self {
        Self { start: None, open: true }
    }

    /// The one name that it matches, if it is one.
    pub fn name(&self) -> Option<&T> {
        self.start.as_ref().filter(|_| !self.open)
    }
}

impl<T: AsRef<str>> Pattern<T> {
    /// Whether it is a pattern of `name`.
    pub fn matches(&self, name: &T) -> bool {
        match (&self.start, self.open) {
            (None, _) => true,
            (Some(start), true) => name.as_ref().starts_with(start.as_ref()),
            (Some(start), false) => name.as_ref() == start.as_ref(),
        }
    }

    /// Whether one of `patterns` is.
    pub fn any(patterns: &[Self], name: &T) -> bool {
        patterns.iter().any(|pattern| pattern.matches(name))
    }
}

impl<T: FromStr<Err = TextError>> FromStr for Pattern<T> {
    type Err = PatternError;

    fn from_str(pattern: &str) -> Result<Self, PatternError> {
        let (start, open) = match pattern.strip_suffix('*') {
            Some("") => return Ok(Self::every()),
            Some(start) => (start, true),
            None => (pattern, false),
        };
        if start.contains('*') {
            return Err(PatternError::Star(pattern.to_owned()));
        }
        let start = start.parse().map_err(|source| PatternError::Never { pattern: pattern.to_owned(), source })?;
        Ok(Self { start: Some(start), open })
    }
}

impl<T: AsRef<str>> fmt::Display for Pattern<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = self.start.as_ref().map_or("", AsRef::as_ref);
        write!(f, "{start}{}", if self.open { "*" } else { "" })
    }
}

impl<T: AsRef<str>> serde::Serialize for Pattern<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, T: FromStr<Err = TextError>> serde::Deserialize<'de> for Pattern<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Name, Operation};

    #[test]
    fn names_one_some_or_all() {
        let cases = [
            ("*", "files/read", true),
            ("files/*", "files/read", true),
            ("files/*", "files/", true),
            ("files/*", "files", false),
            ("files/*", "FILES/read", false),
            ("files/read", "files/read", true),
            ("files/read", "files/read_all", false),
            ("files/read", "a/files/read", false),
        ];
        for (pattern, operation, matches) in cases {
            let parsed: Pattern<Operation> = pattern.parse().unwrap();
            assert_eq!(parsed.matches(&operation.parse().unwrap()), matches, "{pattern} on {operation}");
            assert_eq!(parsed.to_string(), pattern);
            assert_eq!(parsed.name().is_some(), !pattern.ends_with('*'));
            assert_eq!(serde_json::to_string(&parsed).unwrap(), format!("{pattern:?}"));
        }
    }

    #[test]
    fn refuses_patterns_that_mislead() {
        let cases = [
            ("*/write", "the pattern `*/write` has a `*` before its end; only the last character can be `*`"),
            ("**", "the pattern `**` has a `*` before its end; only the last character can be `*`"),
            ("", "the pattern `` matches nothing: name is empty; give it at least one character"),
            (
                "a b",
                "the pattern `a b` matches nothing: name has the character ' ' at byte 1, which is not allowed there",
            ),
        ];
        for (pattern, message) in cases {
            assert_eq!(pattern.parse::<Pattern<Name>>().unwrap_err().to_string(), message);
        }
    }
}
