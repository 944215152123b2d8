//! Pasts found again in a log.

use std::collections::HashMap;

use vak_types::{AgentId, Past, PastMark, SessionId, Step, Timestamp};

use crate::sessions::extend;

/// Follows a log from some place on and knows what each session had done.
#[derive(Debug)]
pub struct Replay {
    since: Timestamp,
    sessions: HashMap<(AgentId, SessionId), Past>,
}

/// The steps that a verdict was given upon are not those that the log has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unlike;

impl Replay {
    /// A log of which everything since then is going to be read.
    pub fn new(since: Timestamp) -> Self {
        Self { since, sessions: HashMap::new() }
    }

    /// What a session had done when a verdict was given that carries `mark`; what
    /// the log says, if it carries none.
    ///
    /// # Errors
    /// Steps are missing, or came in another order.
    pub fn past(&self, agent: &AgentId, session: &SessionId, mark: Option<PastMark>) -> Result<Past, Unlike> {
        let known = self.sessions.get(&(agent.clone(), session.clone()));
        let past = known.cloned().unwrap_or_else(|| Past::new(self.since));
        match mark {
            Some(mark) => past.as_of(mark).ok_or(Unlike),
            None => Ok(past),
        }
    }

    /// Forgets the session up to `time`, of which something is not known.
    pub fn forget(&mut self, agent: &AgentId, session: &SessionId, time: Timestamp) {
        let mut past = Past::new(self.since);
        past.forget_until(time);
        self.sessions.insert((agent.clone(), session.clone()), past);
    }

    /// Adds what the session did next.
    pub fn add(&mut self, agent: &AgentId, session: &SessionId, step: Step) {
        let since = self.since;
        let past = self.sessions.entry((agent.clone(), session.clone())).or_insert_with(|| Past::new(since));
        extend(past, step);
    }
}
