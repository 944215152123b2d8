//! The change from one signing key to the next.

use ed25519_dalek::SIGNATURE_LENGTH;
use vak_types::{Digest, Timestamp};

use crate::codec::{DecodeError, Reader, Writer};
use crate::{Origin, Signer, VerifierKey};

/// What both keys sign, so that their signatures are good for nothing else.
/// The last byte is the version.
const DOMAIN: &[u8; 23] = b"vak/audit/key-rotation\x01";

/// The body of a key rotation. The checkpoint that covers it, and each one
/// after, is signed by the new key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRotation {
    /// The key until here.
    pub old: VerifierKey,
    /// The key from here on.
    pub new: VerifierKey,
    /// Who held the old key wanted this.
    old_signature: [u8; SIGNATURE_LENGTH],
    /// The new key is in somebody's hands.
    new_signature: [u8; SIGNATURE_LENGTH],
}

/// Where in a log, and when, another key takes over. `prev` stands for all that
/// the old key leaves behind: nobody can put another past in front of what it
/// signed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn<'a> {
    pub(crate) origin: &'a Origin,
    pub(crate) seq: u64,
    pub(crate) prev: &'a Digest,
    pub(crate) time: Timestamp,
}

impl KeyRotation {
    /// The rotation from one key to another.
    pub(crate) fn sign(turn: Turn<'_>, old: &Signer, new: &Signer) -> Self {
        let statement = turn.statement(old.verifier(), new.verifier());
        Self {
            old: old.verifier().clone(),
            new: new.verifier().clone(),
            old_signature: old.sign(&statement),
            new_signature: new.sign(&statement),
        }
    }

    /// Whether both keys signed that it happens there.
    pub(crate) fn is_signed(&self, turn: Turn<'_>) -> bool {
        let statement = turn.statement(&self.old, &self.new);
        self.old.verifies(&statement, &self.old_signature) && self.new.verifies(&statement, &self.new_signature)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.text(&self.old.to_string());
        writer.text(&self.new.to_string());
        writer.raw(&self.old_signature);
        writer.raw(&self.new_signature);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            old: reader.checked("old key")?,
            new: reader.checked("new key")?,
            old_signature: reader.array("old key's signature")?,
            new_signature: reader.array("new key's signature")?,
        })
    }
}

impl Turn<'_> {
    fn statement(&self, old: &VerifierKey, new: &VerifierKey) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.raw(DOMAIN);
        writer.text(self.origin.as_str());
        writer.u64(self.seq);
        writer.digest(self.prev);
        writer.u64(self.time.as_nanos());
        writer.text(&old.to_string());
        writer.text(&new.to_string());
        writer.bytes
    }
}
