//! Bearer tokens, as requests show them (RFC 6750).

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// The longest token, in bytes.
pub const BYTES_MAX: usize = 512;

/// What is in the header is no token, or there are two.
#[derive(Debug, PartialEq, Eq)]
pub struct NotBearer;

/// The token of a request, if it shows one.
///
/// # Errors
/// What it shows is none, or it shows two.
pub fn token(headers: &HeaderMap) -> Result<Option<&[u8]>, NotBearer> {
    const SCHEME: &[u8] = b"bearer ";
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = given.next() else { return Ok(None) };
    let (scheme, token) = value.as_bytes().split_at_checked(SCHEME.len()).ok_or(NotBearer)?;
    let fits = scheme.eq_ignore_ascii_case(SCHEME) && (1..=BYTES_MAX).contains(&token.len());
    match given.next() {
        None if fits => Ok(Some(token)),
        _ => Err(NotBearer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_or_none() {
        let long = format!("Bearer {}", "x".repeat(BYTES_MAX + 1));
        let headers = |values: &[&str]| values.iter().map(|value| (AUTHORIZATION, value.parse().unwrap())).collect();
        assert_eq!(token(&headers(&[])), Ok(None));
        assert_eq!(token(&headers(&["Bearer abc"])), Ok(Some(&b"abc"[..])));
        assert_eq!(token(&headers(&["bEARER  abc"])), Ok(Some(&b" abc"[..])));
        let wrong: [&[&str]; 5] = [&["Bearer "], &["Bearer"], &["Basic abc"], &["Bearer abc", "Bearer abc"], &[&long]];
        for values in wrong {
            assert_eq!(token(&headers(values)), Err(NotBearer), "{values:?}");
        }
    }
}
