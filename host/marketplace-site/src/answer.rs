//! Pages as answers: headers, and whether the client has it already.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use vak_types::Digest;

/// What no answer of this server is without.
pub(crate) const HEADERS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; img-src 'none'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// Whatever has a name of its own for each content.
pub(crate) const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// What has to be asked for anew each time, which costs little if it is the same.
pub(crate) const ANEW: HeaderValue = HeaderValue::from_static("no-cache");

/// A text of this moment, or that it is what the client has already.
pub(crate) fn current(asked: &HeaderMap, status: StatusCode, kind: &'static str, bytes: Vec<u8>) -> Response {
    // Nobody else's bytes have this digest, so half of it will do.
    let tag = format!("\"{}\"", &Digest::of(&bytes).to_hex()[..32]);
    let has = status == StatusCode::OK && has(asked, &tag);
    let (status, body) = if has { (StatusCode::NOT_MODIFIED, Body::empty()) } else { (status, Body::from(bytes)) };
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, ANEW);
    headers.extend(HeaderValue::try_from(tag).ok().map(|tag| (ETAG, tag)));
    response
}

/// Whether `If-None-Match` names the tag (RFC 9110, 13.1.2).
fn has(asked: &HeaderMap, tag: &str) -> bool {
    let lists = asked.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_has_is_not_sent_again() {
        let page = |tags: &[&str]| {
            let asked = tags.iter().map(|tag| (IF_NONE_MATCH, tag.parse().unwrap())).collect();
            current(&asked, StatusCode::OK, "text/plain", b"page".to_vec())
        };
        let tag = page(&[]).headers()[ETAG].to_str().unwrap().to_owned();
        for (tags, has) in [
            (vec![tag.clone()], true),
            (vec![format!("\"other\", W/{tag}")], true),
            (vec!["\"other\"".to_owned(), tag.clone()], true),
            (vec!["*".to_owned()], true),
            (vec!["\"other\"".to_owned()], false),
            (vec![tag.trim_matches('"').to_owned()], false),
        ] {
            let tags: Vec<_> = tags.iter().map(String::as_str).collect();
            let expected = if has { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
            assert_eq!(page(&tags).status(), expected, "{tags:?}");
        }
        let asked = [(IF_NONE_MATCH, tag.parse().unwrap())].into_iter().collect();
        assert_eq!(current(&asked, StatusCode::NOT_FOUND, "text/plain", b"page".to_vec()).status(), 404);
    }
}
