//! What a template can refer to: the message, and the item of it that is looked at.

use vak_sdk::adapter::AdapterError;

use crate::pointer::{Found, Pointers};

/// The pointers of a message, and those below each item of a list in it.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    pub(crate) message: Pointers,
    pub(crate) item: Option<Pointers>,
}

/// What they point to.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'s, 'a> {
    pub(crate) message: &'s Found<'a>,
    pub(crate) item: Option<&'s Found<'a>>,
}

/// A pointer in a mapping: `/a/b` from the message, `./a/b` from the item, and `?`
/// behind either if it may point to nothing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reference {
    text: String,
    slot: usize,
    of_item: bool,
    pub(crate) optional: bool,
}

impl Scope {
    pub(crate) fn reference(&mut self, text: &str) -> Result<Reference, String> {
        let (pointer, optional) = match text.strip_suffix('?') {
            Some(pointer) => (pointer, true),
            None => (text, false),
        };
        let (slot, of_item) = match (pointer.strip_prefix('.'), &mut self.item) {
            (None, _) => (self.message.slot(pointer)?, false),
            (Some(pointer), Some(item)) => (item.slot(pointer)?, true),
            (Some(_), None) => return Err(format!("`{text}` is about an item, and there is no `each` here")),
        };
        Ok(Reference { text: text.to_owned(), slot, of_item, optional })
    }
}

impl Reference {
    /// The JSON it points to. `None` if that may be missing, and is, or is `null`.
    pub(crate) fn json<'a>(&self, sight: Sight<'_, 'a>) -> Result<Option<&'a str>, AdapterError> {
        let found = match self.of_item {
            true => sight.item.and_then(|item| item.get(self.slot)),
            false => sight.message.get(self.slot),
        };
        match found {
            Some("null") if self.optional => Ok(None),
            Some(json) => Ok(Some(json)),
            None if self.optional => Ok(None),
            None => Err(AdapterError::malformed(format!("`{}` is missing", self.text))),
        }
    }

    /// The same as a text: texts as they are, numbers and truth values as JSON.
    pub(crate) fn plain(&self, sight: Sight<'_, '_>) -> Result<Option<String>, AdapterError> {
        self.json(sight)?
            .map(|json| plain(json).ok_or_else(|| self.wrong("a text, a number or a truth value")))
            .transpose()
    }

    pub(crate) fn wrong(&self, wanted: &str) -> AdapterError {
        AdapterError::malformed(format!("`{}` is not {wanted}", self.text))
    }
}

/// A JSON value that is one word.
pub(crate) fn plain(json: &str) -> Option<String> {
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str(json).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(json.to_owned()),
    }
}
