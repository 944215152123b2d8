//! The gateway on a port of its own, for one agent on the same machine.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use vak::Host;
use vak_serving::{Answers, House, Limits, bearer};
use vak_types::Digest;

use super::super::error::McpError;
use super::super::shared::configured;
use super::super::upstreams::Upstreams;
use super::refusal::{not_found, unauthenticated};
use super::{Answer, Client, McpService};

/// Connections at the same time. Others are closed at once.
const CONNECTIONS_MAX: usize = 256;

/// Bytes of the headers of a request. Clients send some hundred.
const HEADER_BYTES_MAX: usize = 64 << 10;

/// The shortest token, in bytes: 16 random bytes in hexadecimal.
const TOKEN_BYTES_MIN: usize = 32;

/// A gateway that listens.
pub struct Listening {
    listener: TcpListener,
    upstreams: Arc<Upstreams>,
    door: Door,
}

/// Lets in whoever has the token.
#[derive(Clone)]
struct Door {
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
    let (agent, person) = configured(&host)?;
    let token = read(token).map_err(|why| McpError::Token { path: token.to_owned(), why })?;
    let listener = vak_serving::address(address).await?;
    let upstreams = Arc::new(Upstreams::start(&host, command)?);
    let service = McpService::new(host, Arc::clone(&upstreams), &["localhost", "127.0.0.1", "::1"]);
    let client = Client { agent, person, credential: "token".into() };
    Ok(Listening { listener, upstreams, door: Door { service, token, client } })
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
        let Self { listener, upstreams, door } = self;
        let service = door.service.clone();
        let limits =
            Limits { connections_max: CONNECTIONS_MAX, header_bytes_max: HEADER_BYTES_MAX, ..Limits::default() };
        let house = House::new(limits);
        let [taking, connections] = house.guards();
        house.open(listener, None, door);
        tokio::select! {
            () = service.record_now_and_then() => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        drop(taking);
        // What is under way is told so before its connection ends.
        service.close().await;
        upstreams.close().await;
        drop(connections);
        Ok(())
    }
}

impl Answers for Door {
    type Link = ();

    async fn answer(&self, request: Request<Incoming>, (): &()) -> Response {
        self.answered(request).await.map(Body::new)
    }
}

impl Door {
    async fn answered(&self, mut request: Request<Incoming>) -> Answer {
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
