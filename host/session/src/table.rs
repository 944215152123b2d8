//! Which sessions are remembered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use vak_types::{AgentId, Past, SessionId, Timestamp};

/// Sessions of an agent. Each has its own share, so that an agent that opens
/// many makes the host forget its own and nobody else's.
const SESSIONS_MAX: usize = 1_024;

/// Memory of an agent's sessions, in bytes.
const AGENT_BYTES_MAX: usize = 8 << 20;

/// Agents.
const AGENTS_MAX: usize = 4_096;

/// Memory of all sessions, in bytes.
const BYTES_MAX: usize = 128 << 20;

/// What a session takes beside its steps, in bytes.
const SESSION_BYTES: usize = 512;

/// A session. Whoever holds it has its turn.
pub(crate) type Shared = Arc<Mutex<Arc<Past>>>;

/// All sessions.
#[derive(Debug)]
pub(crate) struct Table {
    /// Since when the sessions are remembered that are not in here.
    since: Timestamp,
    agents: HashMap<AgentId, Agent>,
    bytes: usize,
}

#[derive(Debug)]
struct Agent {
    since: Timestamp,
    sessions: HashMap<SessionId, Session>,
    bytes: usize,
    latest: Timestamp,
}

#[derive(Debug)]
struct Session {
    past: Shared,
    bytes: usize,
    latest: Timestamp,
}

impl Table {
    pub(crate) fn new(since: Timestamp) -> Self {
        Self { since, agents: HashMap::new(), bytes: 0 }
    }

    /// The session's past, from now on if it was not known.
    pub(crate) fn session(&mut self, agent: &AgentId, session: &SessionId, now: Timestamp) -> Shared {
        let since = self.since;
        if !self.agents.contains_key(agent) {
            let new = Agent { since, sessions: HashMap::new(), bytes: 0, latest: now };
            self.agents.insert(agent.clone(), new);
        }
        let Some(of) = self.agents.get_mut(agent) else { unreachable!("it was put there above") };
        of.latest = of.latest.max(now);
        if let Some(known) = of.sessions.get_mut(session) {
            known.latest = known.latest.max(now);
            return Arc::clone(&known.past);
        }
        let past = Arc::new(Mutex::new(Arc::new(Past::new(of.since))));
        let new = Session { past: Arc::clone(&past), bytes: SESSION_BYTES, latest: now };
        of.sessions.insert(session.clone(), new);
        of.bytes += SESSION_BYTES;
        self.bytes += SESSION_BYTES;
        past
    }

    /// Says how much memory a session's steps take, and makes room if that is
    /// too much.
    pub(crate) fn measure(&mut self, agent: &AgentId, session: &SessionId, bytes: usize) {
        let Some(of) = self.agents.get_mut(agent) else { return };
        if let Some(known) = of.sessions.get_mut(session) {
            let before = std::mem::replace(&mut known.bytes, SESSION_BYTES + bytes);
            of.bytes = of.bytes - before + known.bytes;
            self.bytes = self.bytes - before + known.bytes;
        }
        while of.sessions.len() > SESSIONS_MAX || of.bytes > AGENT_BYTES_MAX {
            let Some(freed) = of.evict() else { break };
            self.bytes -= freed;
        }
        while self.agents.len() > AGENTS_MAX || self.bytes > BYTES_MAX {
            if !self.evict() {
                break;
            }
        }
    }

    /// Forgets the agent that was heard of least recently, and knows until when.
    /// One that has its turn stays.
    fn evict(&mut self) -> bool {
        let idle = self.agents.iter().filter(|(_, agent)| agent.sessions.values().all(Session::is_idle));
        let Some(agent) = idle.min_by_key(|(_, agent)| agent.latest).map(|(id, _)| id.clone()) else { return false };
        if let Some(agent) = self.agents.remove(&agent) {
            self.bytes -= agent.bytes;
            self.since = self.since.max(agent.since).max(just_after(agent.latest));
        }
        true
    }
}

impl Agent {
    /// Forgets the session that was heard of least recently, and knows until
    /// when. Gives the memory that it took.
    fn evict(&mut self) -> Option<usize> {
        let idle = self.sessions.iter().filter(|(_, session)| session.is_idle());
        let id = idle.min_by_key(|(_, session)| session.latest).map(|(id, _)| id.clone())?;
        let session = self.sessions.remove(&id)?;
        self.since = self.since.max(just_after(session.latest));
        self.bytes -= session.bytes;
        Some(session.bytes)
    }
}

impl Session {
    /// Whether nobody has its turn. What is added to a session that was evicted
    /// meanwhile would be lost, and nobody would know.
    fn is_idle(&self) -> bool {
        Arc::strong_count(&self.past) == 1
    }
}

fn just_after(time: Timestamp) -> Timestamp {
    Timestamp::from_nanos(time.as_nanos().saturating_add(1))
}
