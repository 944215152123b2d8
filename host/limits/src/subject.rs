//! What a bucket counts for.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use vak_types::{Action, AgentId, Operation, SessionId};

use crate::Per;

/// The part of a key that comes from an action. The ids share their text with
/// the action, so keeping one copies nothing.
#[derive(Debug)]
pub(crate) enum Subject {
    Agent(AgentId),
    Operation(Operation),
    AgentAndOperation(AgentId, Operation),
    Session(AgentId, SessionId),
    Host,
}

impl Subject {
    pub(crate) fn of(per: Per, action: &Action) -> Self {
        match per {
            Per::Agent => Self::Agent(action.agent.clone()),
            Per::Operation => Self::Operation(action.operation.clone()),
            Per::AgentAndOperation => Self::AgentAndOperation(action.agent.clone(), action.operation.clone()),
            Per::Session => Self::Session(action.agent.clone(), action.session.clone()),
            Per::Host => Self::Host,
        }
    }

    /// True for the subject that [`Subject::of`] would make of `action`.
    /// Compares field by field: `ab`, `c` is never `a`, `bc`.
    pub(crate) fn is_of(&self, action: &Action) -> bool {
        match self {
            Self::Agent(agent) => *agent == action.agent,
            Self::Operation(operation) => *operation == action.operation,
            Self::AgentAndOperation(agent, operation) => *agent == action.agent && *operation == action.operation,
            Self::Session(agent, session) => *agent == action.agent && *session == action.session,
            Self::Host => true,
        }
    }
}

/// The hashes of an action's names, each computed once and only when needed.
pub(crate) struct NameHashes<'a> {
    state: &'a RandomState,
    action: &'a Action,
    agent: Option<u64>,
    operation: Option<u64>,
    session: Option<u64>,
}

impl<'a> NameHashes<'a> {
    pub(crate) fn new(state: &'a RandomState, action: &'a Action) -> Self {
        Self { state, action, agent: None, operation: None, session: None }
    }

    pub(crate) fn agent(&mut self) -> u64 {
        *self.agent.get_or_insert_with(|| self.state.hash_one(&self.action.agent))
    }

    fn operation(&mut self) -> u64 {
        *self.operation.get_or_insert_with(|| self.state.hash_one(&self.action.operation))
    }

    fn session(&mut self) -> u64 {
        *self.session.get_or_insert_with(|| self.state.hash_one(&self.action.session))
    }

    /// The hash of what the limit number `limit` counts the action under. Names
    /// are hashed under a key, so mixing them needs no more than to tell the
    /// order and the limit apart; [`Subject::is_of`] is what keeps keys apart.
    pub(crate) fn subject(&mut self, per: Per, limit: usize) -> u64 {
        // Odd, without pattern: 2^64 divided by the golden ratio.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let (first, second) = match per {
            Per::Agent => (self.agent(), 0),
            Per::Operation => (self.operation(), 0),
            Per::AgentAndOperation => (self.agent(), self.operation()),
            Per::Session => (self.agent(), self.session()),
            Per::Host => (0, 0),
        };
        (first ^ second.rotate_left(32)).wrapping_add(limit as u64 + 1).wrapping_mul(SPREAD)
    }
}

/// For a sentence: ``agent `ada` ``.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent(agent) => write!(f, "agent `{agent}`"),
            Self::Operation(operation) => write!(f, "operation `{operation}`"),
            Self::AgentAndOperation(agent, operation) => write!(f, "agent `{agent}` in operation `{operation}`"),
            Self::Session(agent, session) => write!(f, "session `{session}` of agent `{agent}`"),
            Self::Host => f.write_str("this host"),
        }
    }
}
