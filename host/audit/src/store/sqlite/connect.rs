//! How the file is opened, for writing and for reading.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use crate::payload::PAYLOAD_BYTES_MAX;
use crate::store::StorageError;
use crate::store::lock::beside;

/// The longest value, and row, that is written and read, in bytes: twice the
/// longest payload, so that it passes with what SQLite adds. A file can't make a
/// reader take more memory than this.
const VALUE_BYTES_MAX: i32 = 2 * PAYLOAD_BYTES_MAX as i32;

/// How long to wait for a lock that a reader holds for a moment, such as while
/// it recovers the write-ahead log.
const BUSY_TIMEOUT_MS: u64 = 10_000;

/// Opens an existing log for writing.
pub(crate) fn open_writer(path: &Path, pages_max: Option<u32>) -> Result<Connection, StorageError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | FLAGS)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    distrust(&connection)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(StorageError::Other(format!("SQLite's journal mode is `{mode}` and can't be made `wal` here")));
    }
    connection.execute_batch(
        // FULL syncs the write-ahead log at every commit. Moving it into the
        // main file is done by the store, because SQLite would ignore an
        // error there and try again, over pages that the kernel may have lost.
        // What is erased is overwritten. A log is written at its end, so few pages
        // are in use; whoever writes keeps as many as it may for good.
        "PRAGMA cache_size = -2048; PRAGMA synchronous = FULL; PRAGMA fullfsync = 1; PRAGMA checkpoint_fullfsync = 1;
         PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = ON;",
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
pub(crate) fn open_reader(path: &Path, beside_writer: bool) -> Result<Connection, StorageError> {
    let path = std::fs::canonicalize(path)?;
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            write!(uri, "%{byte:02x}").unwrap_or_default();
        }
    }
    if !beside_writer && !beside(&path, "-wal").exists() {
        uri.push_str("?immutable=1");
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | FLAGS;
    let connection = Connection::open_with_flags(uri, flags)?;
    distrust(&connection)?;
    Ok(connection)
}

const FLAGS: OpenFlags = OpenFlags::SQLITE_OPEN_NO_MUTEX;

/// The file is not trusted: nothing in its schema may run, nothing in it may be
/// of any size.
pub(crate) fn distrust(connection: &Connection) -> Result<(), StorageError> {
    connection.busy_timeout(std::time::Duration::from_millis(BUSY_TIMEOUT_MS))?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX)?;
    connection
        .execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA cache_size = -16384;")?;
    Ok(())
}
