//! Values that are written as texts.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Error, Visitor};

/// Reads a value from a text where it stands, without a copy.
pub(crate) struct Parsed<T> {
    what: &'static str,
    of: PhantomData<T>,
}

impl<T> Parsed<T> {
    /// `what` names it for whoever gave something else than a text.
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what, of: PhantomData }
    }
}

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Parsed<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as a string", self.what)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use crate::{AgentId, Digest};

    #[test]
    fn what_is_no_text_or_not_a_fitting_one_is_refused() {
        // With an escape in it, a text does not stand as it is.
        assert_eq!(serde_json::from_str::<AgentId>(r#""a\u0062""#).unwrap().as_str(), "ab");
        let refused = |text: &str| serde_json::from_str::<AgentId>(text).unwrap_err().to_string();
        assert!(refused("1").contains("expected agent id as a string"), "{}", refused("1"));
        assert!(refused(r#""""#).contains("is empty"));
        assert!(refused(r#""a\u0000""#).contains("not allowed there"));
        for text in ["null", "[]", r#""sha256:00""#, r#"{"sha256": 1}"#] {
            assert!(serde_json::from_str::<Digest>(text).is_err(), "{text}");
        }
    }
}
