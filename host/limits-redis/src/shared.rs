//! All limits that a host shares.

use std::sync::Arc;
use std::time::{Duration, Instant};

use vak_limits::{Exceeded, Limit, Share};
use vak_types::Action;

use crate::away::AWAY;
use crate::lessor::Lessor;
use crate::reservation::Reservation;
use crate::terms::Terms;
use crate::worker::Unleased;
use crate::{Error, Sharing};

/// The limits that a host shares with others, and what it has leased of them.
#[derive(Debug)]
pub struct Shared {
    lessor: Arc<Lessor>,
    limits: Box<[Arc<Terms>]>,
}

impl Shared {
    /// Largest amount: a billion, in millionths. Redis counts in floating point,
    /// which is exact far beyond that, with the debts of a window.
    pub const AMOUNT_MAX: u64 = 1_000_000_000_000_000;

    /// Redis does not have to be there.
    ///
    /// # Errors
    /// A limit cannot be shared.
    pub fn new(sharing: &Sharing, limits: Vec<Limit>) -> Result<Self, Error> {
        let limits = terms(limits)?;
        Ok(Self { lessor: Arc::new(Lessor::new(sharing)?), limits })
    }

    /// Looks whether such limits can be shared.
    ///
    /// # Errors
    /// As [`Shared::new`].
    pub fn check(limits: Vec<Limit>) -> Result<(), Error> {
        terms(limits).map(drop)
    }

    /// Others in the place of these. What is leased stays leased where both name
    /// the same Redis.
    ///
    /// # Errors
    /// As [`Shared::new`].
    pub fn replace(&self, sharing: &Sharing, limits: Vec<Limit>) -> Result<Self, Error> {
        match *sharing == self.lessor.sharing {
            true => Ok(Self { lessor: Arc::clone(&self.lessor), limits: terms(limits)? }),
            false => Self::new(sharing, limits),
        }
    }

    /// Takes `action` out of every limit that covers it, or out of none. Blocks,
    /// never longer than the time-out.
    ///
    /// # Errors
    /// A limit is used up, does not learn what the action costs, or Redis is
    /// away and no lease is left. Nothing was taken then.
    pub fn reserve(&self, action: &Action) -> Result<Reservation, Exceeded> {
        let mut parts = Vec::new();
        let mut deadline = None;
        for terms in &self.limits {
            for share in terms.limit.shares(action)? {
                // One for all of them.
                let deadline = *deadline.get_or_insert_with(|| Instant::now() + self.lessor.timeout());
                let part = self.lessor.take(terms.key(&share), terms, share.cost, deadline);
                parts.push((part.map_err(|why| refusal(&share, terms, why))?, Arc::clone(terms)));
            }
        }
        Ok(Reservation::new(&self.lessor, parts))
    }
}

fn terms(limits: Vec<Limit>) -> Result<Box<[Arc<Terms>]>, Error> {
    limits.into_iter().map(|limit| Terms::of(limit).map(Arc::new)).collect()
}

fn refusal(share: &Share<'_>, terms: &Terms, why: Unleased) -> Exceeded {
    match why {
        // Milliseconds are fine enough for a sentence.
        Unleased::Full(wait) => share.exceeded(Duration::from_millis(wait.as_micros().div_ceil(1_000) as u64)),
        Unleased::Away(why) => Exceeded {
            limit: terms.name().clone(),
            retry_after: Some(AWAY),
            message: format!(
                "{share} on all hosts together, and Redis, which counts it, is away ({why}); try again in {AWAY:?}"
            ),
        },
    }
}
