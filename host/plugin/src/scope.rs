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
        let Self { agents, operations } = self;
        (agents.is_empty() || Pattern::any(agents, &action.agent))
            && (operations.is_empty() || Pattern::any(operations, &action.operation))
    }
}
