//! The tamper-evident log: what was decided, and what came of it.
//!
//! Entries form a hash chain and are the leaves of an RFC 6962 Merkle tree. One
//! thread commits them in batches to an SQLite file; each batch comes with a
//! signed [`Checkpoint`] over the whole log, in the same transaction. [`verify`]
//! checks such a file without the host. `FORMAT.md`, beside this crate, describes
//! every byte, for those who would rather write a verifier of their own.
//!
//! ```
//! use vak_audit::{Draft, Log, Options, Origin, Signer, Tier, verify};
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
//!     retry_after_ms: None,
//!     unsigned: false,
//! };
//!
//! let log = Log::open(&path, origin.clone(), signer, &Options::default())?;
//! let draft = Draft::decision(&action, &verdict)?;
//! let receipt = futures_executor::block_on(log.append(draft, Tier::Durable))?;
//! assert_eq!(receipt.seq(), 0);
//! log.close()?;
//!
//! let report = verify(&path, &origin, &key, None, |_, _| ())?;
//! assert_eq!(report.checkpoint.size(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod chain;
mod checkpoint;
mod codec;
mod committer;
mod create;
mod decision;
mod draft;
mod entry;
mod key;
mod log;
mod merkle;
mod note;
mod origin;
mod outcome;
mod part;
mod queue;
mod read;
mod receipt;
mod storage;
mod tail;
mod verdict;
mod verify;

pub use chain::LinkError;
pub use checkpoint::{Checkpoint, CheckpointError};
pub use codec::{DecodeError, EncodeError};
pub use decision::Decision;
pub use draft::Draft;
pub use entry::{Body, ENTRY_BYTES_MAX, Entry};
pub use key::{KeyError, Signer, VerifierKey};
pub use log::{AppendError, Log, OpenError, Options, StopCause};
pub use merkle::leaf_hash;
pub use note::NoteError;
pub use origin::{ORIGIN_BYTES_MAX, Origin, OriginError};
pub use outcome::{Outcome, Status};
pub use part::{Contents, PART_BYTES_MAX, Part};
pub use read::{LogReader, ReadError};
pub use receipt::{Receipt, Tier};
pub use storage::StorageError;
pub use verify::{Report, VerifyError, verify};
