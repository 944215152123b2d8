//! One configured limit.

use std::fmt;
use std::time::Duration;

use vak_types::{LimitName, Operation, Pattern};

use crate::Rate;

/// Who has a count of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    /// Each agent.
    Agent,
    /// Each operation, whoever asks for it.
    Operation,
    /// Each pair of agent and operation.
    AgentAndOperation,
    /// Each session. Two agents that use the same session id do not share it:
    /// an agent could otherwise use up another's session.
    Session,
    /// Each label of an action, whoever asks. An action counts once for each
    /// label it has; one without labels is not covered.
    Label,
    /// One for everything on this host.
    Host,
}

impl Per {
    /// True when agents never share a count.
    pub(crate) fn divides_agents(self) -> bool {
        match self {
            Self::Agent | Self::AgentAndOperation | Self::Session => true,
            Self::Operation | Self::Label | Self::Host => false,
        }
    }
}

/// What is limited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// How often: a token bucket. A call that was started has spent its tokens,
    /// whatever comes of it.
    Rate {
        /// The bucket.
        rate: Rate,
        /// The attribute of an action that says how many tokens it takes, as for
        /// a budget; `None` for one each. More than the burst never fit.
        cost: Option<String>,
    },
    /// How many actions in any span of time as long as `window`. Windows slide
    /// and know no calendar, which would need a time zone: a day is 24 hours, a
    /// month is 30 days. Time counts in twelfths of the window: an action counts
    /// for the whole window, and up to a twelfth of it longer.
    Quota {
        /// Actions, 1 to [`Limit::AMOUNT_MAX`].
        actions: u64,
        /// How long an action counts.
        window: Duration,
        /// Whether an action that failed comes back.
        refund: bool,
    },
    /// How many actions at a time: allowed, and without an outcome yet.
    Concurrency {
        /// Actions, 1 to [`Limit::AMOUNT_MAX`].
        at_once: u64,
    },
    /// How much money, or how many tokens, in any span as long as `window`.
    Budget {
        /// In the unit of the attribute, which is a whole number: millionths of
        /// a currency, tokens. 1 to [`Limit::AMOUNT_MAX`].
        amount: u64,
        /// How long an amount counts, as for a quota; `None` for good.
        window: Option<Duration>,
        /// The attribute of an action that says what it costs. Without it, and
        /// with one that is no whole number of at least 0, the action is
        /// refused.
        cost: String,
        /// Whether the amount of an action that failed comes back.
        refund: bool,
    },
}

/// Whether a limit stops anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// It does.
    #[default]
    Enforce,
    /// It counts as if it did and reports what it would have stopped.
    Shadow,
}

/// How much the actions that it covers may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Names it in verdicts; unique among the limits of a host.
    pub name: LimitName,
    /// Who has a count of their own.
    pub per: Per,
    /// Which operations it covers. The others pass uncounted.
    pub operations: Pattern<Operation>,
    /// What is limited.
    pub kind: Kind,
    /// Whether it stops anything.
    pub mode: Mode,
    /// Percent used from which on an action is [told](crate::Signal::Near), 1 to
    /// 100.
    pub near_percent: Option<u8>,
    /// How long an allowed action may hold its part without an outcome, for
    /// kinds that wait for one. Then it returns, at most a quarter of the time
    /// later.
    pub hold: Duration,
}

impl Limit {
    /// Largest number of actions and largest amount: a trillion, in millionths.
    /// Far enough from 2^64 that debts can be added up.
    pub const AMOUNT_MAX: u64 = 1_000_000_000_000_000_000;

    /// Shortest and longest window. Below a second it is a rate that is meant,
    /// above 366 days a slip in a unit.
    pub const WINDOW: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(366 * 86_400)];

    /// Shortest and longest time an action without an outcome is held. Above 31
    /// days nobody comes back to it.
    pub const HOLD: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(31 * 86_400)];

    /// How long an action without an outcome is held where nobody says: an
    /// hour, longer than most calls take.
    pub const HOLD_DEFAULT: Duration = Duration::from_secs(3_600);

    /// An enforced limit without a near-limit signal.
    pub fn new(name: LimitName, per: Per, operations: Pattern<Operation>, kind: Kind) -> Self {
        Self { name, per, operations, kind, mode: Mode::Enforce, near_percent: None, hold: Self::HOLD_DEFAULT }
    }
}

impl Kind {
    /// How often, where every action takes one token.
    pub fn rate(rate: Rate) -> Self {
        Self::Rate { rate, cost: None }
    }

    /// The attribute that says what an action costs, and the most it may.
    pub(crate) fn costs(&self) -> Option<(&str, u64)> {
        match self {
            Self::Rate { rate, cost } => cost.as_deref().map(|cost| (cost, rate.burst().into())),
            Self::Budget { cost, amount, .. } => Some((cost, *amount)),
            Self::Quota { .. } | Self::Concurrency { .. } => None,
        }
    }

    /// The actual cost among `actual`, for a budget in that attribute.
    pub fn actual_cost(&self, actual: &[(&str, u64)]) -> Option<u64> {
        let Self::Budget { cost, .. } = self else { return None };
        actual.iter().find(|(attribute, _)| attribute == cost).map(|(_, cost)| *cost)
    }
}

/// For a sentence: `5 at once and 60 more each 60s`.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate { rate, cost: None } => rate.fmt(f),
            Self::Rate { rate, cost: Some(cost) } => write!(f, "{rate} of `{cost}`"),
            Self::Quota { actions, window, .. } => write!(f, "{actions} in {window:?}"),
            Self::Concurrency { at_once } => write!(f, "{at_once} at a time"),
            Self::Budget { amount, window: Some(window), cost, .. } => write!(f, "{amount} of `{cost}` in {window:?}"),
            Self::Budget { amount, window: None, cost, .. } => write!(f, "{amount} of `{cost}`"),
        }
    }
}
