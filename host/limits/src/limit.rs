//! One configured limit.

use vak_types::LimitName;

use crate::{OperationPattern, Rate};

/// Who shares one bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    /// Each agent has its own.
    Agent,
    /// Each operation has its own, whoever asks for it.
    Operation,
    /// Each pair of agent and operation has its own.
    AgentAndOperation,
    /// Each session has its own. Two agents that use the same session id do
    /// not share it: an agent could otherwise use up another's session.
    Session,
    /// One for everything on this host.
    Host,
}

impl Per {
    /// True when agents never share a bucket.
    pub(crate) fn divides_agents(self) -> bool {
        match self {
            Self::Agent | Self::AgentAndOperation | Self::Session => true,
            Self::Operation | Self::Host => false,
        }
    }
}

/// How often the actions that it covers may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Names it in verdicts; unique among the limits of a host.
    pub name: LimitName,
    /// Who shares one bucket.
    pub per: Per,
    /// Which operations it covers. The others pass uncounted.
    pub operations: OperationPattern,
    /// How often.
    pub rate: Rate,
}
