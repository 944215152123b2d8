//! E-mail addresses, as people have them and not all that RFC 5322 allows.

use std::ops::Range;

/// RFC 5321: the local part has at most 64 bytes, the domain 255.
const LOCAL_MAX: usize = 64;
const DOMAIN_MAX: usize = 255;

/// Last labels that are endings of file names: `logo@2x.png`.
const FILES: [&str; 14] =
    ["png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "js", "mjs", "ts", "css", "json", "html", "pdf"];

pub(crate) fn find(text: &str, found: &mut impl FnMut(&'static str, Range<usize>)) {
    let bytes = text.as_bytes();
    for (at, _) in text.match_indices('@') {
        let local = bytes[..at].iter().rev().take(LOCAL_MAX + 1).take_while(|byte| is_local(**byte)).count();
        let domain = bytes[at + 1..].iter().take(DOMAIN_MAX + 1).take_while(|byte| is_domain(**byte)).count();
        let start = at - local;
        // A sentence may end after it.
        let end = at + 1 + text[at + 1..at + 1 + domain].trim_end_matches(['.', '-']).len();
        let whole = (1..=LOCAL_MAX).contains(&local) && domain <= DOMAIN_MAX;
        if whole && is_domain_name(&text[at + 1..end]) && !is_address_of_machine(text, start, at, end) {
            found("personal-data/email", start + leading(&text[start..at])..end);
        }
    }
}

fn leading(local: &str) -> usize {
    local.len() - local.trim_start_matches(['.', '-', '\'']).len()
}

fn is_local(byte: u8) -> bool {
    // Above ASCII: RFC 6531, `müller@example.de`.
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'') || byte >= 0x80
}

fn is_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-') || byte >= 0x80
}

fn is_domain_name(domain: &str) -> bool {
    let Some((rest, last)) = domain.rsplit_once('.') else { return false };
    let alphabetic = last.chars().count() >= 2 && last.chars().all(char::is_alphabetic) || last.starts_with("xn--");
    let file = FILES.iter().any(|ending| last.eq_ignore_ascii_case(ending));
    alphabetic && !file && rest.split('.').all(|label| !label.is_empty() && !label.starts_with('-'))
}

/// `git@host:path` and `https://user@host/path` name an account on a machine.
fn is_address_of_machine(text: &str, start: usize, at: usize, end: usize) -> bool {
    let after = &text[end..];
    let path = after.strip_prefix(':').is_some_and(|rest| rest.starts_with(|next: char| !next.is_whitespace()));
    let scheme = text[..start].ends_with("://") && !text[..start].ends_with("mailto://");
    // The name before a password, or a password: not an address either way.
    let password = text[..start].ends_with(':') && text[..start].contains("://");
    path || scheme || password || (&text[start..at] == "git" && after.starts_with('/'))
}
