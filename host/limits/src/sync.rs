//! The atomic words and the locks, which the model checker takes over under
//! `--cfg loom`.

#[cfg(not(all(loom, test)))]
pub(crate) use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, atomic::AtomicU64};

#[cfg(all(loom, test))]
pub(crate) use loom::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, atomic::AtomicU64};
