//! What can be wrong with a configuration or a snapshot, and the refusal of an
//! action.

use std::time::Duration;

use vak_types::LimitName;

use crate::{Limit, Limits, Rate};

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
    /// The period is shorter than [`Rate::INTERVAL_MIN`] for each action, or
    /// longer than [`Rate::PERIOD_MAX`].
    #[error(
        "a period of `{period:?}` for `{actions}` actions is not possible; choose {:?} for each to {:?}",
        Rate::INTERVAL_MIN,
        Rate::PERIOD_MAX
    )]
    Period {
        /// The period as given.
        period: Duration,
        /// Actions in each, as given.
        actions: u32,
    },
    /// A burst takes longer than [`Rate::RECOVERY_MAX`] to come back.
    #[error(
        "a burst of `{burst}` actions at `{actions}` each `{period:?}` takes over 100 years to come back; choose a smaller burst"
    )]
    Recovery {
        /// Actions at once, as given.
        burst: u32,
        /// Actions in each period, as given.
        actions: u32,
        /// The period, as given.
        period: Duration,
    },
    /// The amount is outside 1 to [`Limit::AMOUNT_MAX`].
    #[error("limit `{name}` cannot be for `{amount}`; choose 1 to {}", Limit::AMOUNT_MAX)]
    Amount {
        /// The limit.
        name: LimitName,
        /// The amount as given.
        amount: u64,
    },
    /// The window is outside [`Limit::WINDOW`].
    #[error("limit `{name}` cannot have a window of `{window:?}`; choose {:?} to {:?}", Limit::WINDOW[0], Limit::WINDOW[1])]
    Window {
        /// The limit.
        name: LimitName,
        /// The window as given.
        window: Duration,
    },
    /// The time to hold is outside [`Limit::HOLD`].
    #[error("limit `{name}` cannot hold for `{hold:?}`; choose {:?} to {:?}", Limit::HOLD[0], Limit::HOLD[1])]
    Hold {
        /// The limit.
        name: LimitName,
        /// The time as given.
        hold: Duration,
    },
    /// A budget does not say which attribute is the cost.
    #[error("limit `{name}` is a budget without a cost; name the attribute that says what an action costs")]
    Cost {
        /// The limit.
        name: LimitName,
    },
    /// The threshold is outside 1 to 100.
    #[error("limit `{name}` cannot be near at `{percent}` percent; choose 1 to 100")]
    Near {
        /// The limit.
        name: LimitName,
        /// The threshold as given.
        percent: u8,
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
    /// More than [`Limits::KEYS_MAX`] keys, or none.
    #[error("`{keys_max}` keys are not possible; choose 1 to {}", Limits::KEYS_MAX)]
    Keys {
        /// The number as given.
        keys_max: usize,
    },
    /// A snapshot is of a version that is not known here.
    #[error("the snapshot of limits has version `{version}`; only version 1 is known, so start without it")]
    SnapshotVersion {
        /// The version as found.
        version: u8,
    },
    /// A snapshot has more keys in use than there may be.
    #[error("the snapshot of limits has more than `{keys_max}` keys in use; allow more or start without it")]
    SnapshotKeys {
        /// Most keys there may be.
        keys_max: usize,
    },
    /// A snapshot is not what was exported.
    #[error("the snapshot of limits is damaged at byte `{at}`: {what}; take an older one or start without it")]
    Snapshot {
        /// Where it was noticed.
        at: usize,
        /// What was noticed.
        what: &'static str,
    },
}

/// The limit that stopped an action. Nothing was consumed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("limit `{limit}`: {message}")]
pub struct Exceeded {
    /// The limit; where several stop the action, the one with the longest wait.
    pub limit: LimitName,
    /// How long after the action's own time it fits at the latest, if nobody
    /// else acts in between. What is held can come back sooner. `None` when no
    /// wait can be promised to help.
    pub retry_after: Option<Duration>,
    /// What is used up and what to do, without the limit's name.
    pub message: String,
}

/// What a limit reports of an action that it lets pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// As much of the limit is used as was to be told.
    Near {
        /// The limit.
        limit: LimitName,
        /// How much of it is used, this action included, in percent.
        used_percent: u64,
    },
    /// A limit in shadow mode would have stopped the action. It took nothing.
    Shadow(Exceeded),
}
