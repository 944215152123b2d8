//! HTTP requests of a skill: only where its rules let them go.

mod address;
mod body;
pub(crate) mod body_error;
mod connect;
mod destination;
mod send;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use vak_engine::CallLimits;
use vak_types::{HttpRule, Name};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use destination::Destination;

/// Requests in one call: a skill that follows links, not one that crawls.
const REQUESTS_MAX: u32 = 100;

/// Requests at the same time. Each takes a socket, and a process has 1,024
/// file descriptors by default.
const CONCURRENT_MAX: usize = 8;

/// Bytes of response bodies in one call: a skill has 128 MiB of memory, and
/// a response is there several times while it is read.
const BODY_BYTES_MAX: u64 = 32 << 20;

/// Bytes of a response's head: several times what browsers take.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Header fields of a response.
const HEADERS_MAX: usize = 128;

/// Bytes of a request's body that wait to be sent. A guest can start many
/// requests that it never sends.
const OUTGOING_BYTES_MAX: usize = 64 << 10;

/// Where the requests of a component may go, and what a call still has.
#[derive(Clone)]
pub(crate) struct Gate {
    component: Arc<str>,
    rules: Arc<[HttpRule]>,
    sent: u32,
    times: Times,
    quota: Arc<Quota>,
}

/// What the requests of one call share.
struct Quota {
    slots: Arc<Semaphore>,
    body_bytes_left: AtomicU64,
}

/// How long to wait at the most for each thing.
#[derive(Clone, Copy, Default)]
struct Times {
    connect: Duration,
    first_byte: Duration,
    between_bytes: Duration,
    wall: Duration,
}

impl Times {
    /// What a guest does not set leaves it time to answer with an error, before
    /// its wall time is over. What it sets is bounded by that too.
    fn new(wall: Duration) -> Self {
        Self { connect: wall / 4, first_byte: wall / 2, between_bytes: wall / 2, wall }
    }

    fn with(self, options: Option<RequestOptions>) -> Self {
        let options = options.unwrap_or_default();
        let bounded = |wanted: Option<Duration>, usual| wanted.unwrap_or(usual).min(self.wall);
        Self {
            connect: bounded(options.connect_timeout, self.connect),
            first_byte: bounded(options.first_byte_timeout, self.first_byte),
            between_bytes: bounded(options.between_bytes_timeout, self.between_bytes),
            wall: self.wall,
        }
    }
}

/// Why a request is not sent.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("more than {REQUESTS_MAX} requests in one call")]
    TooMany,
    #[error("more than {CONCURRENT_MAX} requests at the same time")]
    Concurrent,
    #[error("its host is not written the one way that hosts are")]
    Spelling,
    #[error("no grant lets it {method} `{}://{host}:{port}`", scheme(*.tls))]
    NotGranted { method: String, host: String, port: u16, tls: bool },
    #[error("`{host}` is at {address}, which is not on the public internet; a grant would have to say `private`")]
    Private { host: String, address: std::net::IpAddr },
}

fn scheme(tls: bool) -> &'static str {
    if tls { "https" } else { "http" }
}

impl From<&Refusal> for Error {
    fn from(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::TooMany | Refusal::NotGranted { .. } => Self::HttpRequestDenied,
            Refusal::Concurrent => Self::ConnectionLimitReached,
            Refusal::Spelling => Self::HttpRequestUriInvalid,
            Refusal::Private { .. } => Self::DestinationIpProhibited,
        }
    }
}

impl Default for Gate {
    /// Lets nothing through.
    fn default() -> Self {
        Self { component: "".into(), rules: [].into(), sent: 0, times: Times::default(), quota: Quota::new(0, 0) }
    }
}

impl Quota {
    fn new(slots: usize, body_bytes: u64) -> Arc<Self> {
        let slots = Arc::new(Semaphore::new(slots));
        Arc::new(Self { slots, body_bytes_left: AtomicU64::new(body_bytes) })
    }
}

impl Gate {
    /// For the component `name`, whose requests need a rule of `rules`.
    pub(crate) fn new(name: &Name, rules: &[HttpRule]) -> Self {
        Self { component: name.as_str().into(), rules: rules.into(), ..Self::default() }
    }

    /// The same for one call.
    pub(crate) fn for_call(&self, limits: &CallLimits) -> Self {
        if self.rules.is_empty() {
            return Self { component: self.component.clone(), ..Self::default() };
        }
        let times = Times::new(Duration::from_millis(limits.wall_ms_max));
        Self { times, quota: Quota::new(CONCURRENT_MAX, BODY_BYTES_MAX), sent: 0, ..self.clone() }
    }

    fn admit(&mut self, request: &http::Request<WasiBody>) -> Result<(Destination, OwnedSemaphorePermit), Refusal> {
        self.sent += 1;
        if self.sent > REQUESTS_MAX {
            return Err(Refusal::TooMany);
        }
        let destination = Destination::of(request, &self.rules)?;
        let slot = self.quota.slots.clone().try_acquire_owned().map_err(|_| Refusal::Concurrent)?;
        Ok((destination, slot))
    }
}

/// Tells the operator, who may want to grant it or to know who tries.
fn refuse(component: &str, host: &str, refusal: &Refusal) -> Error {
    let host = vak_types::printable(host, 256);
    tracing::warn!(component, host, "request refused: {refusal}");
    refusal.into()
}

type Response = (http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

impl WasiHttpHooks for Gate {
    /// It is the host's to say what the host is.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        OUTGOING_BYTES_MAX
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Response, Error>> + Send> {
        let component = self.component.clone();
        match self.admit(&request) {
            Ok((destination, slot)) => {
                let (times, quota) = (self.times.with(options), self.quota.clone());
                Box::new(send::send(component, destination, request, times, quota, slot))
            }
            Err(refusal) => {
                let error = refuse(&component, request.uri().host().unwrap_or_default(), &refusal);
                Box::new(std::future::ready(Err(error)))
            }
        }
    }
}
