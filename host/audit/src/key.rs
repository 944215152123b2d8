//! The keys that sign a log's checkpoints.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use vak_types::Digest;

use crate::{Origin, OriginError};

/// Stands for Ed25519 in signed notes.
const ED25519: u8 = 1;

/// Signs checkpoints: a name and an Ed25519 private key, which is wiped from
/// memory when this is dropped.
pub struct Signer {
    key: SigningKey,
    verifier: VerifierKey,
}

impl Signer {
    /// A signer called `name` with the private key that RFC 8032 derives from
    /// `seed`. [C2SP tlog-checkpoint](https://c2sp.org/tlog-checkpoint) wants
    /// `name` to be the origin of the log it signs for.
    pub fn new(name: Origin, seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, key.verifying_key());
        Self { key, verifier }
    }

    /// The key that checks what this signs.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The signature line for `text`, with its end of line.
    pub(crate) fn sign_line(&self, text: &str) -> String {
        let VerifierKey { name, hash, .. } = &self.verifier;
        let signature = self.key.sign(text.as_bytes());
        format!("— {name} {}\n", STANDARD.encode([&hash[..], &signature.to_bytes()].concat()))
    }
}

/// Leaves the private key out.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer").field(&self.verifier).finish()
    }
}

/// Why a text is not a verifier key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not three fields, or one of them is not what it should be.
    #[error("a verifier key is written `name+hash+key`, as `vak` prints it; the {field} is wrong")]
    Syntax {
        /// The field that is wrong.
        field: &'static str,
    },
    /// The name is not one.
    #[error(transparent)]
    Name(#[from] OriginError),
    /// The hash doesn't belong to the name and the key.
    #[error("the verifier key of `{name}` was altered: its hash doesn't match; get it again from whoever runs the log")]
    Hash {
        /// The name in it.
        name: Origin,
    },
    /// A key that is not Ed25519, or for which anybody can make signatures.
    #[error("the verifier key of `{name}` is not a sound Ed25519 key")]
    Key {
        /// The name in it.
        name: Origin,
    },
}

/// Checks signatures on checkpoints: the public half of a [`Signer`]. Prints as
/// and parses from the `vkey` of [C2SP signed-note](https://c2sp.org/signed-note):
/// `name+hash+base64(0x01 ‖ public key)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: Origin,
    hash: [u8; 4],
    key: VerifyingKey,
}

impl VerifierKey {
    fn new(name: Origin, key: VerifyingKey) -> Self {
        let digest = Digest::of(&[name.as_str().as_bytes(), b"\n", &[ED25519], key.as_bytes()].concat());
        let [a, b, c, d, ..] = *digest.as_bytes();
        Self { name, hash: [a, b, c, d], key }
    }

    /// What the key is called.
    pub fn name(&self) -> &Origin {
        &self.name
    }

    /// Whether a signature that says `name` and starts with `hash` should be
    /// by this key.
    pub(crate) fn is_named(&self, name: &str, hash: &[u8]) -> bool {
        self.name.as_str() == name && self.hash == hash
    }

    pub(crate) fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(text.as_bytes(), &signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = u32::from_be_bytes(self.hash);
        let key = STANDARD.encode([&[ED25519], &self.key.as_bytes()[..]].concat());
        write!(f, "{}+{hash:08x}+{key}", self.name)
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        // The key comes last because base64 has a `+` of its own.
        let (name, rest) = text.split_once('+').ok_or(KeyError::Syntax { field: "name" })?;
        let (hash, key) = rest.split_once('+').ok_or(KeyError::Syntax { field: "hash" })?;
        let name: Origin = name.parse()?;
        let key = STANDARD.decode(key).map_err(|_| KeyError::Syntax { field: "key" })?;
        let Some((&ED25519, key)) = key.split_first() else {
            return Err(KeyError::Key { name });
        };
        let key = match VerifyingKey::try_from(key) {
            Ok(key) if !key.is_weak() => key,
            _ => return Err(KeyError::Key { name }),
        };
        let verifier = Self::new(name, key);
        match format!("{:08x}", u32::from_be_bytes(verifier.hash)) == hash {
            true => Ok(verifier),
            false => Err(KeyError::Hash { name: verifier.name }),
        }
    }
}
