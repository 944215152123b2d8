//! The file: one row for each scope, one for each value.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use crate::memory::MemoryError;
use crate::recall::VALUE_BYTES_MAX;

/// Says in the file's header what it is: `vakM`.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"vakM");

/// The version of the schema.
const VERSION: i32 = 1;

/// A scope's `version` changes with each commit, and is never one that another
/// state of it had: `clock` counts all commits.
const SCHEMA: &str = "
    CREATE TABLE clock (id INTEGER PRIMARY KEY CHECK (id = 0), commits INTEGER NOT NULL) STRICT;
    INSERT INTO clock VALUES (0, 0);
    CREATE TABLE scope (id INTEGER PRIMARY KEY, agent TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL,
                        bytes INTEGER NOT NULL, UNIQUE (agent, name)) STRICT;
    CREATE TABLE item (scope INTEGER NOT NULL REFERENCES scope (id) ON DELETE CASCADE, key TEXT NOT NULL,
                       value BLOB NOT NULL, PRIMARY KEY (scope, key)) STRICT, WITHOUT ROWID;";

/// SQLite's usual page.
const PAGE_BYTES: u32 = 4_096;

/// How much all agents remember together: 1 GiB, so that whoever can name new
/// agents can't fill the disk.
const FILE_BYTES_MAX: u32 = 1 << 30;

/// How long to wait while another process, such as `vak memory`, writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens the file at `path`, or makes it; only this user may read it.
pub(crate) fn open(path: &Path) -> Result<Connection, MemoryError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(MemoryError::Io(error)),
        _ => {}
    }
    let mut connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Nothing in the file's schema may run, no value be of any size.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, 2 * VALUE_BYTES_MAX as i32)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(MemoryError::Foreign(format!("SQLite's journal mode is `{mode}` and can't be made `wal` here")));
    }
    // What is forgotten is overwritten.
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON;
         PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;",
    )?;
    connection.pragma_update(None, "max_page_count", FILE_BYTES_MAX / PAGE_BYTES)?;
    prepare(&mut connection)?;
    Ok(connection)
}

/// Makes the tables in a new file, and looks whose file an old one is.
fn prepare(connection: &mut Connection) -> Result<(), MemoryError> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let pragma = |name: &str| transaction.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let tables: u32 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (pragma("application_id")?, pragma("user_version")?, tables) {
        (APPLICATION_ID, VERSION, _) => {}
        (0, 0, 0) => {
            transaction.execute_batch(SCHEMA)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
        }
        (APPLICATION_ID, version, _) => {
            return Err(MemoryError::Foreign(format!("it has version {version}; this host knows {VERSION}")));
        }
        _ => return Err(MemoryError::Foreign("it is not a file of this kind".to_owned())),
    }
    Ok(transaction.commit()?)
}
