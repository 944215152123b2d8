//! Whose action an entry is about.

use vak_types::{Action, ActionId, AgentId, SessionId};

use crate::codec::{DecodeError, Reader, Writer};

/// Names the action that an entry is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The agent that acts.
    pub agent: AgentId,
    /// The session it acts in.
    pub session: SessionId,
    /// The action.
    pub action: ActionId,
}

impl About {
    /// Names `action`.
    pub fn of(action: &Action) -> Self {
        Self { agent: action.agent.clone(), session: action.session.clone(), action: action.id.clone() }
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        write(writer, &self.agent, &self.session, &self.action);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            agent: reader.checked("agent")?,
            session: reader.checked("session")?,
            action: reader.checked("action")?,
        })
    }
}

/// Writes what [`About::read`] reads, from where it is borrowed.
pub(crate) fn write_about(writer: &mut Writer, action: &Action) {
    write(writer, &action.agent, &action.session, &action.id);
}

fn write(writer: &mut Writer, agent: &AgentId, session: &SessionId, action: &ActionId) {
    writer.text(agent.as_str());
    writer.text(session.as_str());
    writer.text(action.as_str());
}
