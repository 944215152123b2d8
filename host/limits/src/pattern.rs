//! Which operations a limit covers.

use std::fmt;
use std::str::FromStr;

use vak_types::Operation;

use crate::Error;

/// An operation (`files/write_file`), the start of one (`files/*`), or every
/// operation (`*`). Only a `*` at the end is special.
///
/// An operation whose own name contains `*` can be matched by its start only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationPattern(Form);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    All,
    Prefix(Operation),
    Exact(Operation),
}

impl OperationPattern {
    pub(crate) fn matches(&self, operation: &Operation) -> bool {
        match &self.0 {
            Form::All => true,
            Form::Prefix(prefix) => operation.as_str().starts_with(prefix.as_str()),
            Form::Exact(exact) => operation == exact,
        }
    }
}

impl FromStr for OperationPattern {
    type Err = Error;

    fn from_str(pattern: &str) -> Result<Self, Error> {
        let (start, is_prefix) = match pattern.strip_suffix('*') {
            Some("") => return Ok(Self(Form::All)),
            Some(prefix) => (prefix, true),
            None => (pattern, false),
        };
        if start.contains('*') {
            return Err(Error::Pattern { pattern: pattern.to_owned() });
        }
        // Whatever is not the start of an operation would be a limit that
        // never applies, which nobody means.
        let start = start.parse().map_err(|source| Error::Operation { pattern: pattern.to_owned(), source })?;
        Ok(Self(if is_prefix { Form::Prefix(start) } else { Form::Exact(start) }))
    }
}

impl fmt::Display for OperationPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::All => f.write_str("*"),
            Form::Prefix(prefix) => write!(f, "{prefix}*"),
            Form::Exact(exact) => exact.fmt(f),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn covers_one_some_or_all() {
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
            let parsed: OperationPattern = pattern.parse().unwrap();
            assert_eq!(parsed.matches(&operation.parse().unwrap()), matches, "{pattern} on {operation}");
            assert_eq!(parsed.to_string(), pattern);
        }
    }

    #[test]
    fn refuses_patterns_that_mislead() {
        let cases = [
            ("*/write", "the pattern `*/write` has a `*` before its end; only the last character can be `*`"),
            ("**", "the pattern `**` has a `*` before its end; only the last character can be `*`"),
            ("", "the pattern `` matches no operation: operation is empty; give it at least one character"),
        ];
        for (pattern, message) in cases {
            assert_eq!(pattern.parse::<OperationPattern>().unwrap_err().to_string(), message);
        }
    }
}
