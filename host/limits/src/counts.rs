//! All keys of a host.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};

use vak_types::Timestamp;

use crate::hash::Seed;
use crate::room::Room;
use crate::set::Set;
use crate::shard::Shard;
use crate::sync::{AtomicU64, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Keys in shards, each under a lock of its own.
///
/// An agent's keys are all in the one shard its name hashes to; keys that
/// agents share are in the last. So an action needs two shards at most. It
/// locks them in that order, which is the same for everybody, checks every key
/// and only then takes from any. All or nothing holds without undoing anything:
/// no other action ever sees, and fails for, what an action took and then had
/// to return because its next limit refused it.
///
/// The most common action needs one token bucket that is there already. Its
/// word is atomic, so for that a shard is only locked for reading.
#[derive(Debug)]
pub(crate) struct Counts {
    pub(crate) seed: Seed,
    pub(crate) room: Room,
    shards: Box<[RwLock<Shard>]>,
    /// Of the current set. Changes with all shards locked.
    generation: AtomicU64,
    current: RwLock<Arc<Set>>,
}

impl Counts {
    /// Shards for agents. A lock is held for a fraction of a microsecond, and
    /// for a tenth of a millisecond when a shard of a million keys is built
    /// anew; 256 keep both short.
    pub(crate) const AGENT_SHARDS: u16 = 256;

    pub(crate) fn new(set: Arc<Set>, seed: Seed, keys_max: usize) -> Self {
        Self {
            seed,
            room: Room::new(keys_max),
            shards: (0..=Self::AGENT_SHARDS).map(|_| RwLock::new(Shard::default())).collect(),
            generation: AtomicU64::new(set.generation),
            current: RwLock::new(set),
        }
    }

    /// The limits that hold now.
    pub(crate) fn current(&self) -> Arc<Set> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether `set` holds now; for sure only with a shard locked.
    pub(crate) fn is_current(&self, set: &Set) -> bool {
        self.generation.load(Relaxed) == set.generation
    }

    /// Makes `set` the current one. To be called with every shard locked.
    pub(crate) fn set_current(&self, set: Arc<Set>) {
        // Both under the lock: whoever looks the set up finds the one that is
        // said to be current.
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        self.generation.store(set.generation, Relaxed);
        *current = set;
    }

    /// Every shard, locked.
    pub(crate) fn lock_all(&self) -> Vec<RwLockWriteGuard<'_, Shard>> {
        (0..=Self::AGENT_SHARDS).map(|shard| self.write(shard)).collect()
    }

    /// The shard a key is in, to change one word.
    pub(crate) fn read(&self, shard: u16) -> RwLockReadGuard<'_, Shard> {
        self.shards[usize::from(shard)].read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The shard a key is in, for everything else. Nothing in it is half done
    /// when a thread panics: what is counted is added last.
    pub(crate) fn write(&self, shard: u16) -> RwLockWriteGuard<'_, Shard> {
        self.shards[usize::from(shard)].write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops what is idle, a shard at a time, and returns how many keys that
    /// were. To be called with no shard locked.
    pub(crate) fn sweep(&self, set: &Set, now: Timestamp) -> usize {
        (0..=Self::AGENT_SHARDS).map(|shard| self.write(shard).sweep(set, now)).sum()
    }
}
