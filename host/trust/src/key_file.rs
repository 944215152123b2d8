//! Files of private keys.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use ed25519_dalek::SigningKey;
use pkcs8::der::pem::{LineEnding, PemLabel as _};
use pkcs8::der::zeroize::Zeroizing;
use pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncryptedPrivateKeyInfoRef};

use crate::key::{KeyError, PrivateKey};

/// An encrypted PKCS#8 Ed25519 key takes under 400 bytes of PEM; anything much
/// longer is another file.
const FILE_BYTES_MAX: u64 = 4_096;

/// Short passphrases are guessed in spite of scrypt.
const PASSPHRASE_CHARACTERS_MIN: usize = 8;

/// What opens an encrypted key file. Its memory is wiped when it is dropped.
pub struct Passphrase(Zeroizing<String>);

/// How a key is written to a file.
#[derive(Debug)]
pub enum KeyFormat {
    /// PKCS#8 in PEM, as OpenSSL reads it.
    Pem,
    /// The same, encrypted: PBES2 with scrypt and AES-256-CBC.
    EncryptedPem(Passphrase),
    /// The 32 secret bytes and nothing else.
    Raw,
}

impl Passphrase {
    /// A passphrase to open a file with.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// A passphrase to protect a file with.
    ///
    /// # Errors
    /// It is too short to protect anything.
    pub fn protecting(text: String) -> Result<Self, KeyError> {
        let found = text.chars().count();
        match found < PASSPHRASE_CHARACTERS_MIN {
            true => Err(KeyError::ShortPassphrase { found, min: PASSPHRASE_CHARACTERS_MIN }),
            false => Ok(Self::new(text)),
        }
    }
}

/// Shows nothing of it.
impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

impl PrivateKey {
    /// Reads a key file that only its owner can read and that is not encrypted.
    ///
    /// # Errors
    /// The file is not there, is readable by others, is encrypted or holds no
    /// such key.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        Self::read_with(path, || Err(KeyError::Encrypted(path.to_owned())))
    }

    /// Reads a key file that only its owner can read. `passphrase` is asked if
    /// it is encrypted.
    ///
    /// # Errors
    /// The file is not there, is readable by others, or holds no such key; or
    /// the passphrase is not to be had or not the right one.
    pub fn read_with(path: &Path, passphrase: impl FnOnce() -> Result<Passphrase, KeyError>) -> Result<Self, KeyError> {
        let io = |source| KeyError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(io)?;
        // Of the open file, so that it cannot be swapped between the checks.
        let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Exposed { path: path.to_owned(), mode });
        }
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(io)?;
        let not_a_key = || KeyError::NotAKey(path.to_owned());
        if let Ok(seed) = <&[u8; 32]>::try_from(bytes.as_slice()) {
            return Ok(Self(SigningKey::from_bytes(seed)));
        }
        let pem = std::str::from_utf8(&bytes).map_err(|_| not_a_key())?;
        if !pem.contains(EncryptedPrivateKeyInfoRef::PEM_LABEL) {
            return SigningKey::from_pkcs8_pem(pem).map(Self).map_err(|_| not_a_key());
        }
        let Passphrase(passphrase) = passphrase()?;
        SigningKey::from_pkcs8_encrypted_pem(pem, passphrase.as_bytes())
            .map(Self)
            .map_err(|_| KeyError::Passphrase(path.to_owned()))
    }

    /// Writes a PKCS#8 PEM file with mode 0600.
    ///
    /// # Errors
    /// The file exists or cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), KeyError> {
        self.write_as(path, &KeyFormat::Pem)
    }

    /// Writes a file with mode 0600.
    ///
    /// # Errors
    /// The file exists or cannot be written.
    pub fn write_as(&self, path: &Path, format: &KeyFormat) -> Result<(), KeyError> {
        let io = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::AlreadyExists => KeyError::Exists(path.to_owned()),
            _ => KeyError::Io { path: path.to_owned(), source },
        };
        let bytes = self.encode(format).map_err(|_| KeyError::NotAKey(path.to_owned()))?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(io)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(io)
    }

    fn encode(&self, format: &KeyFormat) -> pkcs8::Result<Zeroizing<Vec<u8>>> {
        // Without the public half: version 1, which OpenSSL reads too.
        let pair = ed25519_dalek::pkcs8::KeypairBytes { secret_key: self.0.to_bytes(), public_key: None };
        let text = match format {
            KeyFormat::Raw => return Ok(Zeroizing::new(self.0.to_bytes().to_vec())),
            KeyFormat::Pem => pair.to_pkcs8_pem(LineEnding::LF)?,
            KeyFormat::EncryptedPem(Passphrase(passphrase)) => {
                pair.to_pkcs8_encrypted_pem(passphrase.as_bytes(), LineEnding::LF)?
            }
        };
        Ok(Zeroizing::new(text.as_bytes().to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    #[test]
    fn files_are_private_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let key = PrivateKey::generate().unwrap();
        let passphrase = || Passphrase::protecting("correct horse".to_owned());
        let formats = [KeyFormat::Pem, KeyFormat::Raw, KeyFormat::EncryptedPem(passphrase().unwrap())];
        for (number, format) in formats.iter().enumerate() {
            let path = folder.path().join(number.to_string());
            key.write_as(&path, format).unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(PrivateKey::read_with(&path, passphrase).unwrap().public(), key.public());
            assert!(matches!(key.write_as(&path, format), Err(KeyError::Exists(_))));

            for mode in [0o640, 0o604, 0o620] {
                std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
                assert!(matches!(PrivateKey::read(&path), Err(KeyError::Exposed { mode: found, .. }) if found == mode));
            }
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        for bytes in [&b"-----BEGIN PRIVATE KEY-----\n"[..], b"", &[7; 31], &[7; 33], b"\xff\xfe", &[b'a'; 9_000]] {
            std::fs::write(&path, bytes).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            assert!(matches!(PrivateKey::read(&path), Err(KeyError::NotAKey(_))), "{bytes:?}");
        }
    }

    #[test]
    fn an_encrypted_key_opens_with_its_passphrase_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        let key = PrivateKey::generate().unwrap();
        assert!(matches!(
            Passphrase::protecting("short".to_owned()),
            Err(KeyError::ShortPassphrase { found: 5, min: 8 })
        ));
        let format = KeyFormat::EncryptedPem(Passphrase::protecting("correct horse".to_owned()).unwrap());
        key.write_as(&path, &format).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"), "{text}");
        assert!(matches!(PrivateKey::read(&path), Err(KeyError::Encrypted(_))));
        let wrong = || Ok(Passphrase::new("Correct horse".to_owned()));
        assert!(matches!(PrivateKey::read_with(&path, wrong), Err(KeyError::Passphrase(_))));
    }
}
