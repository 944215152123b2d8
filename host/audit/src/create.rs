//! Making a new log, and keeping a log to one writer.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::checkpoint::Checkpoint;
use crate::merkle::Frontier;
use crate::storage::{SCHEMA, StorageError, beside};
use crate::{Origin, Signer};

/// Nobody but the host's user may read what agents do.
const MODE: u32 = 0o600;

/// SQLite's page: 16 KiB. A commit takes four system calls a page until it is in
/// the main file, so that with SQLite's usual 4 KiB a busy log has a fifth less
/// throughput, while a commit of one entry takes no longer to sync.
pub(crate) const PAGE_BYTES: u32 = 16 << 10;

/// Says in the file's header what it is: `vakA`.
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"vakA");

/// The path with links resolved, so that a log has one lock however it is
/// reached. The file itself may be missing, its folder may not.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, StorageError> {
    if path.exists() {
        return Ok(path.canonicalize()?);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match path.file_name() {
        Some(name) => Ok(folder.canonicalize()?.join(name)),
        None => Err(StorageError::Other(format!("`{}` is not the path of a file", path.display()))),
    }
}

/// Takes the lock that makes this the log's one writer, in a file of its own
/// beside the log: SQLite's locks would keep readers out, and are lost when
/// anything in the process closes the file. `None` when somebody else has it.
pub(crate) fn lock(path: &Path) -> Result<Option<File>, StorageError> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(MODE).open(beside(path, ".lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Makes an empty log at `path`. It takes its name once it is whole, so that an
/// empty file under that name is never the leftover of a start that was cut
/// short, and can be refused.
pub(crate) fn create(path: &Path, origin: &Origin, signer: &Signer) -> Result<(), StorageError> {
    let unfinished = beside(path, ".new");
    if unfinished.exists() {
        std::fs::remove_file(&unfinished)?;
    }
    OpenOptions::new().write(true).create_new(true).mode(MODE).open(&unfinished)?;
    let connection = Connection::open_with_flags(&unfinished, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let empty = Frontier::default();
    let checkpoint = Checkpoint::sign(origin, 0, empty.root(), signer);
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.execute_batch("PRAGMA synchronous = FULL; BEGIN")?;
    for (_, definition) in SCHEMA {
        connection.execute_batch(definition)?;
    }
    connection.execute(
        "INSERT INTO head (id, base, checkpoint) VALUES (0, ?1, ?2)",
        (empty.to_bytes(), &**checkpoint.note()),
    )?;
    connection.execute_batch("COMMIT")?;
    connection.close().map_err(|(_, error)| error)?;
    std::fs::rename(&unfinished, path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
