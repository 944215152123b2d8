//! Words for people.

use vak_trust::TrustedKey;
use vak_types::{KeyId, Right, printable};

/// Longest text that is shown of what nobody vouches for, in bytes.
const QUOTE_BYTES_MAX: usize = 1_000;

/// The name of a key in the trust settings, where it is there, and its id.
pub(crate) fn signer(keys: &[TrustedKey], id: KeyId) -> String {
    match keys.iter().find(|key| key.public.id() == id) {
        Some(key) => format!("`{}` ({id})", key.name),
        None => format!("{id}, which is no trusted key any more"),
    }
}

/// Rights as sentences.
pub(crate) fn sentences(rights: &[Right]) -> Vec<String> {
    rights.iter().map(|right| format!("it may {right}")).collect()
}

/// Text that nobody vouches for, on one line.
pub(crate) fn quoted(text: &str) -> String {
    printable(text, QUOTE_BYTES_MAX)
}

/// Text of several lines with whatever a file put into it made visible.
pub(crate) fn lines(text: &str) -> String {
    let line = |line: &str| line.split('\t').map(|part| printable(part, usize::MAX)).collect::<Vec<_>>().join("\t");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
