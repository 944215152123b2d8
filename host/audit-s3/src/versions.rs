//! Which version of each object was put, where the bucket has versions.
//!
//! A file beside the log, a line an object: the version's id, a space and the
//! name. It tells what a listing of the bucket alone can't: whether an object is
//! still the one that this log's host was told is there.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use vak_audit::StorageError;

use crate::S3Error;

/// The id in a bucket that keeps no versions.
const NONE: &str = "null";

/// An object that was put, and its version.
pub(crate) type Put = (String, Option<String>);

/// Appends what was put to the file at `path`. After a crash some may be
/// missing, and the last line be cut off: those are then not compared.
pub(crate) fn record(path: &Path, put: &[Put]) -> Result<(), S3Error> {
    let versioned = put.iter().filter_map(|(name, id)| Some((name, id.as_deref().filter(|id| *id != NONE)?)));
    let lines: String = versioned.map(|(name, id)| format!("{id} {name}\n")).collect();
    if lines.is_empty() {
        return Ok(());
    }
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(StorageError::from)?;
    Ok(file.write_all(lines.as_bytes()).map_err(StorageError::from)?)
}

/// The versions that were recorded, by the names of their objects.
pub(crate) fn read(path: &Path) -> Result<BTreeMap<String, String>, S3Error> {
    let text = std::fs::read_to_string(path).map_err(StorageError::from)?;
    let whole = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')?.split_once(' '));
    Ok(whole.map(|(id, name)| (name.to_owned(), id.to_owned())).collect())
}
