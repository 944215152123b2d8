//! What verification finds.

use vak_types::Digest;

use crate::chain::LinkError;
use crate::checkpoint::CheckpointError;
use crate::store::StorageError;
use crate::{ApprovalFault, VerifierKey, WitnessError};

/// The check that a log failed, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The storage can't be read, or shows damage of its own.
    #[error("from entry {seq} on: {source}")]
    Storage {
        /// Where reading started that failed.
        seq: u64,
        /// What failed.
        source: StorageError,
    },
    /// The head was removed.
    #[error("the log has no checkpoint")]
    NoHead,
    /// The checkpoint is not one of this log and key.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Too few witnesses cosigned.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// An entry is not there.
    #[error("the checkpoint covers {size} entries, and entry {seq} is missing: it was removed, or the end was cut off")]
    Missing {
        /// The entry.
        seq: u64,
        /// How many entries there should be.
        size: u64,
    },
    /// An entry doesn't follow from those before it.
    #[error("entry {seq}: {source}")]
    Entry {
        /// The entry.
        seq: u64,
        /// The check it failed.
        source: LinkError,
    },
    /// A stored subtree is not there.
    #[error("subtree {index} of level {level} is missing")]
    NoNode {
        /// Its level.
        level: u8,
        /// Its number.
        index: u64,
    },
    /// A stored subtree is not that of its entries.
    #[error("subtree {index} of level {level} is not that of its entries: it was altered")]
    Node {
        /// Its level.
        level: u8,
        /// Its number.
        index: u64,
    },
    /// The entries follow from each other but are not those that were signed.
    #[error("the {size} entries have the root {computed}, the checkpoint says {signed}: something was altered")]
    Root {
        /// How many entries.
        size: u64,
        /// Their root.
        computed: Digest,
        /// The root in the checkpoint.
        signed: Digest,
    },
    /// A key rotation that one of its keys did not sign.
    #[error("entry {seq} changes the key, and not both keys signed it")]
    Rotation {
        /// The entry.
        seq: u64,
    },
    /// A key rotation from another key than the one that signed until there.
    #[error("entry {seq} changes the key, and not from the one that was the log's")]
    RotationKey {
        /// The entry.
        seq: u64,
    },
    /// The log has other keys.
    #[error("the key `{key}` is none of those that the log's rotations lead from one to the next")]
    UnknownKey {
        /// The key that was trusted.
        key: Box<VerifierKey>,
    },
    /// An entry says that it is signed on its own, and its signature is not
    /// there or not by the key of its time.
    #[error("the signature of entry {seq} {}", if *.missing { "is missing: it was taken away" } else { "doesn't fit: it was altered" })]
    Signature {
        /// The entry.
        seq: u64,
        /// Whether there is none at all.
        missing: bool,
    },
    /// A signature of an entry that says it has none.
    #[error("entry {seq} has a signature that it says it has not")]
    StraySignature {
        /// The entry.
        seq: u64,
    },
    /// A payload is not the one its entry committed to.
    #[error("a payload of entry {seq} was altered")]
    Payload {
        /// The entry.
        seq: u64,
    },
    /// A payload is gone, and no entry says that it was erased.
    #[error("a payload of entry {seq} is missing, and no entry says that it was erased")]
    PayloadMissing {
        /// The entry.
        seq: u64,
    },
    /// A payload is there though an entry says it was erased.
    #[error("the payload {commitment} is there, and an entry says that it was erased")]
    NotErased {
        /// Its commitment.
        commitment: Digest,
    },
    /// Payloads that belong to no entry.
    #[error("{found} payloads are kept, and the entries have {expected}")]
    Payloads {
        /// How many there are.
        found: u64,
        /// How many there should be.
        expected: u64,
    },
    /// A person's answer, or a verdict that counts on one, is not what it says.
    #[error("entry {seq} {fault}")]
    Approval {
        /// The entry.
        seq: u64,
        /// What is wrong.
        fault: ApprovalFault,
    },
    /// The log is shorter than the trusted checkpoint.
    #[error("the log has {size} entries, the trusted checkpoint covers {trusted}: an old copy was put in its place")]
    Shorter {
        /// How many entries the log has.
        size: u64,
        /// How many it had.
        trusted: u64,
    },
    /// The log was rewritten since the trusted checkpoint.
    #[error("the first {size} entries are not those of the trusted checkpoint: the log was rewritten and signed anew")]
    Rewritten {
        /// How many entries the trusted checkpoint covers.
        size: u64,
    },
}
