//! Following a log while it grows.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::bundle::Bundle;
use crate::store::{Opener, Source, StorageError};
use crate::{Entry, VerifyError};

/// How many entries a follower reads at a time. Reading blocks its thread for
/// about a millisecond.
const READ_ENTRIES: u64 = 256;

/// Tells followers how far the log is durable. Followers read what they have
/// not seen from the storage, each at its own pace: none of them holds up the
/// writer, and there is no buffer that could overflow.
pub(crate) struct Watch {
    state: Mutex<State>,
    opener: Opener,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("state", &self.state).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct State {
    size: u64,
    ended: bool,
    waiting: Vec<Waker>,
}

impl Watch {
    pub(crate) fn new(opener: Opener, size: u64) -> Self {
        Self { state: Mutex::new(State { size, ended: false, waiting: Vec::new() }), opener }
    }

    /// The log has `size` entries now.
    pub(crate) fn advance(&self, size: u64) {
        self.change(|state| state.size = size);
    }

    /// The log is closed, or has stopped.
    pub(crate) fn end(&self) {
        self.change(|state| state.ended = true);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// The size, once it is more than `seen`; `None` when it will not be.
    fn poll_beyond(&self, seen: u64, context: &Context<'_>) -> Poll<Option<u64>> {
        let mut state = self.lock();
        if state.size > seen {
            return Poll::Ready(Some(state.size));
        }
        if state.ended {
            return Poll::Ready(None);
        }
        if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            state.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a follower can't go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// The storage can't be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// An entry is not what was written.
    #[error(transparent)]
    Entry(#[from] VerifyError),
}

/// An entry, and how far behind the follower is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The entry.
    pub entry: Entry,
    /// How many durable entries came after it when it was read: what a slow
    /// follower has still to catch up with.
    pub behind: u64,
}

/// Gives a log's durable entries in order, and waits for more. Its cursor is a
/// sequence number: another follower from [`next_seq`](Self::next_seq) on goes
/// on where this one stopped, in this process or the next.
#[derive(Debug)]
pub struct Follower {
    watch: Arc<Watch>,
    next: u64,
    /// Its own, opened when it is first needed.
    source: Option<Box<dyn Source>>,
    bundle: Bundle,
    filter: Option<Filter>,
}

/// Whether an entry is wanted.
struct Filter(Box<dyn Fn(&Entry) -> bool + Send>);

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Filter")
    }
}

impl Follower {
    pub(crate) fn new(watch: Arc<Watch>, next: u64) -> Self {
        Self { watch, next, source: None, bundle: Bundle::default(), filter: None }
    }

    /// Passes over the entries for which `wanted` is false.
    #[must_use]
    pub fn filter(self, wanted: impl Fn(&Entry) -> bool + Send + 'static) -> Self {
        Self { filter: Some(Filter(Box::new(wanted))), ..self }
    }

    /// The sequence number of the next entry that is looked at.
    pub fn next_seq(&self) -> u64 {
        self.next
    }

    /// The next entry; waits until there is one. `None` when the log is closed
    /// or has stopped and all of it was given.
    ///
    /// # Errors
    /// The storage can't be read, or holds something else than was written.
    pub async fn next(&mut self) -> Result<Option<Followed>, FollowError> {
        loop {
            let seen = self.next;
            let beyond = std::future::poll_fn(|context| self.watch.poll_beyond(seen, context));
            let Some(size) = beyond.await else { return Ok(None) };
            if let Some(followed) = self.read(size)? {
                return Ok(Some(followed));
            }
        }
    }

    /// The next wanted entry of those that were read at once.
    fn read(&mut self, size: u64) -> Result<Option<Followed>, FollowError> {
        if self.bundle.get(self.next).is_none() {
            let source = match &self.source {
                Some(source) => source,
                None => self.source.insert((self.watch.opener)()?),
            };
            source.entries(self.next, READ_ENTRIES.min(size - self.next), &mut self.bundle)?;
        }
        if self.bundle.get(self.next).is_none() {
            return Err(VerifyError::Missing { seq: self.next, size }.into());
        }
        while let Some(bytes) = self.bundle.get(self.next) {
            let seq = self.next;
            let entry = Entry::decode(bytes).map_err(|error| VerifyError::Entry { seq, source: error.into() })?;
            self.next += 1;
            if self.filter.as_ref().is_none_or(|Filter(wanted)| wanted(&entry)) {
                return Ok(Some(Followed { entry, behind: size.saturating_sub(self.next) }));
            }
        }
        Ok(None)
    }
}
