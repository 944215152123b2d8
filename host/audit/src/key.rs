//! The keys that sign a log's checkpoints.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{SIGNATURE_LENGTH, Signature, Signer as _, SigningKey, VerifyingKey};
use vak_types::Digest;

use crate::{Origin, OriginError};

/// Stands for Ed25519 in signed notes.
const ED25519: u8 = 0x01;

/// Stands for a witness's cosignature with Ed25519.
const COSIGNATURE: u8 = 0x04;

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

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_LENGTH] {
        self.key.sign(message).to_bytes()
    }

    /// The signature line for `text`, with its end of line.
    pub(crate) fn sign_line(&self, text: &str) -> String {
        let VerifierKey { name, hash, .. } = &self.verifier;
        let signature = self.sign(text.as_bytes());
        format!("— {name} {}\n", STANDARD.encode([&hash[..], &signature].concat()))
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
    /// A key that is not of the kind that is needed, or for which anybody can make signatures.
    #[error("the verifier key of `{name}` is not a sound Ed25519 key of the kind that is needed here")]
    Key {
        /// The name in it.
        name: Origin,
    },
}

/// A public key of signed notes: a name and an Ed25519 key. Prints as and parses
/// from the `vkey` of [C2SP signed-note](https://c2sp.org/signed-note):
/// `name+hash+base64(KIND ‖ public key)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteKey<const KIND: u8> {
    name: Origin,
    hash: [u8; 4],
    key: VerifyingKey,
}

/// Checks a log's signatures: the public half of a [`Signer`].
pub type VerifierKey = NoteKey<ED25519>;

/// Checks the cosignatures of a witness, as
/// [C2SP tlog-cosignature](https://c2sp.org/tlog-cosignature) describes them.
pub type WitnessKey = NoteKey<COSIGNATURE>;

impl<const KIND: u8> NoteKey<KIND> {
    fn new(name: Origin, key: VerifyingKey) -> Self {
        let digest = Digest::of(&[name.as_str().as_bytes(), b"\n", &[KIND], key.as_bytes()].concat());
        let [a, b, c, d, ..] = *digest.as_bytes();
        Self { name, hash: [a, b, c, d], key }
    }

    /// What the key is called.
    pub fn name(&self) -> &Origin {
        &self.name
    }

    /// Whether the two are the same key, whatever they are called.
    pub(crate) fn is_same_key(&self, other: &Self) -> bool {
        self.key == other.key
    }

    /// Whether a signature that says `name` and starts with `hash` should be
    /// by this key.
    pub(crate) fn is_named(&self, name: &str, hash: &[u8]) -> bool {
        self.name.as_str() == name && self.hash == hash
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

impl<const KIND: u8> fmt::Display for NoteKey<KIND> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = u32::from_be_bytes(self.hash);
        let key = STANDARD.encode([&[KIND], &self.key.as_bytes()[..]].concat());
        write!(f, "{}+{hash:08x}+{key}", self.name)
    }
}

impl<const KIND: u8> FromStr for NoteKey<KIND> {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        // The key comes last because base64 has a `+` of its own.
        let (name, rest) = text.split_once('+').ok_or(KeyError::Syntax { field: "name" })?;
        let (hash, key) = rest.split_once('+').ok_or(KeyError::Syntax { field: "hash" })?;
        let name: Origin = name.parse()?;
        let key = STANDARD.decode(key).map_err(|_| KeyError::Syntax { field: "key" })?;
        let key = match key.split_first() {
            Some((kind, key)) if *kind == KIND => VerifyingKey::try_from(key).ok(),
            _ => None,
        };
        let key = key.filter(|key| !key.is_weak()).ok_or_else(|| KeyError::Key { name: name.clone() })?;
        let verifier = Self::new(name, key);
        match format!("{:08x}", u32::from_be_bytes(verifier.hash)) == hash {
            true => Ok(verifier),
            false => Err(KeyError::Hash { name: verifier.name }),
        }
    }
}
