//! Which actions a policy is asked about.

use vak_types::{Action, AgentId, Operation, Pattern};

/// Agents and operations. An empty list means any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// Whose actions.
    pub agents: Vec<Pattern<AgentId>>,
    /// What they do.
    pub operations: Vec<Pattern<Operation>>,
}

impl Scope {
    pub(crate) fn covers(&self, action: &Action) -> bool {
        self.covers_names(&action.agent, &action.operation)
    }

    pub(crate) fn covers_names(&self, agent: &AgentId, operation: &Operation) -> bool {
        let Self { agents, operations } = self;
        (agents.is_empty() || Pattern::any(agents, agent))
            && (operations.is_empty() || Pattern::any(operations, operation))
    }
}
