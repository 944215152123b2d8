//! Ed25519 keys and the files they live in.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use vak_types::KeyId;

/// A PKCS#8 Ed25519 key takes 119 bytes of PEM; anything much longer is
/// another file.
const PEM_BYTES_MAX: u64 = 4_096;

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
    #[error("the key file `{}` is not an Ed25519 private key in PKCS#8 PEM", .0.display())]
    NotAKey(PathBuf),
    /// The text is not a public key.
    #[error("`{0}` is not a public key; it is written `ed25519:` and 44 characters of base64")]
    NotPublic(String),
    /// The system has no randomness to give.
    #[error("the system gave no randomness: {0}")]
    Randomness(getrandom::Error),
}

/// An Ed25519 private key. Its memory is wiped when it is dropped.
pub struct PrivateKey(SigningKey);

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

    /// Reads a PKCS#8 PEM file that only its owner can read.
    ///
    /// # Errors
    /// The file is not there, is readable by others or holds no such key.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let io = |source| KeyError::Io { path: path.to_owned(), source };
        let file = std::fs::File::open(path).map_err(io)?;
        // Of the open file, so that it cannot be swapped between the checks.
        let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Exposed { path: path.to_owned(), mode });
        }
        let mut pem = String::new();
        file.take(PEM_BYTES_MAX).read_to_string(&mut pem).map_err(io)?;
        SigningKey::from_pkcs8_pem(&pem).map(Self).map_err(|_| KeyError::NotAKey(path.to_owned()))
    }

    /// Writes a PKCS#8 PEM file with mode 0600.
    ///
    /// # Errors
    /// The file exists or cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), KeyError> {
        let io = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::AlreadyExists => KeyError::Exists(path.to_owned()),
            _ => KeyError::Io { path: path.to_owned(), source },
        };
        // Without the public half: version 1, which OpenSSL reads too.
        let pair = KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        let pem = pair.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyError::NotAKey(path.to_owned()))?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(io)?;
        file.write_all(pem.as_bytes()).and_then(|()| file.sync_all()).map_err(io)
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The 32 secret bytes, for a signer that keeps the key itself.
    pub fn seed(&self) -> [u8; 32] {
        self.0.to_bytes()
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
            // A small-order key verifies signatures nobody made.
            (!key.is_weak()).then_some(Self(key))
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
    fn files_are_private_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        let key = PrivateKey::generate().unwrap();
        key.write(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(PrivateKey::read(&path).unwrap().public(), key.public());
        assert!(matches!(key.write(&path), Err(KeyError::Exists(_))));

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(PrivateKey::read(&path), Err(KeyError::Exposed { mode: 0o640, .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, "-----BEGIN PRIVATE KEY-----\n").unwrap();
        assert!(matches!(PrivateKey::read(&path), Err(KeyError::NotAKey(_))));
    }

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
