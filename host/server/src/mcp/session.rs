//! On whose behalf calls are made.

use vak::{Caller, SessionId};
use vak_types::AgentId;

use super::error::McpError;

/// What one client does after the other: its agent, and the session that its
/// actions belong to.
#[derive(Debug)]
pub(crate) struct Session {
    agent: AgentId,
    id: SessionId,
}

impl Session {
    /// A new one, with a random id: sessions of one agent must not share their
    /// limits by accident or by guess.
    pub(crate) fn new(agent: AgentId) -> Result<Self, McpError> {
        let id = u128::from(getrandom::u64()?) << 64 | u128::from(getrandom::u64()?);
        Ok(Self { agent, id: format!("mcp-{id:032x}").parse()? })
    }

    /// Who acts now.
    pub(crate) fn caller(&self) -> Caller {
        Caller { agent: self.agent.clone(), session: self.id.clone(), labels: Vec::new() }
    }
}
