//! The running server.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use vak::{Host, ReadError};

use super::connection;
use super::desk::Desk;
use super::link::{Counted, Link};
use super::listen::{self, Place, Socket};
use super::metrics::Metrics;
use super::routes;
use super::seal::Seals;
use super::state::{Shared, State};
use super::tls::{self, TlsError};
use super::tools::Tools;
use super::who::{Authority, Via};
use crate::mcp::McpError;

/// How long to wait when the system has no more files to give.
const BREATHE: Duration = Duration::from_millis(100);

/// Requests that are begun and not ended. Each goes on when its client leaves, so
/// connections alone do not bound them; four times as many as those by default.
const UNDER_WAY_MAX: usize = 2_048;

/// Those among them that run skills or call tools, which takes seconds: four times
/// as many skills as the host runs at once, with inputs of a mebibyte, and results
/// of tools of up to four.
const CALLS_UNDER_WAY_MAX: usize = 256;

/// How long the outcomes of what was begun may take to be recorded.
const RECORD: Duration = Duration::from_secs(10);

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration says nothing about one.
    #[error("the configuration has no `[server]`; add it, with a token that `vak token new` makes")]
    NotConfigured,
    /// The address can't be had.
    #[error("`server.listen`: {place}: {source}")]
    Address {
        /// The address.
        place: std::net::SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The socket can't be had.
    #[error("`server.socket`: `{}`: {source}", path.display())]
    Socket {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// TLS can't be spoken.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The key for ids can't be read or made.
    #[error("the key for sessions, `{}`: {source}", path.display())]
    Key {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The upstreams can't be had.
    #[error(transparent)]
    Upstreams(#[from] McpError),
    /// What was decided before is not known.
    #[error("what was decided before: {0}")]
    Log(#[from] ReadError),
    /// Never in practice: the description of what is served can be written.
    #[error("the description of what is served: {0}")]
    Openapi(#[from] serde_json::Error),
}

/// A running server. Dropped, it ends at once; see [`drain`](Self::drain).
pub struct Server {
    state: Shared,
    places: Vec<Place>,
    listening: TaskTracker,
    _sweeping: AbortOnDropHandle<()>,
    _end: [DropGuard; 2],
}

impl Server {
    /// Serves a host as its configuration says under `[server]`. Who may do what
    /// is asked of the configuration that decides at the time.
    ///
    /// Needs a tokio runtime with time and I/O. Reads some of the log first.
    ///
    /// # Errors
    /// There is no `[server]`, or its address, socket or files can't be used.
    pub async fn start(host: Arc<Host>) -> Result<Self, ServeError> {
        let config = host.config();
        let settings = config.server.as_ref().ok_or(ServeError::NotConfigured)?;
        let acceptor = settings.tls.as_ref().map(tls::acceptor).transpose()?;
        let address = match settings.address() {
            None => None,
            Some(place) => Some(listen::address(place).await.map_err(|source| ServeError::Address { place, source })?),
        };
        let socket = settings.socket.as_ref().map(|socket| {
            Socket::bind(&socket.path).map_err(|source| ServeError::Socket { path: socket.path.clone(), source })
        });
        let socket = socket.transpose()?;
        let key = config.state.join("server.key");
        let seals = Seals::open(&key).map_err(|source| ServeError::Key { path: key, source })?;
        let (metrics, limits) = (Arc::<Metrics>::default(), settings.limits.clone());
        let tools = Tools::start(&host)?;
        let desk = Arc::new(Desk::new(Arc::clone(&host), &limits, seals, Arc::clone(&metrics), tools)?);
        let state = Arc::new(State {
            authority: Authority::new(&config),
            desk,
            host,
            limits,
            metrics,
            openapi: routes::openapi()?,
            draining: CancellationToken::new(),
            hang_up: CancellationToken::new(),
            under_way: Arc::new(Semaphore::new(UNDER_WAY_MAX)),
            calls_under_way: Arc::new(Semaphore::new(CALLS_UNDER_WAY_MAX)),
            connections: TaskTracker::new(),
        });

        let (listening, mut places) = (TaskTracker::new(), Vec::new());
        let door = || Door {
            router: routes::router(Arc::clone(&state)),
            state: Arc::clone(&state),
            places: places_of(&state),
        };
        if let Some(listener) = address {
            let bound = listener.local_addr();
            let address = bound.map_err(|source| ServeError::Address { place: ([0, 0, 0, 0], 0).into(), source })?;
            places.push(Place::Address { address, tls: acceptor.is_some() });
            listening.spawn(door().addresses(listener, acceptor));
        }
        if let Some(socket) = socket {
            places.push(Place::Socket(socket.path().to_owned()));
            listening.spawn(door().socket(socket));
        }
        listening.close();
        let desk = Arc::clone(&state.desk);
        let _sweeping = AbortOnDropHandle::new(tokio::spawn(async move { desk.sweep().await }));
        let _end = [state.draining.clone().drop_guard(), state.hang_up.clone().drop_guard()];
        Ok(Self { state, places, listening, _sweeping, _end })
    }

    /// Where it listens.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Ends it: takes no more connections and decides nothing more, lets what
    /// was begun end, and records as unknown what nobody will report any more.
    /// When it returns nobody uses the host.
    pub async fn drain(self) {
        let Self { state, listening, _sweeping, .. } = self;
        state.draining.cancel();
        listening.wait().await;
        state.connections.close();
        // Those that are idle hear what is going on if they ask.
        if timeout(Duration::from_millis(state.limits.drain_ms), state.connections.wait()).await.is_err() {
            state.hang_up.cancel();
            if timeout(state.request_within(), state.connections.wait()).await.is_err() {
                tracing::error!("connections were still open at the end");
            }
        }
        state.desk.tools.iter().for_each(Tools::hang_up);
        state.desk.tasks.close();
        state.desk.end_all();
        if timeout(RECORD, state.desk.tasks.wait()).await.is_err() {
            tracing::error!("outcomes were not recorded in time");
        }
        if let Some(tools) = &state.desk.tools {
            tools.close().await;
        }
    }
}

/// So many connections at the same time.
fn places_of(state: &State) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(state.limits.connections_max.min(Semaphore::MAX_PERMITS)))
}

/// One way in.
struct Door {
    state: Shared,
    router: Router,
    places: Arc<Semaphore>,
}

impl Door {
    async fn addresses(self, listener: TcpListener, acceptor: Option<TlsAcceptor>) {
        while let Some(accepted) = self.state.draining.run_until_cancelled(listener.accept()).await {
            let Some((stream, _)) = self.taken(accepted).await else { continue };
            // Answers are written whole; an error shows when they are.
            stream.set_nodelay(true).unwrap_or_default();
            let acceptor = acceptor.clone();
            self.admit(Via::Address, stream, acceptor);
        }
    }

    async fn socket(self, socket: Socket) {
        while let Some(accepted) = self.state.draining.run_until_cancelled(socket.listener.accept()).await {
            let Some((stream, _)) = self.taken(accepted).await else { continue };
            self.admit(Via::Socket, stream, None);
        }
    }

    async fn taken<T>(&self, accepted: io::Result<T>) -> Option<T> {
        match accepted {
            Ok(accepted) => Some(accepted),
            Err(error) => {
                tracing::warn!("a connection could not be taken: {error}");
                sleep(BREATHE).await;
                None
            }
        }
    }

    /// Serves a connection, or closes it if there are too many.
    fn admit(
        &self,
        via: Via,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        acceptor: Option<TlsAcceptor>,
    ) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.state.metrics.refused.add();
            return;
        };
        self.state.metrics.accepted.add();
        let (state, router) = (Arc::clone(&self.state), self.router.clone());
        self.state.connections.spawn(async move {
            let link = Arc::<Link>::default();
            let stream = Counted::new(stream, Arc::clone(&link), state.request_within());
            match acceptor {
                None => connection::serve(stream, link, via, state, router).await,
                Some(acceptor) => match timeout(state.headers_within(), acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => connection::serve(stream, link, via, state, router).await,
                    Ok(Err(error)) => tracing::debug!("no TLS with a client: {error}"),
                    Err(_) => tracing::debug!("no TLS with a client in time"),
                },
            }
            drop(place);
        });
    }
}
