//! All limits of a host.

use std::collections::BTreeSet;
use std::sync::Arc;

use vak_types::Action;

use crate::counts::Counts;
use crate::{Error, Exceeded, Limit, Reservation};

/// The limits of a host and their counts. A clone shares the counts.
#[derive(Debug, Clone)]
pub struct Limits {
    counts: Arc<Counts>,
}

impl Limits {
    /// Most limits of a host. Every action is compared with each, at about five
    /// nanoseconds; 64 keep that far below the cost of running one policy.
    pub const LIMITS_MAX: usize = 64;

    /// Most buckets that are in use at one time, over all limits. A bucket is
    /// in use from an action until it is full again. One takes 350 to 850 bytes
    /// with the names it keeps, so all of them stay below 60 MB.
    pub const KEYS_MAX: usize = 65_536;

    /// Limits with every bucket full. An action comes under each limit that
    /// covers it; without any it passes.
    ///
    /// # Errors
    /// Two limits have the same name, or there are more than
    /// [`Limits::LIMITS_MAX`].
    pub fn new(limits: Vec<Limit>) -> Result<Self, Error> {
        if limits.len() > Self::LIMITS_MAX {
            return Err(Error::TooMany { count: limits.len() });
        }
        let mut names = BTreeSet::new();
        if let Some(limit) = limits.iter().find(|limit| !names.insert(&limit.name)) {
            return Err(Error::Duplicate { name: limit.name.clone() });
        }
        Ok(Self { counts: Arc::new(Counts::new(limits, Self::KEYS_MAX)) })
    }

    /// Takes `action` out of every limit that covers it, all at once, at the
    /// action's own time.
    ///
    /// That time has to be the host's, read when the request was complete. An
    /// earlier time than the latest seen counts as the latest, so it refills
    /// nothing; one that is more than ten seconds earlier means that the clock
    /// was set back, and every bucket used since then restarts with nothing
    /// left.
    ///
    /// # Errors
    /// A limit is used up, or it needs one bucket more than
    /// [`Limits::KEYS_MAX`]. Nothing was taken then.
    pub fn reserve(&self, action: &Action) -> Result<Reservation, Exceeded> {
        Reservation::of(action, &self.counts)
    }
}
