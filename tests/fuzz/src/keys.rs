//! Keys of others, and key files.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use vak_audit::VerifierKey;
use vak_trust::{KeyError, KeyFormat, PrivateKey, PublicKey};

/// A key has one spelling, and its file can be read after it was written.
///
/// # Panics
/// It is not so.
pub fn keys(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        if let Ok(key) = text.parse::<PublicKey>() {
            assert_eq!(key.to_string(), text);
        }
        if let Ok(key) = text.parse::<VerifierKey>() {
            assert_eq!(key.to_string(), text);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
    file.write_all(bytes).unwrap();
    match PrivateKey::read(&path) {
        Ok(key) => {
            for (name, format) in [("pem", KeyFormat::Pem), ("raw", KeyFormat::Raw)] {
                let copy = folder.path().join(name);
                key.write_as(&copy, &format).unwrap();
                assert_eq!(PrivateKey::read(&copy).unwrap().public(), key.public());
            }
        }
        Err(error) => assert!(matches!(error, KeyError::NotAKey(_) | KeyError::Encrypted(_)), "{error}"),
    }
}
