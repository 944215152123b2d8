//! What clients are told when there is no answer: RFC 9457 problem details.

use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;
use utoipa::ToSchema;
use vak_types::printable;

/// Longest sentence about a request, in bytes.
const DETAIL_BYTES_MAX: usize = 512;

/// What went wrong. None of it is a verdict: a deny is an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Malformed,
    Unauthorized,
    Scope,
    Agent,
    Session,
    Person,
    NotFound,
    NoSuchDecision,
    NoSuchSkill,
    NoSuchAdapter,
    NoSuchTool,
    NoSuchApproval,
    Method,
    BodyTimedOut,
    IdInUse,
    ResultGone,
    Approval,
    LengthRequired,
    TooLarge,
    MediaType,
    Message,
    Internal,
    Draining,
    Busy,
    Upstream,
    NotRecorded,
    TimedOut,
}

impl Kind {
    /// The end of its URN, its status and its title. All three are stable.
    fn words(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::Malformed => ("malformed", StatusCode::BAD_REQUEST, "The request is not what it has to be"),
            Self::Unauthorized => ("unauthorized", StatusCode::UNAUTHORIZED, "A valid token is needed"),
            Self::Scope => ("scope", StatusCode::FORBIDDEN, "The token is not good for this"),
            Self::Agent => ("agent", StatusCode::FORBIDDEN, "The token is not for this agent"),
            Self::Session => ("session", StatusCode::FORBIDDEN, "The session is not one of this token and agent"),
            Self::Person => ("person", StatusCode::FORBIDDEN, "The token's name is not one that may answer"),
            Self::NotFound => ("not-found", StatusCode::NOT_FOUND, "There is nothing here"),
            Self::NoSuchDecision => ("no-such-decision", StatusCode::NOT_FOUND, "No such action waits for an outcome"),
            Self::NoSuchSkill => ("no-such-skill", StatusCode::NOT_FOUND, "There is no such skill"),
            Self::NoSuchAdapter => ("no-such-adapter", StatusCode::NOT_FOUND, "There is no such adapter"),
            Self::NoSuchTool => ("no-such-tool", StatusCode::NOT_FOUND, "There is no such tool"),
            Self::NoSuchApproval => ("no-such-approval", StatusCode::NOT_FOUND, "Nobody is asked about such an entry"),
            Self::Method => ("method", StatusCode::METHOD_NOT_ALLOWED, "The method is not one of this resource"),
            Self::BodyTimedOut => ("body-timed-out", StatusCode::REQUEST_TIMEOUT, "The body did not come in time"),
            Self::IdInUse => ("id-in-use", StatusCode::CONFLICT, "The id was used for another request"),
            Self::ResultGone => ("result-gone", StatusCode::CONFLICT, "It was done before, and its result is not kept"),
            Self::Approval => ("approval", StatusCode::CONFLICT, "The answer of a person is not so"),
            Self::LengthRequired => ("length-required", StatusCode::LENGTH_REQUIRED, "The body needs a Content-Length"),
            Self::TooLarge => ("too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::MediaType => ("media-type", StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body has to be JSON"),
            Self::Message => ("message", StatusCode::UNPROCESSABLE_ENTITY, "The adapter has no answer to the message"),
            Self::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR, "The server failed"),
            Self::Draining => ("draining", StatusCode::SERVICE_UNAVAILABLE, "The server is stopping"),
            Self::Busy => ("busy", StatusCode::SERVICE_UNAVAILABLE, "Too much is under way"),
            Self::Upstream => ("upstream", StatusCode::SERVICE_UNAVAILABLE, "The MCP server is not there"),
            Self::NotRecorded => ("not-recorded", StatusCode::SERVICE_UNAVAILABLE, "The log does not take it"),
            Self::TimedOut => ("timed-out", StatusCode::GATEWAY_TIMEOUT, "It took too long"),
        }
    }
}

/// A problem and a sentence about it.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    detail: String,
}

impl Problem {
    /// `detail` says what to do, and nothing of the host's inside.
    pub(crate) fn new(kind: Kind, detail: impl AsRef<str>) -> Self {
        Self { kind, detail: printable(detail.as_ref(), DETAIL_BYTES_MAX) }
    }

    /// For what cannot happen; the log of the process says more.
    pub(crate) fn internal(why: impl std::fmt::Display) -> Self {
        tracing::error!("a request failed inside the server: {why}");
        Self::new(Kind::Internal, "the host's log says more")
    }

    pub(crate) fn details(&self) -> Details {
        let (name, status, title) = self.kind.words();
        Details {
            kind: format!("urn:vak:problem:{name}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.detail.clone(),
        }
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self.kind {
            Kind::Unauthorized => Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            Kind::Draining | Kind::Busy | Kind::Upstream | Kind::NotRecorded => {
                Some((RETRY_AFTER, HeaderValue::from_static("5")))
            }
            Kind::Method => Some((ALLOW, HeaderValue::from_static("GET, POST"))),
            // What is left of the body may be anything.
            Kind::LengthRequired | Kind::TooLarge | Kind::BodyTimedOut => {
                Some((CONNECTION, HeaderValue::from_static("close")))
            }
            _ => None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (_, status, _) = self.kind.words();
        // Texts alone: it always can be written.
        let body = serde_json::to_vec(&self.details()).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.extend(self.header());
        response.extensions_mut().insert(self);
        response
    }
}

/// Problem details as RFC 9457 has them.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Details {
    /// A URN that says what went wrong.
    #[serde(rename = "type")]
    #[schema(pattern = "^urn:vak:problem:[a-z-]+$")]
    kind: String,
    /// The same for people.
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What of this request is meant, and what to do.
    detail: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_one_short_line() {
        let problem = Problem::new(Kind::Malformed, "a\nb\u{202e}".to_owned() + &"x".repeat(9_000));
        let details = serde_json::to_value(problem.details()).unwrap();
        assert_eq!(details["type"], "urn:vak:problem:malformed");
        assert_eq!(details["status"], 400);
        let detail = details["detail"].as_str().unwrap();
        assert!(detail.starts_with("a\\nb\\u{202e}x") && detail.len() <= DETAIL_BYTES_MAX, "{detail}");
    }
}
