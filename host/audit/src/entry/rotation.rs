//! The change from one signing key to the next.

use ed25519_dalek::SIGNATURE_LENGTH;
use vak_types::Timestamp;

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

impl KeyRotation {
    /// The rotation of the log `origin` from one key to another at `time`.
    pub(crate) fn sign(origin: &Origin, time: Timestamp, old: &Signer, new: &Signer) -> Self {
        let statement = statement(origin, time, old.verifier(), new.verifier());
        Self {
            old: old.verifier().clone(),
            new: new.verifier().clone(),
            old_signature: old.sign(&statement),
            new_signature: new.sign(&statement),
        }
    }

    /// Whether both keys signed, for the log `origin` at `time`.
    pub(crate) fn is_signed(&self, origin: &Origin, time: Timestamp) -> bool {
        let statement = statement(origin, time, &self.old, &self.new);
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

fn statement(origin: &Origin, time: Timestamp, old: &VerifierKey, new: &VerifierKey) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.raw(DOMAIN);
    writer.text(origin.as_str());
    writer.u64(time.as_nanos());
    writer.text(&old.to_string());
    writer.text(&new.to_string());
    writer.bytes
}
