//! Reading entries to show them.

use std::collections::VecDeque;
use std::path::Path;

use rusqlite::Connection;

use crate::Entry;
use crate::codec::DecodeError;
use crate::storage::{StorageError, open_reader, read_entries, read_size};
use crate::tail::to_row;

/// How many entries are in memory at a time: at most 16 MiB.
const CHUNK_ENTRIES: u32 = 256;

/// Why an entry can't be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The file can't be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// An entry's bytes are not one.
    #[error("entry {row} can't be read: {source}; verify the log")]
    Decode {
        /// The row's number.
        row: i64,
        /// What is wrong.
        source: DecodeError,
    },
}

/// Reads a log that a host may be writing to. Decodes entries and verifies
/// nothing: that is for [`verify`](crate::verify).
#[derive(Debug)]
pub struct LogReader {
    connection: Connection,
}

impl LogReader {
    /// Opens the log at `path`. One that no host has open is read as it is now,
    /// even if a host opens it later.
    ///
    /// # Errors
    /// The file can't be opened.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        Ok(Self { connection: open_reader(path)? })
    }

    /// How many entries there are at this moment.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn size(&self) -> Result<u64, ReadError> {
        Ok(read_size(&self.connection)?)
    }

    /// The entries from sequence number `from` on, at most `limit`, and none
    /// after the end of the log as it is when it is reached. Ends after an error.
    pub fn entries(&self, from: u64, limit: u64) -> impl Iterator<Item = Result<Entry, ReadError>> {
        Entries { connection: &self.connection, next: Some(to_row(from)), left: limit, chunk: VecDeque::new() }
    }
}

struct Entries<'r> {
    connection: &'r Connection,
    next: Option<i64>,
    left: u64,
    chunk: VecDeque<(i64, Vec<u8>)>,
}

impl Entries<'_> {
    fn read(&mut self) -> Result<Option<Entry>, ReadError> {
        if self.chunk.is_empty()
            && let Some(next) = self.next
        {
            let count = u32::try_from(self.left).unwrap_or(u32::MAX).min(CHUNK_ENTRIES);
            self.chunk = read_entries(self.connection, next, count)?.into();
        }
        let Some((row, bytes)) = self.chunk.pop_front() else { return Ok(None) };
        self.next = row.checked_add(1);
        self.left -= 1;
        Entry::decode(&bytes).map(Some).map_err(|source| ReadError::Decode { row, source })
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let entry = self.read();
        if !matches!(entry, Ok(Some(_))) {
            self.left = 0;
        }
        entry.transpose()
    }
}
