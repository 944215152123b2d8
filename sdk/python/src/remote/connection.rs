//! A connection to a server.

use std::error::Error as _;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request as HttpRequest, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::{Place, Request};
use crate::runtime::Runtime;

/// Longest answer that is read, in bytes: that of a skill, with room for what JSON
/// escapes, or a list of what waits for persons.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// One connection, for one request at a time.
#[derive(Debug)]
pub(super) struct Connection(SendRequest<Full<Bytes>>);

/// Why there is no answer.
pub(super) enum Lost {
    /// The server can't have seen anything of the request.
    Unsent,
    /// It may have done what was asked.
    Sent(String),
}

impl Connection {
    pub(super) async fn open(place: &Place, runtime: &Runtime) -> Result<Self, String> {
        match place {
            Place::Unix(path) => {
                let stream = UnixStream::connect(path).await.map_err(|error| error.to_string())?;
                Self::over(stream, runtime).await
            }
            Place::Tcp { host, port, tls, .. } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(|error| error.to_string())?;
                stream.set_nodelay(true).map_err(|error| error.to_string())?;
                match tls {
                    None => Self::over(stream, runtime).await,
                    Some(tls) => Self::over(tls.connect(stream).await?, runtime).await,
                }
            }
        }
    }

    async fn over(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        runtime: &Runtime,
    ) -> Result<Self, String> {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| words(&error))?;
        // Why it ends is told to whoever waits for an answer.
        runtime.handle().spawn(async move { connection.await.unwrap_or_default() });
        Ok(Self(sender))
    }

    /// Whether the next request can be sent.
    pub(super) fn is_open(&self) -> bool {
        !self.0.is_closed()
    }

    pub(super) async fn send(
        &mut self,
        place: &Place,
        token: Option<&HeaderValue>,
        request: &Request,
    ) -> Result<(StatusCode, Bytes), Lost> {
        if self.0.ready().await.is_err() {
            return Err(Lost::Unsent);
        }
        let sent = self.0.try_send_request(message(place, token, request)?).await;
        let response = sent.map_err(|mut failed| match failed.take_message() {
            Some(_) => Lost::Unsent,
            None => Lost::Sent(words(failed.error())),
        })?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| Lost::Sent(format!("the answer broke off: {error}")))?;
        Ok((status, body.to_bytes()))
    }
}

fn message(place: &Place, token: Option<&HeaderValue>, request: &Request) -> Result<HttpRequest<Full<Bytes>>, Lost> {
    let mut message = HttpRequest::builder()
        .method(&request.method)
        .uri(&request.path)
        .header(HOST, place.header())
        .header(ACCEPT, "application/json, application/problem+json");
    if let Some(token) = token {
        message = message.header(AUTHORIZATION, token);
    }
    if !request.body.is_empty() {
        message = message.header(CONTENT_TYPE, "application/json");
    }
    message.body(Full::new(request.body.clone())).map_err(|error| Lost::Sent(error.to_string()))
}

/// An error with its causes: the innermost says what is wrong.
fn words(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
