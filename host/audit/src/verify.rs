//! Verifying a log without the host that wrote it.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use vak_types::Digest;

use crate::chain::{Chain, LinkError};
use crate::checkpoint::CheckpointError;
use crate::entry::Body;
use crate::storage::{StorageError, open_reader, read_entries};
use crate::{Checkpoint, Origin, VerifierKey, tail};

/// How many entries are in memory at a time: at most 16 MiB.
const CHUNK_ENTRIES: u32 = 256;

/// The check that a log failed, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The file can't be opened.
    #[error("`{}`: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: StorageError,
    },
    /// The file can't be read.
    #[error("from entry {seq} on: {source}")]
    Storage {
        /// Where reading started that failed.
        seq: u64,
        /// What failed.
        source: StorageError,
    },
    /// The file holds other tables than an audit log's, or something beside them.
    #[error("the file's tables are not those of an audit log")]
    Schema,
    /// The head was removed.
    #[error("the file has no checkpoint")]
    NoHead,
    /// The checkpoint is not one of this log and key.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The end was cut off.
    #[error("the checkpoint covers {size} entries, and entry {rows} is missing: the end was cut off")]
    Cut {
        /// How many entries there are.
        rows: u64,
        /// How many there should be.
        size: u64,
    },
    /// Entries that no checkpoint covers.
    #[error("the checkpoint covers {size} entries, from 0 on, and there is an entry {row}")]
    Stray {
        /// The row's number.
        row: i64,
        /// How many entries there should be.
        size: u64,
    },
    /// The stored hashes from which the log would be continued were altered.
    #[error("the frontier in the file is not that of its entries")]
    Frontier,
    /// An entry doesn't follow from those before it.
    #[error("entry {seq}: {source}")]
    Entry {
        /// The entry.
        seq: u64,
        /// The check it failed.
        source: LinkError,
    },
    /// The entries follow from each other but are not those that were signed.
    #[error(
        "the {size} entries have the root {computed}, the checkpoint says {signed}: entries or frontier were altered"
    )]
    Root {
        /// How many entries.
        size: u64,
        /// Their root.
        computed: Digest,
        /// The root in the checkpoint.
        signed: Digest,
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

/// What was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The newest checkpoint, to keep and give to the next verification.
    pub checkpoint: Checkpoint,
    /// How many of the entries are decisions.
    pub decisions: u64,
    /// How many are outcomes.
    pub outcomes: u64,
}

/// Reads the whole log at `path` and checks that its entries are exactly those
/// that the holder of `key` signed for, in order, each decodable, each following
/// from the one before. With a checkpoint that was kept from earlier as
/// `trusted`, also that the log still begins with the entries it covered: only
/// that shows that an old copy was put back, or that whoever holds the private
/// key rewrote the past.
///
/// Works on a copy, without the host, and while the host writes; what it appends
/// in the meantime is left for the next time. `progress` is called with the
/// number of entries checked and to be checked. Memory does not grow with the
/// log.
///
/// # Errors
/// The first check that fails.
pub fn verify(
    path: &Path,
    origin: &Origin,
    key: &VerifierKey,
    trusted: Option<&Checkpoint>,
    mut progress: impl FnMut(u64, u64),
) -> Result<Report, VerifyError> {
    let connection = open_reader(path).map_err(|source| VerifyError::Open { path: path.to_owned(), source })?;
    let (checkpoint, base) = tail::head(&connection, origin, key)?;
    let size = checkpoint.size();
    let prefix = Prefix::of(&checkpoint, trusted)?;
    let mut report = Report { checkpoint, decisions: 0, outcomes: 0 };
    let mut chain = Chain::start(origin.clone());
    prefix.check(&chain)?;
    progress(0, size);
    while chain.frontier().size() < size {
        for (row, bytes) in read_chunk(&connection, chain.frontier().size(), size)? {
            let seq = chain.frontier().size();
            let entry = chain.check(row, &bytes).map_err(|source| VerifyError::Entry { seq, source })?;
            prefix.check(&chain)?;
            match entry.body {
                Body::Decision(_) => report.decisions += 1,
                Body::Outcome(_) => report.outcomes += 1,
            }
        }
        progress(chain.frontier().size(), size);
    }
    tail::root(&chain, &report.checkpoint)?;
    if *chain.base() != base {
        return Err(VerifyError::Frontier);
    }
    Ok(report)
}

/// The next entries, at least one. Each chunk is a read of its own: one that
/// lasted as long as the whole would keep the host's write-ahead log growing.
fn read_chunk(connection: &Connection, from: u64, size: u64) -> Result<Vec<(i64, Vec<u8>)>, VerifyError> {
    let count = u32::try_from(size - from).unwrap_or(u32::MAX).min(CHUNK_ENTRIES);
    let rows = read_entries(connection, tail::to_row(from), count)
        .map_err(|source| VerifyError::Storage { seq: from, source })?;
    if rows.is_empty() { Err(VerifyError::Cut { rows: from, size }) } else { Ok(rows) }
}

/// The checkpoint that the log has to start with.
struct Prefix<'a>(Option<&'a Checkpoint>);

impl<'a> Prefix<'a> {
    fn of(checkpoint: &Checkpoint, trusted: Option<&'a Checkpoint>) -> Result<Self, VerifyError> {
        if let Some(trusted) = trusted {
            if trusted.origin() != checkpoint.origin() {
                let (found, expected) = (trusted.origin().to_string(), checkpoint.origin().clone());
                return Err(CheckpointError::Origin { found, expected }.into());
            }
            if trusted.size() > checkpoint.size() {
                return Err(VerifyError::Shorter { size: checkpoint.size(), trusted: trusted.size() });
            }
        }
        Ok(Self(trusted))
    }

    fn check(&self, chain: &Chain) -> Result<(), VerifyError> {
        match self.0 {
            Some(trusted) if trusted.size() == chain.frontier().size() && trusted.root() != chain.frontier().root() => {
                Err(VerifyError::Rewritten { size: trusted.size() })
            }
            _ => Ok(()),
        }
    }
}
