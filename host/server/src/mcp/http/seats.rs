//! Whose session is whose.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::model::RequestId;
use rmcp::transport::streamable_http_server::session::SessionManager as _;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;

use super::super::error::McpError;
use super::super::session::Session;
use super::Client;

/// Sessions at the same time. Each holds a task and its last messages.
const SESSIONS_MAX: usize = 256;

/// Those of one credential, so that nobody takes all.
const SESSIONS_OF_ONE_MAX: usize = 64;

/// Credentials that ask without a session. The operator makes them.
const CLIENTS_MAX: usize = 1_024;

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub(super) enum SeatError {
    #[error("there are as many sessions as may be; end one, or wait until one is idle for long")]
    Full,
    #[error(transparent)]
    Session(#[from] McpError),
}

/// The sessions there are. A client without one, as the revision 2026-07-28 has
/// it, gets one for its credential: limits, and what it has heard, are counted
/// there.
#[derive(Default)]
pub(super) struct Seats(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    begun: HashMap<String, Seat>,
    without: HashMap<Client, Arc<Session>>,
}

struct Seat {
    client: Client,
    session: Arc<Session>,
    ids: Ids,
}

/// Who acts in a request.
pub(super) struct Seated {
    pub(super) session: Arc<Session>,
    pub(super) ids: Ids,
    /// Whether the request names a session that began with `initialize`.
    pub(super) is_bound: bool,
}

impl Seats {
    /// The session that a client names, if it is the client's.
    pub(super) fn of(&self, id: &str, client: &Client) -> Option<Seated> {
        let inner = self.lock();
        let seat = inner.begun.get(id).filter(|seat| seat.client == *client)?;
        Some(Seated { session: Arc::clone(&seat.session), ids: seat.ids.clone(), is_bound: true })
    }

    /// The session of a client that names none.
    pub(super) fn without_session(&self, client: &Client) -> Result<Seated, SeatError> {
        let mut inner = self.lock();
        let session = match inner.without.get(client) {
            Some(session) => Arc::clone(session),
            None if inner.without.len() >= CLIENTS_MAX => return Err(SeatError::Full),
            None => {
                let session = Arc::new(Session::new(client.agent.clone(), client.person.clone())?);
                inner.without.insert(client.clone(), Arc::clone(&session));
                session
            }
        };
        Ok(Seated { session, ids: Ids::default(), is_bound: false })
    }

    /// A session that is to begin, if there is room for it.
    pub(super) async fn new_for(
        &self,
        client: &Client,
        sessions: &LocalSessionManager,
    ) -> Result<Arc<Session>, SeatError> {
        if !self.has_room(client) {
            self.forget_ended(sessions).await;
            if !self.has_room(client) {
                return Err(SeatError::Full);
            }
        }
        Ok(Arc::new(Session::new(client.agent.clone(), client.person.clone())?))
    }

    /// Notes a session that has begun.
    pub(super) fn take(&self, id: &str, client: Client, session: Arc<Session>) {
        self.lock().begun.insert(id.to_owned(), Seat { client, session, ids: Ids::default() });
    }

    /// Forgets a session.
    pub(super) fn leave(&self, id: &str) {
        self.lock().begun.remove(id);
    }

    fn has_room(&self, client: &Client) -> bool {
        let inner = self.lock();
        let own = inner.begun.values().filter(|seat| seat.client == *client).count();
        inner.begun.len() < SESSIONS_MAX && own < SESSIONS_OF_ONE_MAX
    }

    /// Those that were idle for too long ended by themselves.
    async fn forget_ended(&self, sessions: &LocalSessionManager) {
        let ids: Vec<_> = self.lock().begun.keys().cloned().collect();
        for id in ids {
            if !matches!(sessions.has_session(&id.as_str().into()).await, Ok(true)) {
                self.leave(&id);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ids of a session's requests without an answer.
#[derive(Clone, Default)]
pub(super) struct Ids(Arc<Mutex<HashSet<RequestId>>>);

/// A request that is under way. It is over when this is dropped.
pub(super) struct Asked {
    ids: Ids,
    id: RequestId,
}

impl Ids {
    /// Notes a request. `None` if its id is in use: the answers of the two could
    /// not be told apart.
    pub(super) fn ask(&self, id: &RequestId) -> Option<Asked> {
        let new = self.lock().insert(id.clone());
        new.then(|| Asked { ids: self.clone(), id: id.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<RequestId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.ids.lock().remove(&self.id);
    }
}
