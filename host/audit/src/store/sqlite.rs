//! A log in an SQLite file.
//!
//! Entries, subtrees, payloads and one row with the newest checkpoint. All of a
//! commit changes in one transaction, so no older head is left in the file that
//! a cut tail would agree with.

mod connect;
mod create;
mod read;
mod write;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;

pub(crate) use connect::distrust;
pub use read::SqliteSource;
use write::move_wal;

use super::{Batch, Opener, Recovery, StorageError, Store, lock};
use crate::{Checkpoint, Origin, Signer};

/// What every file of this kind begins with.
pub(crate) const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// How many bytes go into the write-ahead log before they are moved into the
/// main file: 4 MiB. The move stalls the commits. With 16 MiB a busy log has
/// the same throughput at best and twice the 99th percentile of latency.
const WAL_BYTES_MAX: usize = 4 << 20;

/// What a commit adds to the write-ahead log beside its entries, roughly: the
/// head's page and the one the last commit left half full.
const COMMIT_BYTES: usize = 2 * create::PAGE_BYTES as usize;

/// A log in one SQLite file, which only this user may read. Held by a lock
/// beside it.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    pages_max: Option<u32>,
    /// `None` until there is a log.
    connection: Option<Connection>,
    /// The head this left; another one is somebody else's.
    head: String,
    wal_bytes: usize,
    /// Held as long as this writes.
    _lock: File,
}

impl SqliteStore {
    /// Takes the file at `path` for writing; it may not be there yet. Its
    /// folder has to be.
    ///
    /// # Errors
    /// Another writer has it, or it can't be opened.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        Self::limited(path, None)
    }

    /// The same, with a most number of SQLite's pages, to let a test run out of
    /// space.
    #[doc(hidden)]
    pub fn limited(path: &Path, pages_max: Option<u32>) -> Result<Self, StorageError> {
        let path = lock::resolve(path)?;
        let lock = lock::lock(&path)?;
        let connection = path.exists().then(|| connect::open_writer(&path, pages_max)).transpose()?;
        let head = connection.as_ref().map(read::head).transpose()?.flatten().unwrap_or_default();
        Ok(Self { path, pages_max, connection, head, wal_bytes: 0, _lock: lock })
    }

    fn connection(&self) -> Result<&Connection, StorageError> {
        self.connection.as_ref().ok_or_else(|| StorageError::Missing { path: self.path.clone() })
    }
}

impl Store for SqliteStore {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn is_new(&self) -> bool {
        self.connection.is_none()
    }

    fn start(&mut self, checkpoint: &Checkpoint) -> Result<(), StorageError> {
        create::create(&self.path, checkpoint)?;
        self.connection = Some(connect::open_writer(&self.path, self.pages_max)?);
        self.head = checkpoint.note().to_string();
        Ok(())
    }

    /// SQLite does it: a commit is whole or not there.
    fn recover(&mut self, _: &Origin, _: &Signer) -> Result<Option<Recovery>, StorageError> {
        Ok(None)
    }

    fn commit(&mut self, batch: &Batch<'_>) -> Result<(), StorageError> {
        write::commit(self.connection()?, batch, &self.head)?;
        batch.checkpoint.note().as_ref().clone_into(&mut self.head);
        self.wal_bytes += COMMIT_BYTES + batch.entries.iter().map(<[u8]>::len).sum::<usize>();
        if self.wal_bytes > WAL_BYTES_MAX {
            move_wal(self.connection()?)?;
            self.wal_bytes = 0;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), StorageError> {
        connect::allow_writing_on_close(self.connection()?)?;
        match self.connection.take().map(Connection::close) {
            Some(Err((_, error))) => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn opener(&self) -> Opener {
        let path = self.path.clone();
        Arc::new(move || Ok(Box::new(SqliteSource::beside_writer(&path)?)))
    }
}
