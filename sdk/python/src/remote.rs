//! A server of another process, and what it answers.

mod answers;
mod calls;
mod connection;
mod place;
mod requests;
mod tls;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::header::HeaderValue;
use hyper::{Method, StatusCode};
use tokio_util::task::TaskTracker;
use vak::ActionId;

use self::connection::{Connection, Lost};
pub(crate) use self::place::Place;
pub(crate) use self::tls::Identity;
use crate::allowed::Ending;
use crate::errors::Error;
use crate::process::ThisProcess;
use crate::runtime::{Background, Runtime};

/// Connections that wait for the next request. Whoever asks more at a time opens
/// others.
const IDLE_MAX: usize = 64;

/// A connection waits for so long at the most: servers give connections up after
/// ten seconds, and a request that meets that moment may or may not have arrived.
const IDLE: Duration = Duration::from_secs(5);

/// A server, and the connections to it. Shared by all that came of it.
#[derive(Debug)]
pub(crate) struct Remote(ThisProcess<Inner>);

#[derive(Debug)]
struct Inner {
    place: Place,
    /// `Bearer …`.
    token: Option<HeaderValue>,
    timeout: Duration,
    idle: Mutex<Vec<(Instant, Connection)>>,
    closing: AtomicBool,
    tasks: TaskTracker,
    runtime: Runtime,
}

/// A request, to be sent once or, where it has an id, as often as it takes.
struct Request {
    method: Method,
    path: String,
    body: Bytes,
    /// Doing it twice is doing it once.
    again: bool,
}

impl Remote {
    pub(crate) fn new(place: Place, token: Option<&str>, timeout: Duration) -> Result<Arc<Self>, Error> {
        place.may_see(token.is_some())?;
        let bearer = |token: &str| {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))?;
            value.set_sensitive(true);
            Ok(value)
        };
        let token = token.map(bearer).transpose();
        let token = token.map_err(|_: hyper::header::InvalidHeaderValue| {
            Error::Config("the token has characters that no token has".to_owned())
        })?;
        Ok(Arc::new(Self(ThisProcess::new(Inner {
            place,
            token,
            timeout,
            idle: Mutex::default(),
            closing: AtomicBool::new(false),
            tasks: TaskTracker::new(),
            runtime: Runtime::new()?,
        }))))
    }

    /// Where what it does goes on.
    pub(crate) fn background(&self) -> Result<Background, Error> {
        Ok(self.0.get()?.runtime.background().clone())
    }

    /// Sends it and gives what came back.
    async fn send(&self, request: Request) -> Result<(StatusCode, Bytes), Error> {
        let inner = self.0.get()?;
        if inner.closing.load(Ordering::Acquire) {
            return Err(Error::Stopped("the client is closed".to_owned()));
        }
        inner.send(request).await
    }

    /// Reports an outcome that nobody waits for.
    pub(crate) fn end(self: &Arc<Self>, action: ActionId, ending: Ending) {
        let Ok(inner) = self.0.get() else { return };
        // Kept until then: dropping the last of it ends what goes on in its runtime.
        let (remote, token) = (Arc::clone(self), inner.tasks.token());
        inner.runtime.handle().spawn(async move {
            if let Err(error) = remote.report(&action, &ending).await {
                tracing::warn!(%action, "an outcome could not be reported: {error}");
            }
            drop((token, remote));
        });
    }

    /// Reports what nobody waits for, and closes the connections.
    pub(crate) async fn close(self: Arc<Self>) -> Result<(), Error> {
        let inner = self.0.get()?;
        inner.closing.store(true, Ordering::Release);
        inner.tasks.close();
        inner.tasks.wait().await;
        inner.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }
}

impl Inner {
    async fn send(&self, request: Request) -> Result<(StatusCode, Bytes), Error> {
        let sent = tokio::time::timeout(self.timeout, self.send_within(request));
        let late = |_| self.unreachable(format_args!("no answer within {} s", self.timeout.as_secs_f64()));
        sent.await.map_err(late)?
    }

    async fn send_within(&self, request: Request) -> Result<(StatusCode, Bytes), Error> {
        let mut request = request;
        loop {
            let (mut connection, used) = self.connection().await?;
            match connection.send(&self.place, self.token.as_ref(), &request).await {
                Ok(answer) => {
                    self.keep(connection);
                    return Ok(answer);
                }
                // It was gone before a byte was sent.
                Err(Lost::Unsent) if used => {}
                // The server may have gone while nobody looked. It may also have
                // done what was asked: that is asked again only where it is no
                // second time, and once.
                Err(Lost::Sent(_)) if used && request.again => request.again = false,
                Err(Lost::Unsent) => return Err(self.unreachable("the connection ended before anything was sent")),
                Err(Lost::Sent(why)) => return Err(self.unreachable(why)),
            }
        }
    }

    /// A connection, and whether it was used before.
    async fn connection(&self) -> Result<(Connection, bool), Error> {
        while let Some(connection) = self.idle() {
            if connection.is_open() {
                return Ok((connection, true));
            }
        }
        let connected = Connection::open(&self.place, &self.runtime).await;
        Ok((connected.map_err(|why| self.unreachable(why))?, false))
    }

    fn idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(since, _)| since.elapsed() < IDLE);
        idle.pop().map(|(_, connection)| connection)
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX && connection.is_open() && !self.closing.load(Ordering::Acquire) {
            idle.push((Instant::now(), connection));
        }
    }

    fn unreachable(&self, why: impl std::fmt::Display) -> Error {
        Error::Unreachable(format!("{}: {why}; whether anything was decided is not known", self.place))
    }
}
