//! Answers that say why there is no other.

use std::fmt::Display;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};

use super::Answer;

/// Boxed: it is large, and seldom.
pub(super) type Refusal = Box<Answer>;

fn refuse(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Refusal {
    let mut answer = Response::new(Full::new(body.into()).boxed());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Box::new(answer)
}

pub(super) fn text(status: StatusCode, words: &str) -> Refusal {
    refuse(status, "text/plain; charset=utf-8", words.to_owned())
}

pub(super) fn json(status: StatusCode, message: &impl serde::Serialize) -> Refusal {
    refuse(status, "application/json", serde_json::to_vec(message).unwrap_or_default())
}

pub(super) fn unauthenticated() -> Refusal {
    let mut answer = text(StatusCode::UNAUTHORIZED, "a bearer token is needed");
    answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    answer
}

/// The same for a session that is not there and for one of somebody else.
pub(super) fn no_session() -> Refusal {
    text(StatusCode::NOT_FOUND, "there is no such session")
}

pub(super) fn unavailable(why: &dyn Display) -> Refusal {
    let mut answer = text(StatusCode::SERVICE_UNAVAILABLE, &why.to_string());
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}

pub(super) fn not_found() -> Refusal {
    text(StatusCode::NOT_FOUND, "MCP is served at `/mcp`")
}
