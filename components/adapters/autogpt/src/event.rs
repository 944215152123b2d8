//! What a wrapper sends.

use serde::Deserialize;
use vak_sdk::adapter::{AdapterError, Ended, need, object};

use crate::{classic, platform};

/// Most actions of a message. The host takes no more.
pub(crate) const ITEMS_MAX: usize = 64;

/// One event.
pub(crate) enum Event {
    /// Something is about to be done, in this session.
    One(String, Box<Item>),
    /// Several things are about to be done or planned, in this session.
    Several(String, Vec<Item>),
    /// Calls have ended, or none that could be waiting.
    Ended(Vec<Ended>),
}

/// An action.
pub(crate) struct Item {
    pub(crate) call: Option<String>,
    pub(crate) operation: String,
    pub(crate) resource: String,
    pub(crate) arguments: String,
    pub(crate) labels: Vec<String>,
    /// What is to be reached by it, in words.
    pub(crate) goal: Option<String>,
    pub(crate) kind: Kind,
}

/// What can be answered about it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Block,
    Graph,
    Command,
    /// A goal, a plan or a step of one: words, that nothing can be changed in.
    Words,
}

impl Event {
    /// An event that is not known is an error: it could be one before something
    /// is done.
    pub(crate) fn read(text: &str) -> Result<Self, AdapterError> {
        #[derive(Deserialize)]
        struct Kind {
            event: Option<String>,
            event_type: Option<String>,
        }

        let Kind { event, event_type } = parse("the message", text)?;
        if let (None, Some(kind)) = (&event, event_type) {
            return platform::updated(&kind, text);
        }
        match &*need(event, "event")? {
            "block" => platform::block(text),
            "node_execution" => platform::node(text),
            "graph_execution" => platform::graph(text),
            "block_result" => platform::gave(text),
            "block_error" => platform::failed(text),
            "block_cancelled" => platform::cancelled(text),
            "task" => classic::task(text),
            "profile" => classic::profile(text),
            "plan" => classic::plan(text),
            "proposal" => classic::proposal(text),
            "command_result" => classic::result(text),
            other => Err(AdapterError::unknown(format!("`{other}` is no event that this adapter knows"))),
        }
    }
}

pub(crate) fn parse<'a, T: Deserialize<'a>>(name: &str, text: &'a str) -> Result<T, AdapterError> {
    serde_json::from_str(object(name, text)?).map_err(|error| AdapterError::malformed(format!("{name}: {error}")))
}

/// A name that is part of an operation, and no more than one part.
pub(crate) fn part(what: &str, name: String) -> Result<String, AdapterError> {
    match name.is_empty() || name.contains('/') {
        true => Err(AdapterError::malformed(format!("{what} is called `{name}`"))),
        false => Ok(name),
    }
}
