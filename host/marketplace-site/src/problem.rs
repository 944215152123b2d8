//! What programs are told when there is no answer: RFC 9457 problem details.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;
use vak_types::printable;

/// Longest sentence about a request, in bytes.
const DETAIL_BYTES_MAX: usize = 1_024;

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Malformed,
    Unauthorized,
    NotYours,
    NotFound,
    Method,
    BodyTimedOut,
    Exists,
    LengthRequired,
    TooLarge,
    MediaType,
    Refused,
    Internal,
    Busy,
}

impl Kind {
    /// The end of its URN, its status and its title. All three are stable.
    fn words(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::Malformed => ("malformed", StatusCode::BAD_REQUEST, "The request is not what it has to be"),
            Self::Unauthorized => ("unauthorized", StatusCode::UNAUTHORIZED, "A valid token is needed"),
            Self::NotYours => ("not-yours", StatusCode::FORBIDDEN, "The publisher may not publish this"),
            Self::NotFound => ("not-found", StatusCode::NOT_FOUND, "There is nothing here"),
            Self::Method => ("method", StatusCode::METHOD_NOT_ALLOWED, "The method is not one of this resource"),
            Self::BodyTimedOut => ("body-timed-out", StatusCode::REQUEST_TIMEOUT, "The body did not come in time"),
            Self::Exists => ("exists", StatusCode::CONFLICT, "There is such a version already"),
            Self::LengthRequired => ("length-required", StatusCode::LENGTH_REQUIRED, "The body needs a Content-Length"),
            Self::TooLarge => ("too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::MediaType => ("media-type", StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body has to be a plain form"),
            Self::Refused => ("refused", StatusCode::UNPROCESSABLE_ENTITY, "The package is not accepted"),
            Self::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR, "The server failed"),
            Self::Busy => ("busy", StatusCode::SERVICE_UNAVAILABLE, "Too much is under way"),
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
    /// `detail` says what to do, and nothing of the server's inside.
    pub(crate) fn new(kind: Kind, detail: impl AsRef<str>) -> Self {
        Self { kind, detail: printable(detail.as_ref(), DETAIL_BYTES_MAX) }
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self.kind {
            Kind::Unauthorized => Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
            Kind::Busy => Some((RETRY_AFTER, HeaderValue::from_static("5"))),
            _ => None,
        }
    }

    /// Whether something of the body may still come.
    fn leaves_body(&self) -> bool {
        !matches!(self.kind, Kind::NotFound | Kind::Method | Kind::Refused | Kind::Exists | Kind::NotYours)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (name, status, title) = self.kind.words();
        let details =
            Details { kind: format!("urn:vak:problem:{name}"), title, status: status.as_u16(), detail: &self.detail };
        // Texts alone: it always can be written.
        let body = serde_json::to_vec(&details).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.extend(self.header());
        if self.leaves_body() {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

#[derive(Serialize)]
struct Details<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
}
