//! What can be wrong with a configuration, and the refusal of an action.

use std::time::Duration;

use vak_types::{LimitName, TextError};

use crate::{Limits, Rate};

/// Why limits were not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The burst is outside 1 to [`Rate::ACTIONS_MAX`].
    #[error("a burst of `{burst}` actions is not possible; choose 1 to {}", Rate::ACTIONS_MAX)]
    Burst {
        /// Actions at once, as given.
        burst: u32,
    },
    /// The refill is outside 1 to [`Rate::ACTIONS_MAX`].
    #[error("a refill of `{actions}` actions is not possible; choose 1 to {}", Rate::ACTIONS_MAX)]
    Refill {
        /// Actions in each period, as given.
        actions: u32,
    },
    /// The period is zero or longer than [`Rate::PERIOD_MAX`].
    #[error("a period of `{period:?}` is not possible; choose 1ns to {:?}", Rate::PERIOD_MAX)]
    Period {
        /// The period as given.
        period: Duration,
    },
    /// A `*` stands before the end of a pattern.
    #[error("the pattern `{pattern}` has a `*` before its end; only the last character can be `*`")]
    Pattern {
        /// The pattern as given.
        pattern: String,
    },
    /// A pattern could not match any operation.
    #[error("the pattern `{pattern}` matches no operation: {source}")]
    Operation {
        /// The pattern as given.
        pattern: String,
        /// Why.
        source: TextError,
    },
    /// Two limits have one name, so a verdict could not say which decided.
    #[error("two limits are named `{name}`; rename one")]
    Duplicate {
        /// The name.
        name: LimitName,
    },
    /// More than [`Limits::LIMITS_MAX`] limits.
    #[error("there are `{count}` limits; the most is {}", Limits::LIMITS_MAX)]
    TooMany {
        /// How many there are.
        count: usize,
    },
}

/// The limit that stopped an action. Nothing was consumed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("limit `{limit}`: {message}")]
pub struct Exceeded {
    /// The limit; where several stop the action, the one with the longest wait.
    pub limit: LimitName,
    /// How long after the action's own time it fits, if nobody else acts in
    /// between. `None` when no wait can be promised to help.
    pub retry_after: Option<Duration>,
    /// What is used up and what to do, without the limit's name.
    pub message: String,
}
