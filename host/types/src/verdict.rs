//! What the host answers.

use std::fmt;
use std::sync::Arc;

use crate::{ComponentRef, LimitName, Obligation, PastMark};

/// The answer, from loosest to strictest. Joining two takes the stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The action may happen.
    Allow,
    /// The agent should go back and try another way.
    Backtrack,
    /// A person has to decide.
    Escalate,
    /// The action must not happen.
    Deny,
}

impl Decision {
    /// The stricter of the two. Commutative, associative, idempotent.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        self.max(other)
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Backtrack => "backtrack",
            Self::Escalate => "escalate",
            Self::Deny => "deny",
        })
    }
}

/// What one voice in the decision said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Nothing to say about this action.
    Abstain,
    /// It may happen, as far as this voice is concerned.
    Permit,
    /// The agent should try another way.
    Backtrack,
    /// A person should decide.
    Escalate,
    /// It must not happen.
    Forbid,
}

impl Effect {
    /// The decision this effect pushes to; `None` for an abstention.
    pub fn decision(self) -> Option<Decision> {
        match self {
            Self::Abstain => None,
            Self::Permit => Some(Decision::Allow),
            Self::Backtrack => Some(Decision::Backtrack),
            Self::Escalate => Some(Decision::Escalate),
            Self::Forbid => Some(Decision::Deny),
        }
    }
}

/// How a component failed to answer. Each of these is a deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// It trapped: a bug, a panic or an explicit abort.
    Trap,
    /// It ran longer than its wall-time limit.
    TimeOut,
    /// It executed more instructions than its fuel limit.
    Fuel,
    /// It asked for more memory or tables than its limit.
    Memory,
    /// It recursed deeper than its stack.
    Stack,
    /// It called the host more often than its limit.
    HostCalls,
    /// Its answer was larger than its limit.
    Output,
    /// Its answer was not one that the interface allows.
    Malformed,
    /// It answered that it could not judge the action.
    Unjudged,
    /// It could not be started, or what it depends on was not there.
    Unavailable,
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Trap => "trap",
            Self::TimeOut => "time-out",
            Self::Fuel => "fuel",
            Self::Memory => "memory",
            Self::Stack => "stack",
            Self::HostCalls => "host-calls",
            Self::Output => "output",
            Self::Malformed => "malformed",
            Self::Unjudged => "unjudged",
            Self::Unavailable => "unavailable",
        })
    }
}

/// A component that did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// What happened, for a person.
    pub message: String,
}

/// Who spoke.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The host itself: default deny, or the ledger.
    Host,
    /// A configured limit.
    Limit(LimitName),
    /// A component.
    Component(Arc<ComponentRef>),
}

/// One voice in a verdict.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Who spoke.
    pub source: Source,
    /// What it said.
    pub effect: Effect,
    /// The rule that decided, as the component names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Set when the component failed rather than answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureKind>,
    /// Why, for a person.
    pub message: String,
}

impl Reason {
    /// A reason of the host's own.
    pub fn host(effect: Effect, message: impl Into<String>) -> Self {
        Self { source: Source::Host, effect, rule: None, failure: None, message: message.into() }
    }
}

/// Who said what, in one line: ``policy `files`, rule `no-secrets`: …``.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Host => f.write_str("host")?,
            Source::Limit(name) => write!(f, "limit `{name}`")?,
            Source::Component(component) => write!(f, "policy `{}`", component.name)?,
        }
        if let Some(rule) = &self.rule {
            write!(f, ", rule `{rule}`")?;
        }
        if let Some(failure) = self.failure {
            write!(f, ", failed ({failure})")?;
        }
        match self.message.as_str() {
            "" => Ok(()),
            message => write!(f, ": {message}"),
        }
    }
}

/// The host's answer to one action, with everybody who had a say.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// The answer.
    pub decision: Decision,
    /// Every voice, in the order they were heard.
    pub reasons: Vec<Reason>,
    /// What has to be done with an action that is allowed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obligations: Vec<Obligation>,
    /// Milliseconds after which a rate limited action can succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// What the session did before, where policies ask for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub past: Option<PastMark>,
    /// The place in the log of the person's yes that was counted on, where the
    /// action was escalated before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<u64>,
    /// True when the host that decided runs a component without a signature.
    pub unsigned: bool,
}

impl Verdict {
    /// True for [`Decision::Allow`], and for nothing else.
    pub fn is_allow(&self) -> bool {
        self.decision == Decision::Allow
    }

    /// Whether policies were asked: where a limit has no room, they are not.
    pub fn is_judged(&self) -> bool {
        !self.reasons.iter().any(|reason| matches!(reason.source, Source::Limit(_)))
    }

    /// What a person is asked to decide: the voices that escalate.
    pub fn escalations(&self) -> impl Iterator<Item = &Reason> {
        self.reasons.iter().filter(|reason| reason.effect == Effect::Escalate)
    }

    /// The first voice that pushed to the final decision.
    pub fn deciding(&self) -> Option<&Reason> {
        self.reasons.iter().find(|reason| reason.effect.decision() == Some(self.decision))
    }
}
