//! Payloads that are kept beside the log and can be erased.

use sha2::{Digest as _, Sha256};
use vak_types::Digest;

/// So that a commitment can be taken for no other hash. The last byte is the
/// version.
const DOMAIN: &[u8; 18] = b"vak/audit/payload\x01";

/// The longest payload, in bytes: 2 MiB, twice the longest arguments. Whatever
/// reads a log can count on it.
pub const PAYLOAD_BYTES_MAX: usize = 2 << 20;

/// Random bytes before a payload. Without them, whoever sees the commitment of
/// a short payload could find it by trying.
pub const SALT_BYTES: usize = 32;

/// What an entry says of a payload that stands elsewhere: enough to prove what
/// it was as long as it is kept, and nothing of it once it is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Commitment {
    /// SHA-256 of the domain `vak/audit/payload` with version 1, the salt and
    /// the payload.
    pub digest: Digest,
    /// The payload's length in bytes.
    pub bytes: u64,
}

/// A payload and what hides it in its commitment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// Random.
    pub salt: [u8; SALT_BYTES],
    /// What was committed to.
    pub bytes: Vec<u8>,
}

/// Which payloads of an action stand in its entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Payloads {
    /// Those up to [`PART_BYTES_MAX`](crate::PART_BYTES_MAX).
    #[default]
    Inline,
    /// None: the entry has salted commitments, and each payload can be erased.
    Erasable,
}

impl Payload {
    /// `bytes` under a fresh salt; `None` when the system gives no randomness.
    pub(crate) fn new(bytes: &[u8]) -> Option<Self> {
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt).ok()?;
        Some(Self { salt, bytes: bytes.to_owned() })
    }

    /// What an entry says of it.
    pub fn commitment(&self) -> Commitment {
        let hash = Sha256::new().chain_update(DOMAIN).chain_update(self.salt).chain_update(&self.bytes);
        Commitment { digest: Digest::from_bytes(hash.finalize().into()), bytes: self.bytes.len() as u64 }
    }
}
