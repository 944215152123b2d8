//! A client of a running `vak serve`, for programs that bring it messages of
//! frameworks.

use std::path::Path;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Response, Url};
use serde::{Deserialize, Serialize};
use vak::{AgentId, Json, Name};
use vak_types::printable;

use crate::outgoing;

/// What is read of an answer, in bytes: a reply and the verdicts of 64 actions.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// Longest explanation of a failure, in bytes.
const WHY_BYTES_MAX: usize = 1_024;

/// Why there is no answer. Nothing that was asked for may happen then.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address or the token is not usable.
    #[error("{0}")]
    Settings(String),
    /// The server can't be reached, or did not answer in time.
    #[error("the server can't be reached: {0}")]
    Unreachable(String),
    /// The server refused, and says why.
    #[error("the server refused: {0}")]
    Refused(String),
    /// What came is no answer.
    #[error("the server's answer is not readable: {0}")]
    Unreadable(String),
}

/// A client of one server.
pub struct Client {
    http: reqwest::Client,
    base: Url,
    token: Option<String>,
}

#[derive(Serialize)]
struct Asked<'a> {
    agent: &'a AgentId,
    event: &'a Json,
}

#[derive(Deserialize)]
struct Told {
    reply: Json,
}

/// Of problem details, what a person wants to know.
#[derive(Deserialize)]
struct Refused {
    title: String,
    detail: String,
}

impl Client {
    /// A client of the server at `address`: `http://…`, `https://…`, or
    /// `unix:PATH` for its socket. It gives up after `patience`.
    ///
    /// # Errors
    /// The address or the token's file is not usable.
    pub fn new(address: &str, token: Option<&Path>, patience: Duration) -> Result<Self, ClientError> {
        let token_value = token.map(outgoing::token).transpose().map_err(ClientError::Settings)?;
        let builder = outgoing::builder(None).map_err(ClientError::Settings)?.timeout(patience);
        let (builder, base) = match address.strip_prefix("unix:") {
            // Of the address only the path counts then.
            Some(path) => (builder.unix_socket(path), outgoing::url("http://localhost", false)),
            None => (builder, outgoing::url(address, token.is_some())),
        };
        let http = builder.build().map_err(|error| ClientError::Settings(error.to_string()))?;
        Ok(Self { http, base: base.map_err(ClientError::Settings)?, token: token_value })
    }

    /// Has the server's adapter read a framework's message, and gives what the
    /// framework is told. It was decided then; without it, nothing was.
    ///
    /// # Errors
    /// There is no such answer.
    pub async fn ingest(&self, adapter: &Name, agent: &AgentId, event: &Json) -> Result<Json, ClientError> {
        let unreadable = |error: serde_json::Error| ClientError::Unreadable(error.to_string());
        let body = serde_json::to_vec(&Asked { agent, event }).map_err(unreadable)?;
        let mut url = self.base.clone();
        url.set_path(&format!("/v1/adapters/{adapter}/ingest"));
        let mut request = self.http.post(url).header(CONTENT_TYPE, "application/json").body(body);
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let body = bounded(response).await?;
        // Nothing but this status says that there is an answer.
        if status != reqwest::StatusCode::OK {
            let why = serde_json::from_slice(&body).map(|Refused { title, detail }| format!("{title}: {detail}"));
            return Err(ClientError::Refused(printable(&why.unwrap_or_else(|_| status.to_string()), WHY_BYTES_MAX)));
        }
        serde_json::from_slice(&body).map(|Told { reply }| reply).map_err(unreadable)
    }
}

async fn bounded(mut response: Response) -> Result<Vec<u8>, ClientError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(ClientError::Unreadable(format!("it is longer than {ANSWER_BYTES_MAX} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn unreachable(error: reqwest::Error) -> ClientError {
    ClientError::Unreachable(outgoing::explain(&error.without_url(), std::error::Error::source))
}
