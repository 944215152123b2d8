//! All limits of a host.

use std::sync::Arc;

use vak_types::{Action, Timestamp};

use crate::counts::Counts;
use crate::hash::Seed;
use crate::set::Set;
use crate::{Error, Exceeded, Limit, Reservation, replace, snapshot};

/// The limits of a host and their counts. A clone shares the counts.
#[derive(Debug, Clone)]
pub struct Limits {
    handle: Arc<Handle>,
}

/// The counts, and the limits that held when this was made.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) set: Arc<Set>,
    pub(crate) counts: Arc<Counts>,
}

impl Limits {
    /// Most limits of a host. Every action is compared with each, at about five
    /// nanoseconds; 64 keep that far below the cost of running one policy.
    pub const LIMITS_MAX: usize = 64;

    /// Most labels of an action that are counted. An action with more is
    /// refused by a limit per label.
    pub const LABELS_MAX: usize = 64;

    /// Most keys in use at one time, over all limits. A key is what a limit
    /// keeps for one agent, session, operation or label, from an action until
    /// nothing of it is left. One of a rate takes up to 64 bytes, one of
    /// another kind up to 300, so all of them stay below 310 MB.
    pub const KEYS_MAX: usize = 1 << 20;

    /// Limits of which nothing is used. An action comes under each limit that
    /// covers it; without any it passes.
    ///
    /// # Errors
    /// A limit cannot be meant so, two have the same name, or there are more
    /// than [`Limits::LIMITS_MAX`].
    pub fn new(limits: Vec<Limit>) -> Result<Self, Error> {
        Self::with_keys_max(limits, Self::KEYS_MAX)
    }

    /// Limits with at most `keys_max` keys.
    ///
    /// # Errors
    /// As [`Limits::new`], and when `keys_max` is outside 1 to
    /// [`Limits::KEYS_MAX`].
    pub fn with_keys_max(limits: Vec<Limit>, keys_max: usize) -> Result<Self, Error> {
        Self::seeded(limits, keys_max, Seed::random())
    }

    pub(crate) fn seeded(limits: Vec<Limit>, keys_max: usize, seed: Seed) -> Result<Self, Error> {
        if !(1..=Self::KEYS_MAX).contains(&keys_max) {
            return Err(Error::Keys { keys_max });
        }
        let set = Arc::new(Set::first(limits, seed)?);
        Ok(Self::of(Arc::clone(&set), Arc::new(Counts::new(set, seed, keys_max))))
    }

    fn of(set: Arc<Set>, counts: Arc<Counts>) -> Self {
        Self { handle: Arc::new(Handle { set, counts }) }
    }

    /// Takes `action` out of every limit that covers it, all at once, at the
    /// action's own time. That has to be the host's, read when the request was
    /// complete.
    ///
    /// Where an earlier time than the latest of a key is earlier by up to ten
    /// seconds, it is late and nothing refills for it. When it is earlier by
    /// more, the clock was set back, and what a key has used counts as used now.
    /// So neither allows an action by itself.
    ///
    /// # Errors
    /// A limit is used up, does not learn what the action costs, or needs one
    /// key more than there can be. Nothing was taken then.
    pub fn reserve(&self, action: &Action) -> Result<Reservation, Exceeded> {
        Reservation::of(action, &self.handle)
    }

    /// Puts `limits` in the place of those that hold, at one moment for every
    /// action and every clone. What is open under the old ones is settled under
    /// the new. The limits that are returned are for further use: they know the
    /// new ones, while others look them up each time.
    ///
    /// A limit of the same name, subjects and unit keeps what is used in
    /// absolute terms: what was 3 actions of 5 is 3 actions of 10, and an amount
    /// above a smaller limit stays above it until it has left the window. Any
    /// other limit starts with nothing used.
    ///
    /// # Errors
    /// As [`Limits::new`]; the old limits hold on then.
    pub fn replace(&self, limits: Vec<Limit>, now: Timestamp) -> Result<Self, Error> {
        let counts = &self.handle.counts;
        Ok(Self::of(replace::replace(counts, limits, now)?, Arc::clone(counts)))
    }

    /// All that is used, for [`Limits::import`]. What is held stays held and
    /// returns when its time is up. Rate tokens of actions that are not decided
    /// yet are left out: the decisions end with the process.
    ///
    /// The bytes contain the key of the hash that keeps agents from choosing
    /// names that collide, so they are to be kept where agents do not read.
    pub fn export(&self) -> Vec<u8> {
        snapshot::export(&self.handle.counts)
    }

    /// `limits` with what was used when `bytes` were exported, as if they had
    /// been [replaced](Limits::replace) then; time has passed until `now`.
    ///
    /// # Errors
    /// As [`Limits::with_keys_max`], and when `bytes` are no snapshot, one of
    /// another version, damaged, or with more keys in use than `keys_max`.
    pub fn import(limits: Vec<Limit>, keys_max: usize, bytes: &[u8], now: Timestamp) -> Result<Self, Error> {
        snapshot::import(bytes, keys_max, now)?.replace(limits, now)
    }

    /// How many keys are kept, idle ones among them.
    pub fn keys(&self) -> usize {
        self.handle.counts.lock_all().iter().map(|shard| shard.keys()).sum()
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.handle.counts
    }

    pub(crate) fn set(&self) -> &Set {
        &self.handle.set
    }
}
