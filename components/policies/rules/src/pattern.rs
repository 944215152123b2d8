//! What names and texts are matched with.

use crate::glob::Glob;
use crate::regex::Expression;

/// What a regular expression is written after where a pattern is expected.
pub(crate) const REGEX: &str = "re:";

/// A glob, or `re:` and a regular expression.
#[derive(Debug)]
pub(crate) enum Pattern {
    Glob(Glob),
    // Boxed: most are globs.
    Regex(Box<Expression>),
}

/// Whether one of the patterns matches; none at all stands for any.
pub(crate) fn any(patterns: &[Pattern], text: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(text))
}

impl Pattern {
    /// Reads a pattern.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text.strip_prefix(REGEX) {
            Some(expression) => Self::regex(expression),
            None => Glob::parse(text).map(Self::Glob),
        }
    }

    /// Reads a regular expression.
    pub(crate) fn regex(expression: &str) -> Result<Self, String> {
        Ok(Self::Regex(Box::new(Expression::parse(expression)?)))
    }

    /// Whether the whole of `text` matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Glob(glob) => glob.matches(text),
            Self::Regex(expression) => expression.matches(text),
        }
    }

    /// As it is written where a pattern is expected, in two parts.
    pub(crate) fn text(&self) -> (&'static str, &str) {
        match self {
            Self::Glob(glob) => ("", glob.text()),
            Self::Regex(expression) => (REGEX, expression.text()),
        }
    }

    /// The literal text every match starts with.
    pub(crate) fn prefix(&self) -> &str {
        match self {
            Self::Glob(glob) => glob.prefix(),
            Self::Regex(expression) => expression.prefix(),
        }
    }

    /// True when only [`prefix`](Self::prefix) itself matches.
    pub(crate) fn is_exact(&self) -> bool {
        match self {
            Self::Glob(glob) => glob.is_exact(),
            Self::Regex(_) => false,
        }
    }
}
