//! Keeping a log to one writer.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::StorageError;

/// Nobody but the host's user may read what agents do.
pub(crate) const MODE: u32 = 0o600;

/// A process that is just being started holds its parent's locks for a moment,
/// even those that the parent lets go of.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(5);

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
/// anything in the process closes the file.
pub(crate) fn lock(path: &Path) -> Result<File, StorageError> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(MODE).open(beside(path, ".lock"))?;
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
    Err(StorageError::Locked { path: path.to_owned() })
}

/// The path with `suffix` after its file name: of what lies beside a log.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Makes a rename or a new file in `path`'s folder durable.
pub(crate) fn sync_folder_of(path: &Path) -> Result<(), StorageError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
