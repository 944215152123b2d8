//! Sessions as they go on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vak_types::{Action, AgentId, Past, PastMark, SessionId, Step, Timestamp};

use crate::REMEMBERED;
use crate::table::Table;

/// Steps of a session.
const STEPS_MAX: u64 = 1_024;

/// Memory of a session's steps, in bytes.
const STEPS_BYTES_MAX: usize = 1 << 20;

/// What all sessions did.
#[derive(Debug)]
pub struct Sessions(Mutex<Table>);

impl Sessions {
    /// Sessions that did nothing since then, as far as anybody knows.
    pub fn new(since: Timestamp) -> Self {
        Self(Mutex::new(Table::new(since)))
    }

    /// Judges `action`, of whose session nobody else is judged meanwhile, and
    /// adds to its past whether it is allowed. So two actions at once can't
    /// both be the third of three.
    pub fn turn(&self, action: &Action, judge: &mut dyn FnMut(&Arc<Past>) -> bool) -> PastMark {
        self.with(&action.agent, &action.session, action.time, |past| {
            let mark = past.mark();
            (Step::of(action, judge(past)), mark)
        })
    }

    /// Adds what a log says that the session did next.
    pub fn add(&self, agent: &AgentId, session: &SessionId, step: Step) {
        self.with(agent, session, step.time, |_| (step, ()));
    }

    /// Forgets the session up to `time`, of which something is not known.
    pub fn forget(&self, agent: &AgentId, session: &SessionId, time: Timestamp) {
        let shared = lock(&self.0).session(agent, session, time);
        Arc::make_mut(&mut lock(&shared)).forget_until(time);
        drop(shared);
        lock(&self.0).measure(agent, session, 0);
    }

    /// What the session of `action` had done before it. None if the host no
    /// longer remembers the action itself.
    pub fn before(&self, action: &Action) -> Option<Past> {
        let shared = lock(&self.0).session(&action.agent, &action.session, action.time);
        let past = Past::clone(&lock(&shared));
        past.before(&action.id)
    }

    fn with<R>(
        &self,
        agent: &AgentId,
        session: &SessionId,
        now: Timestamp,
        next: impl FnOnce(&Arc<Past>) -> (Step, R),
    ) -> R {
        let shared = lock(&self.0).session(agent, session, now);
        let mut past = lock(&shared);
        let (step, result) = next(&past);
        // A copy is made only if somebody keeps what was judged upon.
        let grown = Arc::make_mut(&mut past);
        extend(grown, step);
        let bytes = grown.bytes();
        drop(past);
        drop(shared);
        lock(&self.0).measure(agent, session, bytes);
        result
    }
}

/// Adds a step, and forgets the first ones if there are too many.
pub(crate) fn extend(past: &mut Past, step: Step) {
    past.forget_before(step.time.before(REMEMBERED));
    past.push(step);
    while past.mark().steps > STEPS_MAX || past.bytes() > STEPS_BYTES_MAX {
        past.forget_first();
    }
}

/// Whoever panicked had not changed anything yet.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
