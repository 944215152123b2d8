//! Values beside a name such as `password`, and random texts near such words.

use std::ops::Range;

use super::entropy::Measure;
use super::structured::is_placeholder;

/// What stands beside these is a secret, also when it looks like a word.
const STRONG: [&str; 17] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "api_key",
    "apikey",
    "secret_key",
    "secretkey",
    "access_key",
    "accesskey",
    "client_secret",
    "clientsecret",
    "private_key",
    "privatekey",
    "auth_token",
    "authtoken",
    "secret_access_key",
];

/// What stands beside these is a secret if it looks random.
const WEAK: [&str; 10] = [
    "secret",
    "token",
    "credential",
    "credentials",
    "key",
    "auth",
    "authorization",
    "bearer",
    "signature_key",
    "pin_code",
];

/// Names that end in a weak word and are no secrets.
const HARMLESS: [&str; 12] = [
    "page_token",
    "next_token",
    "continuation_token",
    "sync_token",
    "public_key",
    "primary_key",
    "foreign_key",
    "partition_key",
    "cache_key",
    "idempotency_key",
    "sort_key",
    "object_key",
];

/// A password is at least this long.
const STRONG_BYTES_MIN: usize = 6;

/// Characters of a value that are judged: each name may have one behind it.
const VALUE_CHARACTERS_MAX: usize = 256;

/// How far from its word a random text is near.
const NEAR_BYTES: usize = 48;

/// The strength of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strength {
    Strong,
    Weak,
}

/// Everything in `text`, which stands under the key `name`.
pub(crate) fn find(name: &str, text: &str, measure: &Measure) -> Vec<(&'static str, Range<usize>)> {
    let mut found = Vec::new();
    if let Some(strength) = strength(name) {
        let whole = !text.contains(char::is_whitespace) || strength == Strength::Strong;
        if whole && text.len() <= 200 && is_secret(strength, text, true, measure) {
            return vec![("secrets/assignment", 0..text.len())];
        }
    }
    // Where the last word for credentials ended, and whether a word for
    // something public came after it.
    let mut word_end = None;
    let mut at = 0;
    while let Some((start, end)) = next_run(text, at) {
        at = end;
        let run = &text[start..end];
        if let Some(strength) = strength(run) {
            word_end = Some(end);
            if let Some(span) = value(text, end)
                && is_secret(strength, &text[span.start..span.end], span.tight, measure)
            {
                let rest = if span.cut { &text[span.end..] } else { "" };
                at = span.end + rest.find(|end: char| end.is_whitespace() || end == '"').unwrap_or(rest.len());
                found.push(("secrets/assignment", span.start..at));
                word_end = None;
            }
        } else if is_public(run) {
            word_end = None;
        } else if word_end.is_some_and(|word_end| start - word_end <= NEAR_BYTES) && measure.is_random(run) {
            found.push(("secrets/high-entropy", start..end));
        }
    }
    found
}

/// The next run of characters that names and secrets are made of.
fn next_run(text: &str, from: usize) -> Option<(usize, usize)> {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'/');
    let bytes = text.as_bytes();
    let start = from + bytes.get(from..)?.iter().position(|byte| inner(*byte))?;
    let length = bytes[start..].iter().take_while(|byte| inner(**byte)).count();
    Some((start, start + length))
}

fn strength(name: &str) -> Option<Strength> {
    // Most words end in other letters and need no closer look.
    let mut letters = name.bytes().rev().filter(u8::is_ascii_alphabetic);
    let (Some(last), Some(before)) = (letters.next(), letters.next()) else { return None };
    let ends = [b"dr", b"dw", b"es", b"ye", b"te", b"ne", b"la", b"sl", b"ht", b"no", b"re", b"ed"];
    let known = ends.iter().any(|end| end.eq_ignore_ascii_case(&[last, before]));
    if !known || name.len() > 64 {
        return None;
    }
    let name = snake(name);
    let name = name.trim_end_matches('_');
    let ends = |word: &str| name.strip_suffix(word).is_some_and(|before| before.is_empty() || before.ends_with('_'));
    match name {
        _ if HARMLESS.iter().any(|word| ends(word)) => None,
        _ if STRONG.iter().any(|word| ends(word)) => Some(Strength::Strong),
        // Prefixed without a separator: `DBPASSWORD`.
        _ if name.ends_with("password") || name.ends_with("passwd") => Some(Strength::Strong),
        _ if WEAK.iter().any(|word| ends(word)) => Some(Strength::Weak),
        _ => None,
    }
}

/// `apiKey`, `API-KEY` and `api.key` as `api_key`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    let mut lower = false;
    for character in name.chars() {
        if character.is_ascii_uppercase() && lower {
            snake.push('_');
        }
        lower = character.is_ascii_lowercase();
        match character.is_ascii_alphanumeric() {
            true => snake.push(character.to_ascii_lowercase()),
            false => snake.push('_'),
        }
    }
    snake
}

/// Words for random texts that are meant to be seen.
fn is_public(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    ["sha", "md5", "hash", "digest", "checksum", "commit", "fingerprint", "uuid", "etag", "integrity", "revision"]
        .iter()
        .any(|public| word.starts_with(public))
}

/// A value after a name.
struct Value {
    start: usize,
    end: usize,
    /// Without space around the sign, as in configuration and not in prose.
    tight: bool,
    /// Goes on after its end.
    cut: bool,
}

/// The value after the name that ends at `end`, if a sign follows.
fn value(text: &str, end: usize) -> Option<Value> {
    let rest = &text[end..];
    // The closing quote and bracket of `"password":` and `env['PASSWORD'] =`.
    let after_name = rest.trim_start_matches(['"', '\'', ']', '`']);
    let before_sign = after_name.trim_start_matches([' ', '\t']);
    let after_sign = ["=>", ":=", "==", "=", ":"].iter().find_map(|sign| before_sign.strip_prefix(sign))?;
    if before_sign.starts_with("==") || after_sign.starts_with("//") {
        return None;
    }
    let value = after_sign.trim_start_matches([' ', '\t']);
    let tight = before_sign.len() == after_name.len() && value.len() == after_sign.len();
    let value = ["Bearer ", "bearer ", "Basic ", "basic ", "Token ", "token "]
        .iter()
        .find_map(|scheme| value.strip_prefix(scheme))
        .unwrap_or(value);
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\'' | '`'));
    let start = text.len() - value.len() + quote.map_or(0, char::len_utf8);
    let ends = |character: char| match quote {
        Some(quote) => character == quote,
        None => character.is_whitespace() || matches!(character, ';' | ',' | '"' | '\'' | '&' | ')' | '}' | '`'),
    };
    // Only this much is judged; what is found is followed to its end.
    let most = text[start..].char_indices().map(|(at, _)| at).nth(VALUE_CHARACTERS_MAX).unwrap_or(text.len() - start);
    let length = text[start..start + most].find(ends);
    let value =
        Value { start, end: start + length.unwrap_or(most), tight: tight || quote.is_some(), cut: length.is_none() };
    (value.end > start).then_some(value)
}

fn is_secret(strength: Strength, value: &str, tight: bool, measure: &Measure) -> bool {
    // The cheap question first: there may be a name every few bytes.
    if value.len() < STRONG_BYTES_MIN || (strength == Strength::Weak && !measure.is_random(value)) {
        return false;
    }
    if is_placeholder(value) {
        return false;
    }
    // A call, a lookup, a path or an address of where the secret is.
    if value.contains(['(', '{', '$', '<']) || value.starts_with(['/', '.', '~', '-']) || value.contains("://") {
        return false;
    }
    if value.contains(char::is_whitespace) {
        return false;
    }
    let mixed = value.bytes().any(|byte| byte.is_ascii_digit()) && value.bytes().any(|byte| !byte.is_ascii_digit());
    let looked_up =
        value.contains('.') && value.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'.' | b'_'));
    match strength {
        Strength::Strong => !looked_up && (mixed || tight || value.contains(['!', '#', '@', '%', '^', '*'])),
        Strength::Weak => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_passes_the_closer_look() {
        for word in STRONG.iter().chain(&WEAK) {
            assert!(strength(word).is_some(), "{word}");
        }
    }

    #[test]
    fn names_are_read_in_all_spellings() {
        for (name, expected) in [
            ("password", Some(Strength::Strong)),
            ("DB_PASSWORD", Some(Strength::Strong)),
            ("apiKey", Some(Strength::Strong)),
            ("x-api-key", Some(Strength::Strong)),
            ("token", Some(Strength::Weak)),
            ("max_tokens", None),
            ("nextPageToken", None),
            ("monkey", None),
        ] {
            assert_eq!(strength(name), expected, "{name}");
        }
    }
}
