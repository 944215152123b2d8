//! The configured limits as the pipeline's limiter.

use std::time::Duration;

use vak_limits::{Kind, Limits, Mode, Rate, Signal};
use vak_limits_redis::{Shared, Sharing};
use vak_pipeline::{Exceeded, Limiter, Reservation};
use vak_types::{Action, Timestamp};

use crate::config::{self, Config, LimitKind, LimitMode};

/// The configured limits: those that this host counts, and those that are
/// counted over several.
#[derive(Debug)]
pub(crate) struct Limiting {
    own: Limits,
    shared: Option<Shared>,
}

/// What is set aside of them.
#[derive(Debug)]
pub(crate) struct Tokens {
    own: vak_limits::Reservation,
    shared: Option<vak_limits_redis::Reservation>,
}

/// What an allowed action holds of the limits until its outcome.
#[derive(Debug)]
pub struct Held {
    own: vak_limits::Held,
    shared: Option<vak_limits_redis::Held>,
}

/// Why limits are not possible.
#[derive(Debug, thiserror::Error)]
pub enum LimitsError {
    /// A limit cannot be meant so.
    #[error("`limits`: {0}")]
    Limits(#[from] vak_limits::Error),
    /// A limit cannot be shared, or not there.
    #[error("`sharing`: {0}")]
    Sharing(#[from] vak_limits_redis::Error),
}

impl Limiting {
    /// Looks whether such limits are possible.
    pub(crate) fn check(config: &Config) -> Result<(), LimitsError> {
        // Their names are unique together.
        Limits::new(config.limits.iter().map(of).collect::<Result<_, _>>()?)?;
        sharing(config)?;
        Ok(Shared::check(shared(&config.limits)?)?)
    }

    /// The configured ones; `own` are those that this host counts, with what was
    /// used of them before. Redis knows that of the others.
    pub(crate) fn new(own: Limits, config: &Config) -> Result<Self, LimitsError> {
        Ok(Self { own, shared: Self::shared(config, None)? })
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.own
    }

    /// Others in their place. What was used of one that stays is still used.
    pub(crate) fn replaced(&self, config: &Config, now: Timestamp) -> Result<Self, LimitsError> {
        let shared = Self::shared(config, self.shared.as_ref())?;
        Ok(Self { own: self.own.replace(own(&config.limits)?, now)?, shared })
    }

    fn shared(config: &Config, before: Option<&Shared>) -> Result<Option<Shared>, LimitsError> {
        let limits = shared(&config.limits)?;
        let Some(sharing) = sharing(config)?.filter(|_| !limits.is_empty()) else { return Ok(None) };
        let shared = match before {
            Some(before) => before.replace(&sharing, limits),
            None => Shared::new(&sharing, limits),
        };
        Ok(Some(shared?))
    }
}

fn sharing(config: &Config) -> Result<Option<Sharing>, vak_limits_redis::Error> {
    let Some(config::Sharing { redis, prefix, timeout_ms }) = &config.sharing else { return Ok(None) };
    Sharing::new(redis, prefix, *timeout_ms).map(Some)
}

/// The limits that this host counts.
pub(crate) fn own(limits: &[config::Limit]) -> Result<Vec<vak_limits::Limit>, vak_limits::Error> {
    limits.iter().filter(|limit| !limit.shared).map(of).collect()
}

fn shared(limits: &[config::Limit]) -> Result<Vec<vak_limits::Limit>, vak_limits::Error> {
    limits.iter().filter(|limit| limit.shared).map(of).collect()
}

fn of(limit: &config::Limit) -> Result<vak_limits::Limit, vak_limits::Error> {
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

    /// The host's own first: they ask nobody. Who is refused by the one gets back
    /// what the other gave.
    fn reserve(&self, action: &Action) -> Result<Tokens, Exceeded> {
        let own = self.own.reserve(action).map_err(exceeded)?;
        let shared = self.shared.as_ref().map(|shared| shared.reserve(action));
        Ok(Tokens { own, shared: shared.transpose().map_err(exceeded)? })
    }
}

fn exceeded(exceeded: vak_limits::Exceeded) -> Exceeded {
    let vak_limits::Exceeded { limit, retry_after, message } = exceeded;
    // Rounded up: who waits so long finds room.
    let retry_after_ms = retry_after.map(|wait| u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX));
    Exceeded { limit, retry_after_ms, message }
}

impl Held {
    /// False when the outcome makes no difference to any limit.
    pub(crate) fn awaits_outcome(&self) -> bool {
        self.own.awaits_outcome() || self.shared.is_some()
    }

    pub(crate) fn succeed(self, actual: &[(&str, u64)], now: Timestamp) {
        self.own.succeed(actual, now);
        self.shared.into_iter().for_each(|shared| shared.succeed(actual));
    }

    pub(crate) fn fail(self, now: Timestamp) {
        self.own.fail(now);
        self.shared.into_iter().for_each(vak_limits_redis::Held::fail);
    }
}

impl Reservation for Tokens {
    type Held = Held;

    fn hold(self) -> Held {
        let held = self.own.hold();
        for signal in held.signals() {
            match signal {
                Signal::Near { limit, used_percent } => tracing::warn!(%limit, used_percent, "a limit is near"),
                Signal::Shadow(exceeded) => {
                    tracing::warn!(limit = %exceeded.limit, "a limit in shadow mode would have denied: {}", exceeded.message);
                }
            }
        }
        Held { own: held, shared: self.shared.map(vak_limits_redis::Reservation::hold) }
    }
}
