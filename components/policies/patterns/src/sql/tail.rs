//! What the parser throws away: comments.

/// First words of statements.
const VERBS: [&str; 22] = [
    "select", "insert", "update", "delete", "drop", "truncate", "alter", "create", "grant", "revoke", "with", "merge",
    "replace", "exec", "execute", "call", "copy", "attach", "explain", "begin", "declare", "load",
];

/// Whether a text that might be anything begins like a statement or holds what
/// statements are separated by.
pub(crate) fn looks_like_sql(text: &str) -> bool {
    let start = text.trim_start_matches(|first: char| first.is_whitespace() || matches!(first, '(' | ';' | '\''));
    let word: String = start.chars().take_while(char::is_ascii_alphabetic).take(12).collect();
    let verb = VERBS.iter().any(|verb| verb.eq_ignore_ascii_case(&word)) && start.trim() != word;
    verb || start.starts_with("--") || start.starts_with("/*") || text.contains("--") && text.contains(['\'', ';'])
}

/// Where a text stands: what opened it and has to close it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Statement,
    Quote(u8),
}

/// Comments that are no explanation: a single-line one that ends the text right
/// after a statement or a quote, or that holds a quote, and MySQL's `/*!`.
pub(crate) fn find(text: &str) -> Vec<&'static str> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut inside = Inside::Statement;
    let mut before = b' ';
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        match inside {
            Inside::Quote(quote) => {
                if bytes[at] == quote {
                    inside = Inside::Statement;
                    before = quote;
                }
                at += 1;
            }
            Inside::Statement if rest.starts_with(b"--") || bytes[at] == b'#' && before != b' ' => {
                let length = rest.iter().take_while(|byte| **byte != b'\n').count();
                let comment = &text[at..at + length];
                let last = text[at + length..].trim().is_empty();
                let empty = comment.trim_start_matches('-').trim().is_empty();
                if last && (matches!(before, b';' | b'\'' | b'"' | b')') || empty || comment.contains(['\'', '"'])) {
                    // `SELECT 1; -- done` is an explanation after all.
                    if before != b';' || empty || comment.contains(['\'', '"', '=', '(', ';']) {
                        found.push("sql/comment-tail");
                    }
                }
                at += length;
            }
            Inside::Statement if rest.starts_with(b"/*") => {
                if rest.starts_with(b"/*!") || rest.starts_with(b"/*M!") {
                    found.push("sql/executable-comment");
                }
                at = text[at + 2..].find("*/").map_or(bytes.len(), |end| at + 2 + end + 2);
            }
            Inside::Statement => {
                match bytes[at] {
                    quote @ (b'\'' | b'"' | b'`') => inside = Inside::Quote(quote),
                    byte if byte.is_ascii_whitespace() => {}
                    byte => before = byte,
                }
                at += 1;
            }
        }
    }
    found
}
