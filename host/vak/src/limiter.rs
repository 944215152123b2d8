//! The configured limits as the pipeline's limiter.

use std::time::Duration;

use vak_limits::{Error, Held, Kind, Limits, Mode, Rate, Signal};
use vak_pipeline::{Exceeded, Limiter, Reservation};
use vak_types::{Action, Timestamp};

use crate::config::{self, Config, LimitKind, LimitMode};
use crate::kept::{self, KeptError};

/// The configured limits.
#[derive(Debug)]
pub(crate) struct Limiting(Limits);

/// What is set aside of them.
#[derive(Debug)]
pub(crate) struct Tokens(vak_limits::Reservation);

impl Limiting {
    /// Looks whether such limits are possible.
    pub(crate) fn check(limits: &[config::Limit]) -> Result<(), Error> {
        Limits::new(all(limits)?).map(drop)
    }

    /// The configured ones, with what was used of them before.
    pub(crate) fn restored(config: &Config) -> Result<Self, KeptError> {
        kept::restored(config).map(Self)
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0
    }

    /// Others in their place. What was used of one that stays is still used.
    pub(crate) fn replaced(&self, limits: &[config::Limit], now: Timestamp) -> Result<Self, Error> {
        self.0.replace(all(limits)?, now).map(Self)
    }
}

/// Limits as they are counted.
pub(crate) fn all(limits: &[config::Limit]) -> Result<Vec<vak_limits::Limit>, Error> {
    limits.iter().map(of).collect()
}

fn of(limit: &config::Limit) -> Result<vak_limits::Limit, Error> {
    Ok(vak_limits::Limit {
        name: limit.name.clone(),
        per: match limit.per {
            config::Per::Agent => vak_limits::Per::Agent,
            config::Per::Operation => vak_limits::Per::Operation,
            config::Per::AgentAndOperation => vak_limits::Per::AgentAndOperation,
            config::Per::Session => vak_limits::Per::Session,
            config::Per::Label => vak_limits::Per::Label,
            config::Per::Host => vak_limits::Per::Host,
        },
        operations: limit.operations.clone(),
        kind: match &limit.kind {
            LimitKind::Rate { burst, actions, period_s, cost } => {
                let rate = Rate::new(*burst, *actions, Duration::from_secs(*period_s))?;
                Kind::Rate { rate, cost: cost.clone() }
            }
            LimitKind::Quota { actions, window_s, refund } => {
                Kind::Quota { actions: *actions, window: Duration::from_secs(*window_s), refund: *refund }
            }
            LimitKind::Concurrency { at_once } => Kind::Concurrency { at_once: *at_once },
            LimitKind::Budget { amount, window_s, cost, refund } => Kind::Budget {
                amount: *amount,
                window: window_s.map(Duration::from_secs),
                cost: cost.clone(),
                refund: *refund,
            },
        },
        mode: match limit.mode {
            LimitMode::Enforce => Mode::Enforce,
            LimitMode::Shadow => Mode::Shadow,
        },
        near_percent: limit.near_percent,
        hold: Duration::from_secs(limit.hold_s),
    })
}

impl Limiter for Limiting {
    type Reservation = Tokens;

    fn reserve(&self, action: &Action) -> Result<Tokens, Exceeded> {
        self.0.reserve(action).map(Tokens).map_err(|exceeded| Exceeded {
            limit: exceeded.limit,
            // Rounded up: who waits so long finds room.
            retry_after_ms: exceeded
                .retry_after
                .map(|wait| u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)),
            message: exceeded.message,
        })
    }
}

impl Reservation for Tokens {
    type Held = Held;

    fn hold(self) -> Held {
        let held = self.0.hold();
        for signal in held.signals() {
            match signal {
                Signal::Near { limit, used_percent } => tracing::warn!(%limit, used_percent, "a limit is near"),
                Signal::Shadow(exceeded) => {
                    tracing::warn!(limit = %exceeded.limit, "a limit in shadow mode would have denied: {}", exceeded.message);
                }
            }
        }
        held
    }
}
