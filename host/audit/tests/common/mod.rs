//! A log to try things on, on disk or in memory.

#![allow(dead_code)] // Each test file uses some of it.

mod log;

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;
use vak_audit::{
    Checkpoint, FileStore, Log, MemoryStore, OpenError, Options, Report, Source, SqliteStore, Store, VerifyError,
    open_source,
};

pub(crate) use log::*;

pub(crate) fn open(path: &Path) -> Result<Log, OpenError> {
    Log::open(Box::new(SqliteStore::open(path)?), origin(), signer(), &Options::default())
}

pub(crate) fn check(path: &Path, trusted: Option<&Checkpoint>) -> Result<Report, VerifyError> {
    let source = open_source(path).map_err(|source| VerifyError::Storage { seq: 0, source })?;
    check_source(&*source, &key(), trusted)
}

/// The kinds of storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Memory,
    Sqlite,
    File,
}

pub(crate) const ON_DISK: [Kind; 2] = [Kind::Sqlite, Kind::File];

/// A place for a log of some kind.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) path: PathBuf,
    pub(crate) kind: Kind,
    /// Short, so that there are some segments.
    pub(crate) segment_bytes: u64,
    pub(crate) memory: MemoryStore,
}

impl Place {
    pub(crate) fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { path: folder.path().join("audit"), folder, kind, segment_bytes: 20_000, memory: MemoryStore::new() }
    }
}

impl Storage for Place {
    fn try_store(&self) -> Result<Box<dyn Store>, OpenError> {
        Ok(match self.kind {
            Kind::Memory => Box::new(self.memory.clone()),
            Kind::Sqlite => Box::new(SqliteStore::open(&self.path)?),
            Kind::File => Box::new(FileStore::with_segments(&self.path, self.segment_bytes)?),
        })
    }

    fn source(&self) -> Box<dyn Source> {
        match self.kind {
            Kind::Memory => Box::new(self.memory.clone()),
            _ => open_source(&self.path).unwrap(),
        }
    }
}

/// A closed log with some entries, in an SQLite file.
pub(crate) struct Sample {
    pub(crate) folder: TempDir,
    pub(crate) path: PathBuf,
    pub(crate) checkpoint: Checkpoint,
}

impl Sample {
    pub(crate) fn of(entries: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.db");
        let checkpoint = Self::extend(&path, entries);
        Self { folder, path, checkpoint }
    }

    pub(crate) fn extend(path: &Path, entries: u64) -> Checkpoint {
        fill(open(path).unwrap(), entries, entries)
    }

    /// Changes the file as somebody would who has it for an hour.
    pub(crate) fn tamper(&self, sql: &str) {
        self.edit().execute_batch(sql).unwrap();
    }

    pub(crate) fn edit(&self) -> Connection {
        let connection = Connection::open(&self.path).unwrap();
        connection.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF").unwrap();
        connection
    }

    pub(crate) fn entry(&self, seq: i64) -> Vec<u8> {
        self.edit().query_row("SELECT bytes FROM entry WHERE seq = ?1", [seq], |row| row.get(0)).unwrap()
    }

    pub(crate) fn put(&self, seq: i64, bytes: &[u8]) {
        self.edit().execute("INSERT OR REPLACE INTO entry (seq, bytes) VALUES (?1, ?2)", (seq, bytes)).unwrap();
    }

    pub(crate) fn head(&self) -> String {
        self.edit().query_row("SELECT checkpoint FROM head", [], |row| row.get(0)).unwrap()
    }

    pub(crate) fn put_head(&self, note: &str) {
        self.edit().execute("UPDATE head SET checkpoint = ?1", [note]).unwrap();
    }

    pub(crate) fn check(&self) -> Result<Report, VerifyError> {
        check(&self.path, None)
    }
}
