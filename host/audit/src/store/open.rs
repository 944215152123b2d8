//! Finding out what kind of log is somewhere.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::file::FileSource;
use super::sqlite::{self, SqliteSource};
use super::tiles::TileSource;
use super::{Source, StorageError};

/// Opens the log at `path` for reading: an SQLite file, a folder of segments,
/// or a folder of tiles as [`export_tiles`](crate::export_tiles) writes it.
///
/// # Errors
/// There is none of these.
pub fn open_source(path: &Path) -> Result<Box<dyn Source>, StorageError> {
    open(path, false)
}

/// The same for a log that a host has open for writing, and that is read for
/// as long as it has.
///
/// # Errors
/// There is none of these.
pub fn open_beside_writer(path: &Path) -> Result<Box<dyn Source>, StorageError> {
    open(path, true)
}

fn open(path: &Path, beside_writer: bool) -> Result<Box<dyn Source>, StorageError> {
    if path.join("head").is_file() {
        return Ok(Box::new(FileSource::open(path)?));
    }
    if path.join("checkpoint").is_file() {
        return Ok(Box::new(TileSource::open(path)?));
    }
    if path.is_dir() || !path.exists() {
        return Err(StorageError::Missing { path: path.to_owned() });
    }
    let mut magic = [0; sqlite::MAGIC.len()];
    let read = File::open(path)?.read_exact(&mut magic);
    match read {
        Ok(()) if magic == *sqlite::MAGIC && beside_writer => Ok(Box::new(SqliteSource::beside_writer(path)?)),
        Ok(()) if magic == *sqlite::MAGIC => Ok(Box::new(SqliteSource::open(path)?)),
        _ => Err(StorageError::Damaged(format!("`{}` is not an audit log", path.display()))),
    }
}
