//! The ways into a server, and its end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::connection::{self, Answers};
use crate::counted::Counted;
use crate::listen::Socket;

/// How long to wait when the system has no more files to give.
const BREATHE: Duration = Duration::from_millis(100);

/// What connections may use.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at the same time, for each way in.
    pub connections_max: usize,
    /// Headers of a request.
    pub headers_max: usize,
    /// Bytes of all its headers.
    pub header_bytes_max: usize,
    /// For a TLS handshake, and for headers, counted from when the last answer was
    /// sent.
    pub headers_within: Duration,
    /// For each part of an answer to be taken.
    pub write_within: Duration,
    /// For an answer.
    pub request_within: Duration,
    /// For connections to end when the server does.
    pub drain_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 512,
            headers_max: 64,
            header_bytes_max: 16 << 10,
            headers_within: Duration::from_secs(10),
            write_within: Duration::from_secs(30),
            request_within: Duration::from_secs(30),
            drain_within: Duration::from_secs(2),
        }
    }
}

/// A server's connections, by whatever way they come.
#[derive(Debug, Clone)]
pub struct House {
    pub(crate) limits: Arc<Limits>,
    /// No more is taken in.
    draining: CancellationToken,
    /// Each connection ends with the request it is at.
    pub(crate) hang_up: CancellationToken,
    listening: TaskTracker,
    /// Connections, each a task.
    connections: TaskTracker,
}

impl House {
    /// One that has no way in yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits: Arc::new(limits),
            draining: CancellationToken::new(),
            hang_up: CancellationToken::new(),
            listening: TaskTracker::new(),
            connections: TaskTracker::new(),
        }
    }

    /// What connections may use.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether no more is taken in.
    pub fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Ends at once when these are dropped.
    pub fn guards(&self) -> [DropGuard; 2] {
        [self.draining.clone().drop_guard(), self.hang_up.clone().drop_guard()]
    }

    /// Has `answers` answer whoever connects to an address.
    pub fn open(&self, listener: TcpListener, acceptor: Option<TlsAcceptor>, answers: impl Answers) {
        let door = self.door(answers);
        self.listening.spawn(async move {
            while let Some(accepted) = door.house.draining.run_until_cancelled(listener.accept()).await {
                let Some((stream, _)) = taken(accepted).await else { continue };
                // Answers are written whole; an error shows when they are.
                stream.set_nodelay(true).unwrap_or_default();
                door.admit(stream, acceptor.clone());
            }
        });
    }

    /// Has `answers` answer whoever can open a socket.
    pub fn open_socket(&self, socket: Socket, answers: impl Answers) {
        let door = self.door(answers);
        self.listening.spawn(async move {
            while let Some(accepted) = door.house.draining.run_until_cancelled(socket.accept()).await {
                let Some(stream) = taken(accepted).await else { continue };
                door.admit(stream, None);
            }
        });
    }

    fn door<A: Answers>(&self, answers: A) -> Door<A> {
        let places = self.limits.connections_max.min(Semaphore::MAX_PERMITS);
        Door { house: self.clone(), answers, places: Arc::new(Semaphore::new(places)) }
    }

    /// Takes no more connections, and returns when those that are there have
    /// ended: by themselves, or else after the request they are at.
    pub async fn drain(&self) {
        self.draining.cancel();
        self.listening.close();
        self.listening.wait().await;
        self.connections.close();
        // Those that are idle hear what is going on if they ask.
        if timeout(self.limits.drain_within, self.connections.wait()).await.is_err() {
            self.hang_up.cancel();
            if timeout(self.limits.request_within, self.connections.wait()).await.is_err() {
                tracing::error!("connections were still open at the end");
            }
        }
    }
}

async fn taken<T>(accepted: io::Result<T>) -> Option<T> {
    match accepted {
        Ok(accepted) => Some(accepted),
        Err(error) => {
            tracing::warn!("a connection could not be taken: {error}");
            sleep(BREATHE).await;
            None
        }
    }
}

/// One way in.
struct Door<A> {
    house: House,
    answers: A,
    places: Arc<Semaphore>,
}

impl<A: Answers> Door<A> {
    /// Serves a connection, or closes it if there are too many.
    fn admit(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, acceptor: Option<TlsAcceptor>) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.answers.refused();
            return;
        };
        self.answers.taken();
        let (house, answers) = (self.house.clone(), self.answers.clone());
        self.house.connections.spawn(async move {
            let link = Arc::<A::Link>::default();
            let stream = Counted::new(stream, Arc::clone(&link), house.limits.write_within);
            match acceptor {
                None => connection::serve(stream, link, answers, house).await,
                Some(acceptor) => match timeout(house.limits.headers_within, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => connection::serve(stream, link, answers, house).await,
                    Ok(Err(error)) => tracing::debug!("no TLS with a client: {error}"),
                    Err(_) => tracing::debug!("no TLS with a client in time"),
                },
            }
            drop(place);
        });
    }
}
