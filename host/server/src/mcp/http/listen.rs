//! The gateway on a port of its own, for one agent on the same machine.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use vak::Host;
use vak_serving::bearer;
use vak_types::Digest;

use super::super::error::McpError;
use super::super::shared::agent;
use super::refusal::{not_found, unauthenticated};
use super::{Answer, Client, McpService};

/// Connections at the same time. Others wait to be accepted.
const CONNECTIONS_MAX: usize = 256;

/// How long a connection may take to send the head of a request.
const HEAD_LIMIT: Duration = Duration::from_secs(10);

/// Bytes that are read ahead on a connection, and so the largest head.
const BUFFER_BYTES_MAX: usize = 64 << 10;

/// Header fields of a request. Clients send about fifteen.
const HEADERS_MAX: usize = 64;

/// The shortest token, in bytes: 16 random bytes in hexadecimal.
const TOKEN_BYTES_MIN: usize = 32;

/// How long to wait after an accept that failed, such as for want of file
/// descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// A gateway that listens.
pub struct Listening {
    listener: TcpListener,
    service: McpService,
    token: Digest,
    client: Client,
}

/// Listens at `address`, which has to be one of this machine alone, for requests
/// with the bearer token in the file `token`: there is no TLS here, and no
/// other way to tell clients apart. They act as the agent of `[mcp]`.
///
/// # Errors
/// The address is another machine's to reach or cannot be had, others may read the
/// token's file, or the gateway does not start.
pub async fn listen(
    host: Arc<Host>,
    command: &[OsString],
    address: SocketAddr,
    token: &Path,
) -> Result<Listening, McpError> {
    if !address.ip().is_loopback() {
        return Err(McpError::NotLoopback(address));
    }
    let agent = agent(&host)?;
    let token = read(token).map_err(|why| McpError::Token { path: token.to_owned(), why })?;
    let listener = TcpListener::bind(address).await?;
    let service = McpService::start(host, command, &["localhost", "127.0.0.1", "::1"])?;
    Ok(Listening { listener, service, token, client: Client { agent, credential: "token".to_owned() } })
}

impl Listening {
    /// Where it listens.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the process gets SIGTERM or SIGINT. Calls that are under way
    /// then are given up, and recorded so.
    ///
    /// # Errors
    /// The system gives no signals.
    pub async fn serve(self) -> Result<(), McpError> {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let service = self.service.clone();
        tokio::select! {
            () = self.accept() => {}
            () = service.record_now_and_then() => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        service.close().await;
        Ok(())
    }

    async fn accept(self) {
        let (this, places, connections) =
            (Arc::new(self), Arc::new(Semaphore::new(CONNECTIONS_MAX)), TaskTracker::new());
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match this.listener.accept().await {
                Ok((stream, _)) => {
                    let this = Arc::clone(&this);
                    connections.spawn(async move {
                        this.connection(stream).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn connection(&self, stream: TcpStream) {
        // An answer is one small write after the other.
        stream.set_nodelay(true).unwrap_or_default();
        let mut server = http1::Builder::new();
        server.timer(TokioTimer::new()).header_read_timeout(HEAD_LIMIT);
        server.max_buf_size(BUFFER_BYTES_MAX).max_headers(HEADERS_MAX);
        let service = service_fn(async |request| Ok::<_, Infallible>(self.answer(request).await));
        if let Err(error) = server.serve_connection(TokioIo::new(stream), service).await {
            tracing::debug!(%error, "a connection ended with an error");
        }
    }

    async fn answer(&self, mut request: Request<Incoming>) -> Answer {
        if request.uri().path() != "/mcp" {
            return *not_found();
        }
        if !self.knows(&request) {
            return *unauthenticated();
        }
        request.extensions_mut().insert(self.client.clone());
        self.service.handle(request).await
    }

    /// Digests are compared: how long that takes says nothing of the token.
    fn knows(&self, request: &Request<Incoming>) -> bool {
        matches!(bearer::token(request.headers()), Ok(Some(token)) if Digest::of(token) == self.token)
    }
}

fn read(path: &Path) -> Result<Digest, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mode = file.metadata().map_err(|error| error.to_string())?.mode();
    if mode & 0o077 != 0 {
        return Err(format!("others may read it (mode {:o}); make it yours alone with `chmod 600`", mode & 0o777));
    }
    let mut text = String::new();
    file.take(bearer::BYTES_MAX as u64 + 2).read_to_string(&mut text).map_err(|error| error.to_string())?;
    let token = text.trim();
    let fits = (TOKEN_BYTES_MIN..=bearer::BYTES_MAX).contains(&token.len());
    match fits && token.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(Digest::of(token.as_bytes())),
        false => Err(format!(
            "a token has {TOKEN_BYTES_MIN} to {} visible ASCII characters; such as `openssl rand -hex 32` makes",
            bearer::BYTES_MAX
        )),
    }
}
