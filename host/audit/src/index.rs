//! Finding entries by what they say.
//!
//! An SQLite file beside the log, made from it and brought up to date when it
//! is asked. Nothing in it is signed: it tells where to look, and what is shown
//! is read from the log. Deleting it costs the time to make it again.

mod query;
mod writer;

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use query::Search;
pub use query::{Cursor, Query};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use vak_types::{Decision, Digest};
use writer::Writer;

use crate::bundle::Bundle;
use crate::codec::DecodeError;
use crate::merkle::leaf_hash;
use crate::store::lock::{self, MODE, beside};
use crate::store::{StorageError, sqlite};
use crate::{Entry, LogReader, ReadError};

/// Another layout gets another number, and is made anew.
const VERSION: i64 = 1;

/// Entries that are indexed in one transaction.
const CHUNK_ENTRIES: u64 = 65_536;

/// Texts are stored once: an agent has millions of entries. Each index ends in
/// `time` (and, as all of SQLite's, in `seq`), so that a page of any of them is
/// read in the order in which it is shown.
const SCHEMA: &str = "
CREATE TABLE progress (size INTEGER NOT NULL, leaf BLOB NOT NULL) STRICT;
INSERT INTO progress VALUES (0, zeroblob(32));
CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE fact (seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind INTEGER NOT NULL,
    agent INTEGER, session INTEGER, operation INTEGER, decision INTEGER) STRICT;
CREATE TABLE voice (component INTEGER, time INTEGER, seq INTEGER,
    PRIMARY KEY (component, time, seq)) STRICT, WITHOUT ROWID;
CREATE INDEX by_time ON fact (time);
CREATE INDEX by_agent ON fact (agent, time) WHERE agent IS NOT NULL;
CREATE INDEX by_session ON fact (session, time) WHERE session IS NOT NULL;
CREATE INDEX by_operation ON fact (operation, time) WHERE operation IS NOT NULL;
CREATE INDEX by_decision ON fact (decision, agent, time) WHERE decision > 1;
CREATE INDEX by_verdict ON fact (decision, time) WHERE decision IS NOT NULL;
CREATE INDEX by_kind ON fact (kind, time) WHERE kind > 2;
";

/// Why entries could not be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// The index can't be read or written.
    #[error("the index `{}`: {source}; delete it to have it made again", path.display())]
    Index {
        /// Its file.
        path: PathBuf,
        /// What failed.
        source: StorageError,
    },
    /// The log can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Some of the entries that were looked for, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Their sequence numbers.
    pub seqs: Vec<u64>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

/// An index over a log.
#[derive(Debug)]
pub struct Index {
    path: PathBuf,
    connection: Connection,
}

impl Index {
    /// Opens the index beside the log at `log`, or makes an empty one.
    ///
    /// # Errors
    /// It can't be opened or made.
    pub fn open(log: &Path) -> Result<Self, IndexError> {
        let named = |path: &Path| beside(path, ".index");
        let path = lock::resolve(log).map(|log| named(&log));
        let path = path.map_err(|source| IndexError::Index { path: named(log), source })?;
        let connection = open(&path).map_err(|source| IndexError::Index { path: path.clone(), source })?;
        Ok(Self { path, connection })
    }

    /// Brings the index up to the log's newest checkpoint. `progress` is called
    /// with the number of entries indexed and to be indexed.
    ///
    /// # Errors
    /// The log can't be read, or the index not be written.
    pub fn catch_up(&mut self, log: &LogReader, mut progress: impl FnMut(u64, u64)) -> Result<(), IndexError> {
        let size = log.size()?;
        let mut done = self.trusted_progress(log)?;
        let mut bundle = Bundle::default();
        while done < size {
            let failed = |source: StorageError| IndexError::Index { path: self.path.clone(), source };
            let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)
                .map_err(|error| failed(error.into()))?;
            let end = (done + CHUNK_ENTRIES).min(size);
            let mut leaf = Digest::from_bytes([0; 32]);
            {
                let mut writer = Writer::new(&transaction).map_err(failed)?;
                while done < end {
                    match log.source().entries(done, end - done, &mut bundle) {
                        // What was archived and removed is not found here.
                        Err(StorageError::Trimmed { first }) if first > done => {
                            done = first;
                            continue;
                        }
                        read => read.map_err(ReadError::from)?,
                    }
                    if bundle.is_empty() {
                        return Err(ReadError::NoEntry { seq: done, size }.into());
                    }
                    for bytes in bundle.iter() {
                        let decode = |source: DecodeError| ReadError::Decode { seq: done, source };
                        writer.add(&Entry::decode(bytes).map_err(decode)?).map_err(failed)?;
                        done += 1;
                    }
                    leaf = bundle.iter().last().map_or(leaf, leaf_hash);
                }
            }
            let row = (to_integer(done), leaf.as_bytes());
            transaction
                .execute("UPDATE progress SET size = ?1, leaf = ?2", row)
                .map_err(|error| failed(error.into()))?;
            transaction.commit().map_err(|error| failed(error.into()))?;
            progress(done, size);
        }
        Ok(())
    }

    /// How far the index is, if it is of this log; empties it if it is of
    /// another, or of one that was cut back.
    fn trusted_progress(&mut self, log: &LogReader) -> Result<u64, IndexError> {
        let failed = |error: rusqlite::Error| IndexError::Index { path: self.path.clone(), source: error.into() };
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?));
        let (size, leaf) = self.connection.query_row("SELECT size, leaf FROM progress", [], row).map_err(failed)?;
        let size = u64::try_from(size).unwrap_or(0);
        let mut bundle = Bundle::default();
        if let Some(last) = size.checked_sub(1) {
            match log.source().entries(last, 1, &mut bundle) {
                Err(StorageError::Trimmed { .. }) => bundle.clear(last),
                read => read.map_err(ReadError::from)?,
            }
            if bundle.get(last).map(leaf_hash) != Some(Digest::from_bytes(leaf)) {
                let clear = "DELETE FROM fact; DELETE FROM voice; UPDATE progress SET size = 0, leaf = zeroblob(32)";
                self.connection.execute_batch(clear).map_err(failed)?;
                return Ok(0);
            }
        }
        Ok(size)
    }

    /// Up to `limit` entries that `query` asks for, the newest first, from
    /// `after` on.
    ///
    /// # Errors
    /// The index can't be read.
    pub fn find(&self, query: &Query, after: Option<Cursor>, limit: usize) -> Result<Page, IndexError> {
        let failed = |error: rusqlite::Error| IndexError::Index { path: self.path.clone(), source: error.into() };
        let Some(Search { sql, values }) = Search::of(&self.connection, query, after).map_err(failed)? else {
            return Ok(Page { seqs: Vec::new(), next: None });
        };
        let mut statement = self.connection.prepare_cached(&sql).map_err(failed)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX).max(1);
        let values = values.into_iter().chain([Value::Integer(limit.saturating_add(1))]);
        let rows = statement
            .query_map(rusqlite::params_from_iter(values), |row| Ok(Cursor { time: row.get(0)?, seq: row.get(1)? }))
            .map_err(failed)?;
        let mut found = rows.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let more = to_integer(found.len() as u64) > limit;
        if more {
            found.pop();
        }
        let next = found.last().copied().filter(|_| more);
        Ok(Page { seqs: found.iter().map(|cursor| u64::try_from(cursor.seq).unwrap_or(0)).collect(), next })
    }
}

fn open(path: &Path) -> Result<Connection, StorageError> {
    // The folder may be one that was received: a link in it is not followed.
    let file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path);
    if let Err(error) = file.map(drop)
        && error.kind() != ErrorKind::AlreadyExists
    {
        return Err(error.into());
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags)?;
    sqlite::distrust(&connection)?;
    // What is lost in a crash is made again.
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;")?;
    match connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))? {
        VERSION => {}
        0 => {
            let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
            transaction.execute_batch(SCHEMA)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
            transaction.commit()?;
        }
        other => return Err(StorageError::Other(format!("its layout {other} is not known"))),
    }
    Ok(connection)
}

/// As the log's format numbers them.
fn number(decision: Decision) -> i64 {
    match decision {
        Decision::Allow => 1,
        Decision::Backtrack => 2,
        Decision::Escalate => 3,
        Decision::Deny => 4,
    }
}

/// Numbers past SQLite's integers are after all others.
fn to_integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
