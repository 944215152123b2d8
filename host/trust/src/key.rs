//! Ed25519 keys.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use pkcs8::EncodePublicKey as _;
use pkcs8::der::pem::LineEnding;
use vak_types::KeyId;

/// How a public key is written in one line.
const PUBLIC_PREFIX: &str = "ed25519:";

/// Why a key could not be read, written or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file could not be read or written.
    #[error("the key file `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file exists; keys are never overwritten.
    #[error("the key file `{}` exists; choose another name or move it away", .0.display())]
    Exists(PathBuf),
    /// Others than its owner can read the file.
    #[error("the key file `{}` has mode {mode:04o}; run `chmod 600` on it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds no Ed25519 private key.
    #[error("the key file `{}` is not an Ed25519 private key, in PKCS#8 PEM or as its 32 raw bytes", .0.display())]
    NotAKey(PathBuf),
    /// The file is encrypted and nobody gave a passphrase.
    #[error("the key file `{}` is encrypted, and there is no passphrase for it here; use a key that is not", .0.display())]
    Encrypted(PathBuf),
    /// Opening it would take more time or memory than any honest file.
    #[error("the key file `{}` asks for too much work to open it; make a new one with `vak key new`", .0.display())]
    TooCostly(PathBuf),
    /// The passphrase does not open the file.
    #[error("the passphrase does not open the key file `{}`", .0.display())]
    Passphrase(PathBuf),
    /// A passphrase that could be guessed in no time.
    #[error("a passphrase needs at least {min} characters; this one has {found}")]
    ShortPassphrase {
        /// How many it has.
        found: usize,
        /// How many it needs.
        min: usize,
    },
    /// The text is not a public key.
    #[error("`{0}` is not a public key; it is written `ed25519:` and 44 characters of base64")]
    NotPublic(String),
    /// The system has no randomness to give.
    #[error("the system gave no randomness: {0}")]
    Randomness(getrandom::Error),
}

/// An Ed25519 private key. Its memory is wiped when it is dropped.
pub struct PrivateKey(pub(crate) SigningKey);

impl PrivateKey {
    /// A new key from the system's randomness.
    ///
    /// # Errors
    /// The system has none to give.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(KeyError::Randomness)?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The 32 secret bytes, for a signer that keeps the key itself.
    pub fn seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Signs bytes of another format, such as TUF's. A package's statement begins
    /// with `DSSEv1`, and what does can't be signed here: no format's bytes become
    /// a signature of a package.
    pub fn sign_bytes(&self, message: &[u8]) -> Option<[u8; 64]> {
        (!message.starts_with(b"DSSEv1")).then(|| self.sign(message))
    }

    /// Signs `message`; the same message gives the same signature (RFC 8032).
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// Prints the public half.
impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey(of {})", self.public())
    }
}

/// An Ed25519 public key, written `ed25519:<base64 of its 32 bytes>`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// The key's id.
    pub fn id(&self) -> KeyId {
        KeyId::of(self.0.as_bytes())
    }

    /// The key's 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// A SubjectPublicKeyInfo in PEM, as other tools read it (RFC 8410).
    pub fn to_pem(&self) -> String {
        // 32 bytes behind a fixed head always have this form.
        self.0.to_public_key_pem(LineEnding::LF).unwrap_or_default()
    }

    /// Strict, so that small-order keys and malleable signatures are refused.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let key = || {
            let bytes = BASE64.decode(text.strip_prefix(PUBLIC_PREFIX)?).ok()?;
            let key = VerifyingKey::from_bytes(&bytes.try_into().ok()?).ok()?;
            // A small-order key verifies signatures nobody made, and one that is
            // not reduced has another id than the same key written as usual.
            let reduced = key.to_edwards().compress().as_bytes() == key.as_bytes();
            (reduced && !key.is_weak()).then_some(Self(key))
        };
        key().ok_or_else(|| KeyError::NotPublic(text.to_owned()))
    }
}

impl<'de> serde::Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl serde::Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC_PREFIX}{}", BASE64.encode(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_keys_have_one_spelling() {
        let key = PrivateKey::generate().unwrap().public();
        assert_eq!(key.to_string().parse::<PublicKey>().unwrap(), key);
        let small_order = format!("{PUBLIC_PREFIX}{}", BASE64.encode([0; 32]));
        for bad in ["", "ed25519:", "ed25519:AAAA", &key.to_string()[8..], &small_order] {
            assert!(bad.parse::<PublicKey>().is_err(), "{bad}");
        }
    }
}
