//! Giving back the disk that archived entries take.

use std::fs::{self, File};
use std::ops::Range;
use std::path::Path;

use super::payloads::{self, Told};
use super::positions::Segments;
use super::record::{NoRecord, Record, Scan};
use crate::merkle::TILE_WIDTH;
use crate::store::{StorageError, lock};

/// Entries that stay before the last two segments, whatever is asked. The last
/// may have no whole commit after a crash; opening the log then goes back from
/// the one before to the group of 256 before it.
const ENTRIES_MIN: u64 = 2 * TILE_WIDTH;

/// Ends the name of a segment that is being removed. It is no part of the log
/// any more, and its payloads go first.
const REMOVED: &str = ".removed";

/// The entries that [`trim_segments`] would remove: of the log in `folder`, the
/// oldest segments whose entries all come before `below`.
///
/// # Errors
/// The folder can't be read.
pub fn trimmable(folder: &Path, below: u64) -> Result<Range<u64>, StorageError> {
    let segments = Segments::list(folder)?;
    let first = segments.first().copied().unwrap_or(0);
    let [.., before_last, _] = segments[..] else { return Ok(first..first) };
    let below = below.min(before_last.saturating_sub(ENTRIES_MIN));
    Ok(first..segments.into_iter().rev().find(|begin| *begin <= below).unwrap_or(first).max(first))
}

/// Removes what is [`trimmable`], with its payloads, and gives the first entry
/// that is left. The hashes over it stay, so that the log goes on and later
/// entries are proven as before; a verification has to begin with the first that
/// is left. Whoever calls this has the entries somewhere else.
///
/// Works beside the log's writer. What is cut short is done by the next call.
///
/// # Errors
/// The storage failed, or a segment is damaged: that is kept.
pub fn trim_segments(folder: &Path, below: u64) -> Result<u64, StorageError> {
    let end = trimmable(folder, below)?.end;
    for first in Segments::list(folder)?.into_iter().take_while(|first| *first < end) {
        let path = Segments::path(folder, first);
        told(&path)?;
        fs::rename(&path, lock::beside(&path, REMOVED))?;
    }
    File::open(folder)?.sync_all()?;
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == &REMOVED[1..]) {
            payloads::erase(folder, told(&path)?.kept())?;
            fs::remove_file(path)?;
        }
    }
    Ok(end)
}

/// What the entries of a segment say of payloads.
fn told(path: &Path) -> Result<Told, StorageError> {
    let damaged = |what: &str| StorageError::Damaged(format!("`{}`: {what}", path.display()));
    let mut scan = Scan::new(File::open(path)?, 0);
    let mut told = Told::default();
    if scan.header().is_err() {
        return Err(damaged("its header is damaged"));
    }
    loop {
        match scan.next() {
            Ok(Record::Entry(bytes)) => told.entry(bytes),
            Ok(_) => {}
            Err(NoRecord::End) => return Ok(told),
            Err(NoRecord::Broken(what)) => return Err(damaged(what)),
            Err(NoRecord::Storage(error)) => return Err(error),
        }
    }
}
