//! The configured limits as the pipeline's limiter.

use std::time::Duration;

use vak_limits::{Error, Limits, Rate};
use vak_pipeline::{Exceeded, Limiter, Reservation};
use vak_types::Action;

use crate::config;

/// The configured limits.
#[derive(Debug)]
pub(crate) struct Buckets(Limits);

/// Tokens of the configured limits.
#[derive(Debug)]
pub(crate) struct Tokens(vak_limits::Reservation);

impl Buckets {
    pub(crate) fn new(limits: &[config::Limit]) -> Result<Self, Error> {
        let limit = |limit: &config::Limit| {
            Ok(vak_limits::Limit {
                name: limit.name.clone(),
                per: match limit.per {
                    config::Per::Agent => vak_limits::Per::Agent,
                    config::Per::Operation => vak_limits::Per::Operation,
                    config::Per::AgentAndOperation => vak_limits::Per::AgentAndOperation,
                    config::Per::Session => vak_limits::Per::Session,
                    config::Per::Host => vak_limits::Per::Host,
                },
                operations: limit.operations.parse()?,
                rate: Rate::new(limit.burst, limit.actions, Duration::from_secs(limit.period_s))?,
            })
        };
        let limits = limits.iter().map(limit).collect::<Result<_, Error>>()?;
        Limits::new(limits).map(Self)
    }
}

impl Limiter for Buckets {
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
    fn commit(self) {
        self.0.commit();
    }
}
