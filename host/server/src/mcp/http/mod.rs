//! The gateway over streamable HTTP.
//!
//! rmcp speaks the protocol, in the revisions with sessions and in that without.
//! What is here stands before it: who asks, how much is read, that a message is
//! read in one way, and whose session it is.

mod body;
mod listen;
mod refusal;
mod seats;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, Limited};
use rmcp::model::{ClientRequest, JsonRpcMessage};
use rmcp::transport::streamable_http_server::session::local::{LocalSessionManager, SessionConfig};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vak::{Host, Person};
use vak_types::AgentId;

use self::body::{Held, Taken};
pub use self::listen::{Listening, listen};
use self::refusal::{Refusal, json, no_session, text, unauthenticated, unavailable};
use self::seats::{Seated, Seats};
use super::gateway::Gateway;
use super::refusals::Cause;
use super::screen;
use super::session::Session;
use super::shared::Shared;
use super::upstreams::Upstreams;

/// Requests and streams at the same time: calls, and a stream for each session.
const REQUESTS_MAX: usize = 512;

/// How long the body of a request may take to come. It has 2 MiB at most.
const BODY_LIMIT: Duration = Duration::from_secs(10);

/// How long a session without a request is kept.
const IDLE: Duration = Duration::from_secs(300);

/// How long the answer to a request is kept for a client that lost its stream.
/// Each may have 4 MiB.
const RESUMABLE: Duration = Duration::from_secs(10);

/// How long clients may take to have their last answers.
const TELL: Duration = Duration::from_secs(1);

/// The header that names a session.
const SESSION: &str = "mcp-session-id";

/// Whose calls are told in the log when they were refused.
const WHOM: &str = "over HTTP";

/// What a request is answered with.
pub(crate) type Answer = Response<BoxBody<Bytes, Infallible>>;

/// Who sends a request. Whoever authenticates it puts this into its extensions;
/// without it nothing is answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Client {
    /// The agent that it acts as.
    pub(crate) agent: AgentId,
    /// Who sits before it.
    pub(crate) person: Option<Person>,
    /// What it has proven to have, such as the name of a token. A session is that
    /// of the credential that began it.
    pub(crate) credential: Arc<str>,
}

/// The gateway, for whoever listens.
#[derive(Clone)]
pub(crate) struct McpService {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    config: StreamableHttpServerConfig,
    /// Ends the streams that have no end of their own.
    streams: CancellationToken,
    /// Those that are answered.
    messages: TaskTracker,
    sessions: Arc<LocalSessionManager>,
    seats: Seats,
    requests: Arc<Semaphore>,
}

impl McpService {
    /// A gateway before `upstreams`. `hosts` are the values of `Host` that requests
    /// may have, any if there are none; what comes from a web page, and so has an
    /// `Origin`, is refused.
    ///
    /// Needs a tokio runtime with time and I/O.
    pub(crate) fn new(host: Arc<Host>, upstreams: Arc<Upstreams>, hosts: &[&str]) -> Self {
        let shared = Arc::new(Shared::new(host, upstreams));
        let mut sessions = LocalSessionManager::default();
        sessions.session_config = SessionConfig::default();
        sessions.session_config.keep_alive = Some(IDLE);
        sessions.session_config.completed_cache_ttl = RESUMABLE;
        let sessions = Arc::new(sessions);
        let streams = CancellationToken::new();
        let config = StreamableHttpServerConfig::default()
            .with_allowed_hosts(hosts.iter().copied())
            .enforce_origin_validation()
            .with_json_response(true)
            .with_max_request_body_bytes(screen::MESSAGE_BYTES_MAX)
            .with_cancellation_token(streams.clone());
        let requests = Arc::new(Semaphore::new(REQUESTS_MAX));
        let (seats, messages) = (Seats::default(), TaskTracker::new());
        Self { inner: Arc::new(Inner { shared, config, streams, messages, sessions, seats, requests }) }
    }

    /// Answers one request.
    pub(crate) async fn handle<B>(&self, request: Request<B>) -> Answer
    where
        B: Body + Send + 'static,
        B::Error: Display + Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.inner.answer(request).await.unwrap_or_else(|refusal| *refusal)
    }

    /// Records refused calls now and then, for as long as it is polled.
    pub(crate) async fn record_now_and_then(&self) {
        self.inner.shared.refusals.record_now_and_then(&self.inner.shared.host, WHOM).await;
    }

    /// Gives up what is under way, records that, tells it to whoever waits, and ends
    /// the streams.
    pub(crate) async fn close(&self) {
        let Inner { shared, messages, streams, .. } = &*self.inner;
        shared.close(WHOM).await;
        messages.close();
        if timeout(TELL, messages.wait()).await.is_err() {
            tracing::debug!("clients have not taken their last answers");
        }
        streams.cancel();
    }
}

impl Inner {
    /// What speaks the protocol with the client of a session.
    fn protocol(&self, session: Arc<Session>) -> StreamableHttpService<Gateway, LocalSessionManager> {
        let shared = Arc::clone(&self.shared);
        let gateway = move || Ok(Gateway::new(Arc::clone(&shared), Arc::clone(&session)));
        StreamableHttpService::new(gateway, Arc::clone(&self.sessions), self.config.clone())
    }

    async fn answer<B>(&self, request: Request<B>) -> Result<Answer, Refusal>
    where
        B: Body + Send + 'static,
        B::Error: Display + Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let place = Arc::clone(&self.requests)
            .try_acquire_owned()
            .map_err(|_| unavailable(&format!("{REQUESTS_MAX} requests are under way")))?;
        let (parts, body) = request.into_parts();
        let client = parts.extensions.get::<Client>().cloned().ok_or_else(unauthenticated)?;
        let named = session_id(&parts.headers)?;
        let seated = named.map(|id| self.seats.of(id, &client).ok_or_else(no_session)).transpose()?;
        let seated = match seated {
            Some(seated) => seated,
            None => self.seats.without_session(&client).map_err(|error| unavailable(&error))?,
        };
        if parts.method != Method::POST {
            let ends = parts.method == Method::DELETE;
            let id = named.map(str::to_owned);
            let answer =
                self.protocol(seated.session).handle(Request::from_parts(parts, Full::new(Bytes::new()))).await;
            if let Some(id) = id.filter(|_| ends && answer.status().is_success()) {
                self.seats.leave(&id);
            }
            let taken = Taken::new(place, None);
            return Ok(answer.map(|body| BoxBody::new(Held::new(body, taken))));
        }
        let taken = Taken::new(place, Some(self.messages.token()));
        self.post(parts, body, client, seated, taken).await
    }

    async fn post<B>(
        &self,
        mut parts: Parts,
        body: B,
        client: Client,
        seated: Seated,
        taken: Taken,
    ) -> Result<Answer, Refusal>
    where
        B: Body + Send + 'static,
        B::Error: Display + Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let body = self.read(body).await?;
        let message = match screen::read(&body) {
            Ok(Some(message)) => message,
            Ok(None) => return Err(text(StatusCode::BAD_REQUEST, "the body is empty")),
            Err(answer) => {
                self.shared.refusals.count(Cause::Unreadable);
                return Err(json(StatusCode::BAD_REQUEST, &answer));
            }
        };
        let JsonRpcMessage::Request(request) = message else {
            let answer = self.protocol(seated.session).handle(Request::from_parts(parts, Full::new(body))).await;
            return Ok(answer.map(|body| BoxBody::new(Held::new(body, taken))));
        };
        let begins = matches!(request.request, ClientRequest::InitializeRequest(_));
        if begins && seated.is_bound {
            return Err(text(
                StatusCode::BAD_REQUEST,
                "the session has begun already; leave out its id to begin another",
            ));
        }
        let asked = match seated.is_bound {
            true => match seated.ids.ask(&request.id) {
                Some(asked) => Some(Arc::new(asked)),
                None => {
                    self.shared.refusals.count(Cause::RepeatedId);
                    return Err(json(StatusCode::BAD_REQUEST, &screen::repeated(&request.id)));
                }
            },
            // Its answer has a stream of its own, and nobody else's.
            false => None,
        };
        let new = if begins {
            Some(self.seats.new_for(&client, &self.sessions).await.map_err(|error| unavailable(&error))?)
        } else {
            None
        };
        let session = new.as_ref().map_or(seated.session, Arc::clone);
        if let Some(asked) = &asked {
            parts.extensions.insert(Arc::clone(asked));
        }
        let answer = self.protocol(session).handle(Request::from_parts(parts, Full::new(body))).await;
        if let Some(new) = new
            && let Some(id) = answer.headers().get(SESSION).and_then(|id| id.to_str().ok())
        {
            self.seats.take(id, client, new);
        }
        Ok(answer.map(|body| BoxBody::new(Held::new(body, taken.with(asked)))))
    }

    async fn read<B>(&self, body: B) -> Result<Bytes, Refusal>
    where
        B: Body + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let body = Limited::new(body, screen::MESSAGE_BYTES_MAX);
        match timeout(BODY_LIMIT, Box::pin(body).collect()).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
                self.shared.refusals.count(Cause::TooLong);
                let most = format!("the body is too long; the most is {} bytes", screen::MESSAGE_BYTES_MAX);
                Err(text(StatusCode::PAYLOAD_TOO_LARGE, &most))
            }
            Ok(Err(_)) => Err(text(StatusCode::BAD_REQUEST, "the body could not be read")),
            Err(_) => Err(text(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")),
        }
    }
}

/// The session that a request names. Two names could be read in two ways.
fn session_id(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut ids = headers.get_all(SESSION).iter();
    match (ids.next(), ids.next()) {
        (None, _) => Ok(None),
        (Some(id), None) => id.to_str().map(Some).map_err(|_| no_session()),
        (Some(_), Some(_)) => Err(text(StatusCode::BAD_REQUEST, "`Mcp-Session-Id` stands twice")),
    }
}
