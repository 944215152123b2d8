//! Giving back the disk that archived entries take.

use std::fs::{self, File};
use std::path::Path;

use super::payloads::{self, Told};
use super::positions::Segments;
use super::record::{NoRecord, Record, Scan};
use crate::merkle::TILE_WIDTH;
use crate::store::StorageError;

/// Entries that stay before the last segment, whatever is asked: opening the
/// log, and more so after a crash, goes back to the group of 256 before it.
const ENTRIES_MIN: u64 = 2 * TILE_WIDTH;

/// Removes the oldest segments of the log in `folder` whose entries all come
/// before `below`, with their payloads, and gives the first entry that is left.
/// The hashes over them stay, so that the log goes on and later entries are
/// proven as before; a verification has to begin with the first that is left.
/// Whoever calls this has the entries somewhere else.
///
/// Works beside the log's writer. What is cut short is done by the next call.
///
/// # Errors
/// The storage failed, or a segment is damaged: that is kept.
pub fn trim_segments(folder: &Path, below: u64) -> Result<u64, StorageError> {
    let segments = Segments::list(folder)?;
    let (mut left, last) = match segments[..] {
        [first, .., last] => (first, last),
        [only] => return Ok(only),
        [] => return Ok(0),
    };
    let below = below.min(last.saturating_sub(ENTRIES_MIN));
    for (first, next) in segments.iter().copied().zip(segments[1..].iter().copied()) {
        if next > below {
            break;
        }
        // Payloads first: they are found by their segment.
        payloads::erase(folder, told(folder, first)?.kept())?;
        fs::remove_file(Segments::path(folder, first))?;
        left = next;
    }
    File::open(folder)?.sync_all()?;
    Ok(left)
}

/// What the entries of a segment say of payloads.
fn told(folder: &Path, first: u64) -> Result<Told, StorageError> {
    let path = Segments::path(folder, first);
    let damaged = |what: &str| StorageError::Damaged(format!("`{}`: {what}", path.display()));
    let mut scan = Scan::new(File::open(&path)?, 0);
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
