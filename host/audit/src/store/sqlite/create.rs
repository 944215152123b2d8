//! Making a new file.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::Checkpoint;
use crate::store::StorageError;
use crate::store::lock::{MODE, beside, sync_folder_of};

/// SQLite's page: 16 KiB. A commit takes four system calls a page until it is in
/// the main file, so that with SQLite's usual 4 KiB a busy log has a fifth less
/// throughput, while a commit of one entry takes no longer to sync.
pub(crate) const PAGE_BYTES: u32 = 16 << 10;

/// Says in the file's header what it is: `vakA`.
pub(crate) const APPLICATION_ID: i32 = i32::from_be_bytes(*b"vakA");

/// `STRICT`, so that what should be bytes can't be a text that reads the same.
pub(crate) const SCHEMA: [(&str, &str); 5] = [
    ("entry", "CREATE TABLE entry (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT"),
    ("head", "CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 0), checkpoint TEXT NOT NULL) STRICT"),
    (
        "node",
        "CREATE TABLE node (level INTEGER, number INTEGER, hash BLOB NOT NULL, PRIMARY KEY (level, number)) STRICT, WITHOUT ROWID",
    ),
    ("payload", "CREATE TABLE payload (commitment BLOB PRIMARY KEY, salt BLOB NOT NULL, bytes BLOB NOT NULL) STRICT"),
    ("signature", "CREATE TABLE signature (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT"),
];

/// Makes an empty log at `path`. It takes its name once it is whole, so that an
/// empty file under that name is never the leftover of a start that was cut
/// short, and can be refused.
pub(crate) fn create(path: &Path, checkpoint: &Checkpoint) -> Result<(), StorageError> {
    let unfinished = beside(path, ".new");
    if unfinished.exists() {
        std::fs::remove_file(&unfinished)?;
    }
    OpenOptions::new().write(true).create_new(true).mode(MODE).open(&unfinished)?;
    let connection = Connection::open_with_flags(&unfinished, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.execute_batch("PRAGMA synchronous = FULL; BEGIN")?;
    for (_, definition) in SCHEMA {
        connection.execute_batch(definition)?;
    }
    connection.execute("INSERT INTO head (id, checkpoint) VALUES (0, ?1)", [&**checkpoint.note()])?;
    connection.execute_batch("COMMIT")?;
    connection.close().map_err(|(_, error)| error)?;
    std::fs::rename(&unfinished, path)?;
    sync_folder_of(path)
}
