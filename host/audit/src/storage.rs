//! The SQLite file that holds a log, and how it is opened.
//!
//! Two tables: `entry`, from sequence number to bytes, and `head`, one row with
//! the newest checkpoint. Both change in one transaction, so no older head is
//! left in the file that a cut tail would agree with.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction};

/// What the storage could not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// No space is left for the file.
    #[error("no space is left for the audit log ({0}); free some, then open the log again")]
    Full(String),
    /// The operating system reported an error.
    #[error("reading or writing the audit log failed ({0}); check the disk, then open the log again")]
    Io(String),
    /// The file is damaged, or not one of SQLite's.
    #[error("the audit log's file is damaged ({0}); verify it, and restore a copy")]
    Damaged(String),
    /// Anything else, such as no permission to open the file.
    #[error("the audit log's storage failed ({0})")]
    Other(String),
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        let message = match &error {
            rusqlite::Error::SqliteFailure(code, _) => format!("{error}, SQLite code {}", code.extended_code),
            _ => error.to_string(),
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full(message),
            Some(ErrorCode::SystemIoFailure) => Self::Io(message),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(message),
            _ => Self::Other(message),
        }
    }
}

impl From<std::io::Error> for StorageError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full(error.to_string()),
            _ => Self::Io(error.to_string()),
        }
    }
}

/// `STRICT`, so that what should be bytes can't be a text that reads the same.
pub(crate) const SCHEMA: [(&str, &str); 2] = [
    ("entry", "CREATE TABLE entry (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT"),
    (
        "head",
        "CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 0), base BLOB NOT NULL, checkpoint TEXT NOT NULL) STRICT",
    ),
];

/// The longest value that is read, in bytes: an entry and a checkpoint are far
/// shorter, so a file can't make a reader take more memory than this.
const VALUE_BYTES_MAX: i32 = 1 << 20;

/// How long to wait for a lock that a reader holds for a moment, such as while
/// it recovers the write-ahead log.
const BUSY_TIMEOUT_MS: u64 = 10_000;

/// Opens an existing log for writing.
pub(crate) fn open_writer(path: &Path, pages_max: Option<u32>) -> Result<Connection, StorageError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | FLAGS)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    prepare(&connection)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(StorageError::Other(format!("SQLite's journal mode is `{mode}` and can't be made `wal` here")));
    }
    connection.execute_batch(
        // FULL syncs the write-ahead log at every commit. Moving it into the
        // main file is done by the committer, because SQLite would ignore an
        // error there and try again, over pages that the kernel may have lost.
        "PRAGMA synchronous = FULL; PRAGMA fullfsync = 1; PRAGMA checkpoint_fullfsync = 1;
         PRAGMA wal_autocheckpoint = 0;",
    )?;
    if let Some(pages_max) = pages_max {
        connection.pragma_update(None, "max_page_count", pages_max)?;
    }
    Ok(connection)
}

/// Lets SQLite move the write-ahead log into the main file, and remove it, when
/// `connection` is closed. Not so after an error, nor for a log that is not
/// sound: there, nothing more is written.
pub(crate) fn allow_writing_on_close(connection: &Connection) -> Result<(), StorageError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(())
}

/// Opens an existing log for reading, whether or not a host writes to it.
///
/// A log that was closed has no write-ahead log beside it and is taken as it
/// lies there, so that no permission to write is needed. Next to a write-ahead
/// log SQLite needs its shared-memory file, or the permission to create it.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StorageError> {
    let path = std::fs::canonicalize(path)?;
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            write!(uri, "%{byte:02x}").unwrap_or_default();
        }
    }
    if !beside(&path, "-wal").exists() {
        uri.push_str("?immutable=1");
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | FLAGS;
    let connection = Connection::open_with_flags(uri, flags)?;
    prepare(&connection)?;
    Ok(connection)
}

const FLAGS: OpenFlags = OpenFlags::SQLITE_OPEN_NO_MUTEX;

/// The file is not trusted: nothing in its schema may run, nothing in it may be
/// of any size.
fn prepare(connection: &Connection) -> Result<(), StorageError> {
    connection.busy_timeout(std::time::Duration::from_millis(BUSY_TIMEOUT_MS))?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX)?;
    connection
        .execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA cache_size = -16384;")?;
    Ok(())
}

/// The path with `suffix` after its file name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The tables, indexes, views and triggers in the file: name and definition.
pub(crate) fn read_schema(connection: &Connection) -> Result<Vec<(String, String)>, StorageError> {
    let mut statement = connection.prepare("SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

// Two statements, because SQLite looks up one end of an index at a time and
// would scan the table for both.
const FIRST: &str = "SELECT min(seq) FROM entry";
const LAST: &str = "SELECT max(seq) FROM entry";

/// What the file says of itself, all at one moment.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) base: Vec<u8>,
    pub(crate) note: String,
    /// The first and the last sequence number; `None` when there are no entries.
    pub(crate) range: Option<(i64, i64)>,
}

/// Reads the head; `None` when there is no such row.
pub(crate) fn read_head(connection: &Connection) -> Result<Option<Head>, StorageError> {
    let transaction = Transaction::new_unchecked(connection, rusqlite::TransactionBehavior::Deferred)?;
    let rows = transaction
        .prepare("SELECT base, checkpoint FROM head LIMIT 2")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<_>, _>>()?;
    let first: Option<i64> = transaction.query_row(FIRST, [], |row| row.get(0))?;
    let last: Option<i64> = transaction.query_row(LAST, [], |row| row.get(0))?;
    let [(base, note)] = <[_; 1]>::try_from(rows).unwrap_or_else(|_| [(Vec::new(), String::new())]);
    Ok((!note.is_empty()).then(|| Head { base, note, range: first.zip(last) }))
}

/// Reads up to `count` entries from `from` on, in order of sequence number.
pub(crate) fn read_entries(
    connection: &Connection,
    from: i64,
    count: u32,
) -> Result<Vec<(i64, Vec<u8>)>, StorageError> {
    let mut statement = connection.prepare("SELECT seq, bytes FROM entry WHERE seq >= ?1 ORDER BY seq LIMIT ?2")?;
    let rows = statement.query_map((from, count), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many entries there are, going by the last one's number.
pub(crate) fn read_size(connection: &Connection) -> Result<u64, StorageError> {
    let last: Option<i64> = connection.query_row(LAST, [], |row| row.get(0))?;
    Ok(last.and_then(|last| u64::try_from(last).ok()).map_or(0, |last| last + 1))
}
