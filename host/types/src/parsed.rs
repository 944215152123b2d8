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
