//! Parts of the audit log.

use vak_audit::{Entry, EntryProof};

/// What is read is written again as it was.
///
/// # Panics
/// It is not so.
pub fn log(bytes: &[u8]) {
    if let Ok(entry) = Entry::decode(bytes) {
        assert_eq!(entry.encode().unwrap(), bytes);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(proof) = text.parse::<EntryProof>() {
        assert_eq!(proof.to_string(), text);
    }
}
