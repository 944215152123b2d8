//! The running server.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use hyper_util::service::TowerToHyperService;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::DropGuard;
use tokio_util::task::AbortOnDropHandle;
use vak::{Host, ReadError};
use vak_serving::{House, Place, Socket};

use super::connection::Governed;
use super::desk::Desk;
use super::metrics::Metrics;
use super::routes;
use super::seal::Seals;
use super::state::{self, Shared, State};
use super::tls::{self, TlsError};
use super::tools::Tools;
use super::who::{Authority, Via};
use crate::mcp::{McpService, Upstreams};

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
    upstreams: Arc<Upstreams>,
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
            Some(place) => {
                Some(vak_serving::address(place).await.map_err(|source| ServeError::Address { place, source })?)
            }
        };
        let socket = settings.socket.as_ref().map(|socket| {
            Socket::bind(&socket.path).map_err(|source| ServeError::Socket { path: socket.path.clone(), source })
        });
        let socket = socket.transpose()?;
        let key = config.state.join("server.key");
        let seals = Seals::open(&key).map_err(|source| ServeError::Key { path: key, source })?;
        let house = House::new(state::connections(&settings.limits));
        let (metrics, limits) = (Arc::<Metrics>::default(), settings.limits.clone());
        let upstreams = Arc::new(Upstreams::start_configured(&host));
        let mcp = config.mcp.as_ref().filter(|mcp| !mcp.upstreams.is_empty());
        let tools = mcp.map(|mcp| Tools::new(Arc::clone(&upstreams), mcp));
        // Of any `Host`: who has no token is not answered.
        let mcp = McpService::new(Arc::clone(&host), Arc::clone(&upstreams), &[]);
        let desk = Arc::new(Desk::new(Arc::clone(&host), &limits, seals, Arc::clone(&metrics), tools)?);
        let state = Arc::new(State {
            authority: Authority::new(&config),
            desk,
            mcp,
            host,
            limits,
            metrics,
            openapi: routes::openapi()?,
            house,
            under_way: Arc::new(Semaphore::new(UNDER_WAY_MAX)),
            calls_under_way: Arc::new(Semaphore::new(CALLS_UNDER_WAY_MAX)),
        });

        let mut places = Vec::new();
        let router = TowerToHyperService::new(routes::router(Arc::clone(&state)));
        let governed = |via| Governed { via, server: Arc::clone(&state), router: router.clone() };
        if let Some(listener) = address {
            let bound = listener.local_addr();
            let address = bound.map_err(|source| ServeError::Address { place: ([0, 0, 0, 0], 0).into(), source })?;
            places.push(Place::Address { address, tls: acceptor.is_some() });
            state.house.open(listener, acceptor, governed(Via::Address));
        }
        if let Some(socket) = socket {
            places.push(Place::Socket(socket.path().to_owned()));
            state.house.open_socket(socket, governed(Via::Socket));
        }
        let (desk, mcp) = (Arc::clone(&state.desk), state.mcp.clone());
        let sweep = async move { tokio::join!(desk.sweep(), mcp.record_now_and_then()) };
        let _sweeping = AbortOnDropHandle::new(tokio::spawn(sweep.map(drop)));
        let _end = state.house.guards();
        Ok(Self { state, places, upstreams, _sweeping, _end })
    }

    /// Where it listens.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Ends it: takes no more connections and decides nothing more, lets what
    /// was begun end, and records as unknown what nobody will report any more.
    /// When it returns nobody uses the host.
    pub async fn drain(self) {
        let Self { state, upstreams, _sweeping, .. } = self;
        let streams = async {
            // They have no end of their own.
            sleep(state.house.limits().drain_within).await;
            state.mcp.close().await;
            std::future::pending().await
        };
        tokio::select! {
            () = state.house.drain() => {}
            () = streams => {}
        }
        state.mcp.close().await;
        state.desk.tools.iter().for_each(Tools::hang_up);
        state.desk.tasks.close();
        state.desk.end_all();
        if timeout(RECORD, state.desk.tasks.wait()).await.is_err() {
            tracing::error!("outcomes were not recorded in time");
        }
        upstreams.close().await;
    }
}
