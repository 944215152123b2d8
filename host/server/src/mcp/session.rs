//! On whose behalf calls are made.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use vak::{Caller, SessionId};
use vak_types::{AgentId, Label};

use super::error::McpError;

/// What one client does after the other: its agent, and the session that its
/// actions belong to.
///
/// What a client was told by an upstream may be in everything that it asks for
/// after that, so the session's later actions are labelled with it, to its end.
#[derive(Debug)]
pub(crate) struct Session {
    agent: AgentId,
    id: SessionId,
    /// One for each upstream at the most.
    heard: Mutex<BTreeSet<Label>>,
}

impl Session {
    /// A new one, with a random id: sessions of one agent must not share their
    /// limits by accident or by guess.
    pub(crate) fn new(agent: AgentId) -> Result<Self, McpError> {
        let id = u128::from(getrandom::u64()?) << 64 | u128::from(getrandom::u64()?);
        Ok(Self { agent, id: format!("mcp-{id:032x}").parse()?, heard: Mutex::default() })
    }

    /// Whose calls these are, for a sentence.
    pub(crate) fn words(&self) -> String {
        format!("of `{}` in session `{}`", self.agent, self.id)
    }

    /// Who acts now.
    pub(crate) fn caller(&self) -> Caller {
        let labels = self.heard.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect();
        Caller { agent: self.agent.clone(), session: self.id.clone(), labels }
    }

    /// Marks what comes after this with a label. To be called before the client
    /// is told anything.
    pub(crate) fn hears(&self, label: Label) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).insert(label);
    }
}
