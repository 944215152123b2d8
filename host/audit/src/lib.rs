//! The tamper-evident log: what was decided, and what came of it.
//!
//! Entries form a hash chain and are the leaves of an RFC 6962 Merkle tree. One
//! thread commits them in batches to a [`Store`]: an SQLite file, a folder of
//! segments, or memory. Each batch comes with a signed [`Checkpoint`] over the
//! whole log. [`verify_all`] checks a log without the host. `FORMAT.md`, beside this crate, describes
//! every byte, for those who would rather write a verifier of their own.
//!
//! ```
//! use vak_audit::{Draft, Expected, Log, Options, Origin, Payloads, Signer, SqliteStore, Tier, open_source, verify_all};
//! use vak_types::{ActionRequest, Decision, Effect, Reason, Timestamp, Verdict};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("audit.db");
//! let origin: Origin = "example.org/audit".parse()?;
//! let signer = Signer::new(origin.clone(), &[7; 32]);
//! let key = signer.verifier().clone();
//!
//! let action = ActionRequest {
//!     session: "s1".parse()?,
//!     agent: "ada".parse()?,
//!     operation: "files/read_file".parse()?,
//!     resource: "mcp:files/read_file".parse()?,
//!     arguments: Default::default(),
//!     attributes: Default::default(),
//!     labels: Vec::new(),
//! }
//! .at("a-1".parse()?, Timestamp::from_nanos(1_700_000_000_000_000_000));
//! let verdict = Verdict {
//!     decision: Decision::Deny,
//!     reasons: vec![Reason::host(Effect::Forbid, "no policy permits it")],
//!     obligations: Vec::new(),
//!     retry_after_ms: None,
//!     past: None,
//!     approval: None,
//!     unsigned: false,
//! };
//!
//! let log = Log::open(Box::new(SqliteStore::open(&path)?), origin.clone(), signer, &Options::default())?;
//! let draft = Draft::decision(&action, &verdict, Payloads::Inline)?;
//! let receipt = futures_executor::block_on(log.append(draft, Tier::Durable))?;
//! assert_eq!(receipt.seq(), 0);
//! log.close()?;
//!
//! let expected = Expected { origin: &origin, key: &key, trusted: None, witnesses: None, range: None };
//! let report = verify_all(&*open_source(&path)?, &expected, |_, _| ())?;
//! assert_eq!(report.checkpoint.size(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod bundle;
mod chain;
mod checkpoint;
mod codec;
mod committer;
mod draft;
mod entry;
mod evidence;
mod follow;
mod index;
mod key;
mod ledger;
mod log;
mod merkle;
mod note;
mod origin;
mod payload;
mod proof;
mod queue;
mod reader;
mod receipt;
mod resume;
mod sealing;
mod store;
mod tlog_proof;
mod tree;
mod verify;
mod witness;

pub use bundle::{BUNDLE_BYTES, Bundle};
pub use chain::LinkError;
pub use checkpoint::{Checkpoint, CheckpointError};
pub use codec::{DecodeError, EncodeError};
pub use draft::Draft;
pub use entry::{
    About, Acceptance, Answer, Approval, Body, Configuration, Contents, Decision, Described, Dropped, ENTRY_BYTES_MAX,
    Entry, EntryKind, Given, KeyRotation, KindError, KindSet, Outcome, PART_BYTES_MAX, Part, Shadow, Status, What,
};
pub use follow::{FollowError, Followed, Follower};
pub use index::{Cursor, Index, IndexError, Page, Query};
pub use key::{KeyError, NoteKey, Signer, VerifierKey, WitnessKey};
pub use log::{AppendError, Log, OpenError, Options, StopCause, Stopper};
pub use merkle::leaf_hash;
pub use note::NoteError;
pub use origin::{ORIGIN_BYTES_MAX, Origin, OriginError};
pub use payload::{Commitment, PAYLOAD_BYTES_MAX, Payload, Payloads, SALT_BYTES};
pub use proof::{ProofError, verify_consistency, verify_inclusion};
pub use reader::{LogReader, ReadError};
pub use receipt::{Receipt, Tier};
pub use store::file::{FileSource, FileStore, trim_segments, trimmable};
pub use store::lock::beside;
pub use store::memory::MemoryStore;
pub use store::sqlite::{SqliteSource, SqliteStore};
pub use store::tiles::{export_tiles, tile_path};
pub use store::{Batch, Node, Opener, Recovery, Source, StorageError, Store, open_beside_writer, open_source};
pub use tlog_proof::{EntryProof, EntryProofError};
pub use tree::Tree;
pub use verify::{ApprovalFault, Expected, Report, VerifyError, verify_all, verify_chain, verify_signatures};
pub use witness::{Cosigned, WitnessError, WitnessPolicy};
