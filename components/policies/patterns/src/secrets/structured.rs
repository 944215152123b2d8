//! Secrets with a structure: JSON Web Tokens, PEM keys, URLs with passwords.

use std::ops::Range;

/// Calls `found` with the id and place of every one in `text`.
pub(crate) fn find(text: &str, found: &mut impl FnMut(&'static str, Range<usize>)) {
    tokens(text, found);
    keys(text, found);
    urls(text, found);
}

/// RFC 7519: three parts of base64url, the first of which is JSON with `alg`.
fn tokens(text: &str, found: &mut impl FnMut(&'static str, Range<usize>)) {
    let mut done = 0;
    // `{"` in base64.
    for (at, _) in text.match_indices("eyJ") {
        if at < done || text[..at].ends_with(|before: char| before.is_ascii_alphanumeric()) {
            continue;
        }
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let length = text.as_bytes()[at..].iter().take_while(|byte| is_part(**byte) || **byte == b'.').count();
        let token = &text[at..at + length];
        done = at + length;
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let header = base64url(header);
        let is_token = header.windows(5).any(|part| part == b"\"alg\"") && payload.len() >= 4 && signature.len() >= 10;
        if is_token {
            found("secrets/jwt", at..done);
        }
    }
}

/// What `text` encodes, as far as it does.
fn base64url(text: &str) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut bits = 0_u32;
    let mut count = 0;
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => break,
        };
        bits = (bits << 6 | u32::from(value)) & 0xFFFF;
        count += 6;
        if count >= 8 {
            count -= 8;
            decoded.push((bits >> count & 0xFF) as u8);
        }
    }
    decoded
}

/// RFC 7468 and its forerunners, OpenSSH's and PGP's among them.
fn keys(text: &str, found: &mut impl FnMut(&'static str, Range<usize>)) {
    const BEGIN: &str = "-----BEGIN ";
    let mut done = 0;
    for (at, _) in text.match_indices(BEGIN) {
        let label = &text[at + BEGIN.len()..];
        let Some(label) = label.split_once("-----").map(|(label, _)| label) else { continue };
        if at < done || label.len() > 40 || !label.contains("PRIVATE KEY") {
            continue;
        }
        let from = at + BEGIN.len() + label.len() + 5;
        // The key itself can be anything up to the next line of dashes, or the
        // end where it was cut off.
        let end = text[from..]
            .find("-----END ")
            .map(|end| from + end)
            .and_then(|end| text[end + 9..].find("-----").map(|dashes| end + 9 + dashes + 5));
        done = end.unwrap_or(text.len());
        found("secrets/private-key", at..done);
    }
}

/// The password between `:` and `@` of a URL's authority (RFC 3986).
fn urls(text: &str, found: &mut impl FnMut(&'static str, Range<usize>)) {
    for (colon, _) in text.match_indices("://") {
        let from = colon + 3;
        let ends = |character: char| {
            character.is_whitespace() || matches!(character, '/' | '?' | '#' | '"' | '\'' | '<' | '`')
        };
        let end = text[from..].find(ends).map_or(text.len(), |end| from + end);
        let authority = &text[from..end];
        let Some((user, _)) = authority.rsplit_once('@') else { continue };
        let Some((name, password)) = user.split_once(':') else { continue };
        if !is_placeholder(password) {
            let start = from + name.len() + 1;
            found("secrets/url-password", start..start + password.len());
        }
    }
}

/// What people write where a secret goes.
pub(crate) fn is_placeholder(text: &str) -> bool {
    const WORDS: [&str; 26] = [
        "",
        "password",
        "passwd",
        "pass",
        "pwd",
        "secret",
        "token",
        "changeme",
        "example",
        "placeholder",
        "redacted",
        "hidden",
        "none",
        "null",
        "true",
        "false",
        "required",
        "optional",
        "string",
        "undefined",
        "your",
        "yourpassword",
        "apikey",
        "key",
        "value",
        "masked",
    ];
    let letters: String = text.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase();
    let starts = text.starts_with(['$', '{', '<', '[', '%', '(', '*']);
    let repeated =
        text.bytes().all(|byte| Some(&byte) == text.as_bytes().first() || matches!(byte, b'x' | b'X' | b'.' | b'*'));
    let templated = ["your_", "your-", "my_", "my-", "<your", "enter_", "insert_"]
        .iter()
        .any(|part| text.get(..part.len()).is_some_and(|start| start.eq_ignore_ascii_case(part)));
    starts || repeated || templated || (WORDS.contains(&&*letters) && letters.len() == text.len())
}
