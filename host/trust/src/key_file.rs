//! Files of private keys.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use ed25519_dalek::SigningKey;
use pkcs8::der::pem::{LineEnding, PemLabel as _};
use pkcs8::der::zeroize::Zeroizing;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;
use pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncryptedPrivateKeyInfoRef, SecretDocument};

use crate::key::{KeyError, PrivateKey};

/// An encrypted PKCS#8 Ed25519 key takes under 400 bytes of PEM; anything much
/// longer is another file.
const FILE_BYTES_MAX: u64 = 4_096;

/// The most memory that scrypt may touch: sixteen times what our own files ask
/// for, and about a second.
const SCRYPT_BYTES_MAX: u64 = 256 << 20;

/// The same for files of other tools, which count up to a million today.
const PBKDF2_ROUNDS_MAX: u32 = 10_000_000;

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
    pub fn read_with<E: From<KeyError>>(
        path: &Path,
        passphrase: impl FnOnce() -> Result<Passphrase, E>,
    ) -> Result<Self, E> {
        match Contents::read(path)? {
            Contents::Key(key) => Ok(key),
            Contents::Encrypted(document) => Ok(Contents::open(&document, &passphrase()?, path)?),
        }
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
        // Never through a symbolic link either, even one that leads nowhere.
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(io)?;
        let written = file.write_all(&bytes).and_then(|()| file.sync_all());
        written.map_err(|source| {
            // Half a key is none, and in the way of the next try.
            std::fs::remove_file(path).unwrap_or_default();
            io(source)
        })
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

/// What a key file holds.
enum Contents {
    Key(PrivateKey),
    Encrypted(SecretDocument),
}

impl Contents {
    fn read(path: &Path) -> Result<Self, KeyError> {
        let io = |source| KeyError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(io)?;
        // Of the open file, so that it cannot be swapped between the checks.
        let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Exposed { path: path.to_owned(), mode });
        }
        let mut bytes = Zeroizing::new(Vec::new());
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(io)?;
        if let Ok(seed) = <&[u8; 32]>::try_from(bytes.as_slice()) {
            return Ok(Self::Key(PrivateKey(SigningKey::from_bytes(seed))));
        }
        let read = || {
            let pem = std::str::from_utf8(&bytes).ok()?;
            let (label, document) = SecretDocument::from_pem(pem).ok()?;
            match label {
                EncryptedPrivateKeyInfoRef::PEM_LABEL => Some(Self::Encrypted(document)),
                _ => SigningKey::from_pkcs8_pem(pem).ok().map(PrivateKey).map(Self::Key),
            }
        };
        read().ok_or_else(|| KeyError::NotAKey(path.to_owned()))
    }

    fn open(
        document: &SecretDocument,
        Passphrase(passphrase): &Passphrase,
        path: &Path,
    ) -> Result<PrivateKey, KeyError> {
        let info = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes());
        let info = info.map_err(|_| KeyError::NotAKey(path.to_owned()))?;
        if is_costly(&info.encryption_algorithm) {
            return Err(KeyError::TooCostly(path.to_owned()));
        }
        SigningKey::from_pkcs8_encrypted_der(document.as_bytes(), passphrase.as_bytes())
            .map(PrivateKey)
            .map_err(|_| KeyError::Passphrase(path.to_owned()))
    }
}

/// Whether a file says that opening it takes more than [`SCRYPT_BYTES_MAX`] or
/// [`PBKDF2_ROUNDS_MAX`]. One could say terabytes.
fn is_costly(scheme: &EncryptionScheme) -> bool {
    let EncryptionScheme::Pbes2(parameters) = scheme else { return false };
    match &parameters.kdf {
        Kdf::Scrypt(scrypt) => {
            let passes = u64::from(scrypt.block_size) * u64::from(scrypt.parallelization);
            scrypt.cost_parameter.saturating_mul(passes).saturating_mul(128) > SCRYPT_BYTES_MAX
        }
        Kdf::Pbkdf2(pbkdf2) => pbkdf2.iteration_count > PBKDF2_ROUNDS_MAX,
        _ => false,
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
