//! References that lead out of a schema.

use std::error::Error;

use jsonschema::{Retrieve, Uri};
use serde_json::Value;

/// Fetches nothing.
pub(crate) struct Offline;

#[derive(Debug)]
struct Remote(String);

impl std::fmt::Display for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` is not in the schema, and nothing is fetched; put it under `$defs`", self.0)
    }
}

impl Error for Remote {}

impl Retrieve for Offline {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn Error + Send + Sync>> {
        Err(Box::new(Remote(uri.as_str().to_owned())))
    }
}
