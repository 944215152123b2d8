//! From bytes to a typed request.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::HeaderMap;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::problem::{Kind, Problem};
use super::state::Shared;

/// A body in JSON, read within its bounds.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Shared> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, server: &Shared) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(Kind::MediaType, "send `Content-Type: application/json`"));
        }
        let bytes_max = server.limits.body_bytes_max;
        let too_large = || Problem::new(Kind::TooLarge, format!("it may have {bytes_max} bytes; see `server.limits`"));
        let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        match length.and_then(|length| length.parse::<usize>().ok()) {
            Some(length) if length <= bytes_max => {}
            Some(_) => return Err(too_large()),
            None => return Err(Problem::new(Kind::LengthRequired, "send `Content-Length`")),
        }
        let body = Limited::new(request.into_body(), bytes_max).collect();
        let bytes = match timeout(server.body_within(), body).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large()),
            Ok(Err(_)) => return Err(Problem::new(Kind::Malformed, "the body ended early")),
            Err(_) => {
                let detail = format!("it has {} ms; see `server.limits`", server.limits.body_ms);
                return Err(Problem::new(Kind::BodyTimedOut, detail));
            }
        };
        parse(&bytes).map(Self)
    }
}

fn parse<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| Problem::new(Kind::Malformed, error.to_string()))
}

/// Once, and in the one encoding that JSON has.
fn is_json(headers: &HeaderMap) -> bool {
    let mut given = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return false };
    let Ok(value) = value.to_str() else { return false };
    let mut parts = value.split(';').map(str::trim);
    parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
        && parts.all(|parameter| {
            parameter.eq_ignore_ascii_case("charset=utf-8") || parameter.eq_ignore_ascii_case("charset=\"utf-8\"")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_said_once() {
        let cases: [(&[&'static str], bool); 8] = [
            (&["application/json"], true),
            (&["Application/JSON; charset=UTF-8"], true),
            (&["application/json; charset=latin1"], false),
            (&["application/jsonx"], false),
            (&["text/plain"], false),
            (&["text/plain; application/json"], false),
            (&[], false),
            (&["application/json", "text/plain"], false),
        ];
        for (values, expected) in cases {
            let headers = values.iter().map(|value| (CONTENT_TYPE, value.parse().unwrap())).collect();
            assert_eq!(is_json(&headers), expected, "{values:?}");
        }
    }
}
