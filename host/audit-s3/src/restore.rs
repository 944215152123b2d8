//! Making a log in a file from the one in a bucket.

use std::fs;
use std::ops::Range;
use std::path::Path;

use vak_audit::{
    Batch, Bundle, Checkpoint, Entry, Expected, Node, Payload, Report, Signer, Source, SqliteSource, SqliteStore,
    StorageError, Store, VerifyError, beside, verify_all,
};
use vak_types::Timestamp;

use crate::query::spans;
use crate::{S3Error, S3Source};

/// Entries in a tile. A part of a log is verified in whole tiles.
const TILE_WIDTH: u64 = 256;

/// Levels of subtrees that a log of 2^63 entries can have.
const LEVEL_MAX: u8 = 7;

/// Subtrees that are written in one commit: two tiles' worth of each level.
const NODES_MAX: u64 = 512;

/// Writes the log in the bucket to a new SQLite file at `path` and verifies it
/// there, as [`verify_all`] does. The file takes its name when that is done.
/// `expected.range` is not looked at.
///
/// With `times`, only the segments with entries of that time are read, and the
/// file has their entries, what proves that they are the log's, and no others:
/// it verifies for the range of entries that is given with the report, and for
/// no other, and is not a log that can be continued.
///
/// # Errors
/// There is a file already, the bucket can't be read or the file not written,
/// or what was read is not what was signed.
pub fn restore(
    source: &S3Source,
    path: &Path,
    expected: &Expected<'_>,
    times: Option<&Range<Timestamp>>,
) -> Result<(Report, Range<u64>), S3Error> {
    if path.exists() {
        return Err(S3Error::Configuration(format!("`{}` is there already; give another name", path.display())));
    }
    let note = source.head()?.ok_or(VerifyError::NoHead)?;
    let checkpoint = Checkpoint::parse(&note, expected.origin)?;
    let range = match times {
        None => 0..checkpoint.size(),
        Some(times) => whole_tiles(source, times, checkpoint.size())?,
    };
    let unfinished = beside(path, ".restoring");
    remove(&unfinished)?;
    write(source, &unfinished, &checkpoint, &range)?;
    let part = times.is_some().then(|| range.clone());
    let expected = Expected { range: part, ..expected.clone() };
    let report = verify_all(&SqliteSource::open(&unfinished)?, &expected, |_, _| ())?;
    fs::rename(&unfinished, path).map_err(StorageError::from)?;
    remove(&unfinished)?;
    Ok((report, range))
}

/// The entries of the segments with a time in `times`, in whole tiles.
fn whole_tiles(source: &S3Source, times: &Range<Timestamp>, size: u64) -> Result<Range<u64>, S3Error> {
    let spans = spans(source, times)?;
    let (Some(first), Some(last)) = (spans.first(), spans.last()) else { return Ok(0..0) };
    let end = (last.last + 1).div_ceil(TILE_WIDTH).saturating_mul(TILE_WIDTH);
    Ok(first.first / TILE_WIDTH * TILE_WIDTH..end.min(size))
}

/// The checkpoint stands in the file from the start: one that is not finished
/// has fewer entries than that says, and fails verification.
fn write(source: &S3Source, path: &Path, checkpoint: &Checkpoint, range: &Range<u64>) -> Result<(), S3Error> {
    let mut file = File { store: SqliteStore::open(path)?, checkpoint, signer: nobody(checkpoint) };
    file.store.start(checkpoint)?;
    let size = checkpoint.size();
    // A verifier also reads the entry before the range, and those after the
    // last full tile with the one before them.
    let tail = (size / TILE_WIDTH * TILE_WIDTH).saturating_sub(1);
    let start = range.start.saturating_sub(1);
    if range.end >= tail {
        file.entries(source, start..size, range)?;
    } else {
        file.entries(source, start..range.end, range)?;
        file.entries(source, tail..size, range)?;
    }
    for level in 1..=LEVEL_MAX {
        file.nodes(source, level, size >> (8 * u32::from(level)))?;
    }
    Ok(file.store.close()?)
}

/// A store is told who signed, in case it signs what it writes. One in SQLite
/// does not, and who restores a log has no key of it.
fn nobody(checkpoint: &Checkpoint) -> Signer {
    Signer::new(checkpoint.origin().clone(), &[0; 32])
}

struct File<'c> {
    store: SqliteStore,
    checkpoint: &'c Checkpoint,
    signer: Signer,
}

impl File<'_> {
    /// Copies some entries, and the payloads of those in `whole`.
    fn entries(&mut self, source: &S3Source, wanted: Range<u64>, whole: &Range<u64>) -> Result<(), S3Error> {
        let mut bundle = Bundle::default();
        let mut next = wanted.start;
        while next < wanted.end {
            source.entries(next, wanted.end - next, &mut bundle)?;
            if bundle.is_empty() {
                return Err(VerifyError::Missing { seq: next, size: self.checkpoint.size() }.into());
            }
            let mut payloads = Vec::new();
            for (seq, bytes, _) in bundle.signed().filter(|(seq, ..)| whole.contains(seq)) {
                let entry = Entry::decode(bytes);
                let entry = entry.map_err(|error| VerifyError::Entry { seq, source: error.into() })?;
                for commitment in entry.body.commitments() {
                    payloads.extend(source.payload(&commitment.digest)?);
                }
            }
            next = bundle.end();
            self.commit(&bundle, &[], &payloads)?;
        }
        Ok(())
    }

    fn nodes(&mut self, source: &S3Source, level: u8, count: u64) -> Result<(), S3Error> {
        let mut next = 0;
        while next < count {
            let hashes = source.nodes(level, next, NODES_MAX.min(count - next))?;
            if hashes.is_empty() {
                return Err(VerifyError::NoNode { level, index: next }.into());
            }
            let nodes: Vec<_> = (next..).zip(hashes).map(|(index, hash)| Node { level, index, hash }).collect();
            next += nodes.len() as u64;
            self.commit(&Bundle::default(), &nodes, &[])?;
        }
        Ok(())
    }

    fn commit(&mut self, entries: &Bundle, nodes: &[Node], payloads: &[Payload]) -> Result<(), S3Error> {
        let Self { store, checkpoint, signer } = self;
        Ok(store.commit(&Batch { entries, nodes, payloads, erased: &[], checkpoint, signer })?)
    }
}

/// Removes what an earlier attempt left, and the lock of the file.
fn remove(unfinished: &Path) -> Result<(), S3Error> {
    for suffix in ["", "-wal", "-shm", ".lock", ".new"] {
        match fs::remove_file(beside(unfinished, suffix)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(StorageError::from(error).into()),
            _ => {}
        }
    }
    Ok(())
}
