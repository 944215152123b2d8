//! What was allowed, until it is known how it ended.

use vak_audit::About;
use vak_types::{Action, ActionId, AgentId};

use crate::host::Decided;
use crate::limiter::Held;

/// An allowed action without an outcome: what recording one takes and nothing
/// else, since thousands may wait for theirs.
#[derive(Debug)]
pub struct Begun {
    pub(crate) about: About,
    /// The decision's place in the log.
    pub(crate) decision: u64,
    /// What ends with it, if anything does.
    pub(crate) held: Option<Box<Held>>,
}

impl Begun {
    /// `action`, if it was allowed and that is recorded.
    pub fn of(action: &Action, decided: Decided) -> Option<Self> {
        let receipt = decided.receipt.filter(|_| decided.verdict.is_allow())?;
        let held = decided.held.filter(Held::awaits_outcome).map(Box::new);
        Some(Self { about: About::of(action), decision: receipt.seq(), held })
    }

    /// The action's id.
    pub fn action(&self) -> &ActionId {
        &self.about.action
    }

    /// The agent that acts.
    pub fn agent(&self) -> &AgentId {
        &self.about.agent
    }
}
