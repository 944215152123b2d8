//! After a crash: how far the log got.

use std::fs::{self, File, OpenOptions};
use std::path::Path;

use super::head::Head;
use super::payloads::{self, Told};
use super::positions::{Mark, Positions, Segments};
use super::record::{NoRecord, Record, Scan, Trailer};
use super::source::FileSource;
use crate::bundle::Bundle;
use crate::chain::Chain;
use crate::merkle::{TILE_WIDTH, leaf_hash};
use crate::resume::skip_to;
use crate::store::{Recovery, Source as _, StorageError};
use crate::{Checkpoint, Origin, Signer};

/// Where writing goes on.
pub(super) struct Recovered {
    pub(super) size: u64,
    pub(super) segment: Option<(File, Mark)>,
    /// `None` when the log had been closed.
    pub(super) recovery: Option<Recovery>,
}

/// Finds the end of the log in `folder`. What follows the last whole commit is
/// cut off if it can be the one commit that was being written when the last
/// writer ended; anything else is damage, and nothing is changed.
pub(super) fn recover(folder: &Path, head: &Head, origin: &Origin, signer: &Signer) -> Result<Recovered, StorageError> {
    let state = head.read()?;
    // Whether it is signed is for those to find out who believe it.
    let checkpoint =
        Checkpoint::parse(&state.note, origin).map_err(|error| StorageError::Damaged(format!("`head`: {error}")))?;
    let segments = Segments::list(folder)?;
    let Some(last) = End::find(folder, &segments, origin, signer)? else {
        return match checkpoint.size() {
            0 => nothing(folder, &segments, &state.note, origin, state.closed),
            size => Err(StorageError::Damaged(format!("the checkpoint covers {size} entries, and no segment has any"))),
        };
    };
    let size = last.trailer.size;
    if size < checkpoint.size() {
        return Err(StorageError::Damaged(format!(
            "the checkpoint covers {} entries, and the last whole commit ends after {size}: {}",
            checkpoint.size(),
            last.problem.unwrap_or("the end was cut off")
        )));
    }
    if state.closed && (size != checkpoint.size() || last.cut_bytes > 0) {
        return Err(StorageError::Damaged(format!(
            "the log was closed with {} entries, and more follows",
            checkpoint.size()
        )));
    }
    // What the checkpoint covers it vouches for. What goes beyond was written
    // just before a crash, if the trailer is signed, or else by somebody else.
    if size > checkpoint.size() && !last.trailer.is_signed(origin, signer.verifier()) {
        return Err(StorageError::Damaged(format!(
            "after the {} entries that the checkpoint covers there are others that this key did not sign",
            checkpoint.size()
        )));
    }
    let path = Segments::path(folder, last.segment);
    let file = OpenOptions::new().read(true).write(true).open(&path)?;
    let segment = Some((file, Mark { segment: last.segment, offset: last.offset }));
    if state.closed {
        return Ok(Recovered { size, segment, recovery: None });
    }
    cut(folder, &segments, &last)?;
    let told = rebuild(folder, &segments, last.segment, size, origin)?;
    payloads::recover(folder, &told)?;
    let checkpoint = match size == checkpoint.size() {
        true => checkpoint,
        // Its trailer was signed when it was written.
        false => Checkpoint::sign(origin, size, last.trailer.root, signer),
    };
    let mut head = Head::open(folder)?;
    head.write(&checkpoint, true)?;
    Ok(Recovered { size, segment, recovery: Some(Recovery { checkpoint, cut_bytes: last.cut_bytes }) })
}

/// A log without entries, and perhaps the first of them half written.
fn nothing(
    folder: &Path,
    segments: &[u64],
    note: &str,
    origin: &Origin,
    closed: bool,
) -> Result<Recovered, StorageError> {
    let mut cut_bytes = 0;
    for first in segments {
        let path = Segments::path(folder, *first);
        cut_bytes += fs::metadata(&path)?.len();
        if closed || *first != 0 {
            return Err(StorageError::Damaged(format!("the log has no entries, and there is `{}`", path.display())));
        }
        fs::remove_file(path)?;
    }
    drop(Positions::open(folder, 0)?);
    payloads::recover(folder, &Told::default())?;
    let checkpoint =
        Checkpoint::parse(note, origin).map_err(|error| StorageError::Damaged(format!("`head`: {error}")))?;
    let recovery = (cut_bytes > 0).then_some(Recovery { checkpoint, cut_bytes });
    Ok(Recovered { size: 0, segment: None, recovery })
}

/// The last whole commit.
struct End {
    segment: u64,
    /// Where the next commit goes.
    offset: u64,
    trailer: Trailer,
    /// Bytes after it, in this segment and in one after it.
    cut_bytes: u64,
    /// What is wrong with them.
    problem: Option<&'static str>,
}

impl End {
    /// Looks through the last segment, and through the one before if that has
    /// no whole commit.
    fn find(folder: &Path, segments: &[u64], origin: &Origin, signer: &Signer) -> Result<Option<Self>, StorageError> {
        let mut after = 0;
        let mut problem = None;
        for segment in segments.iter().rev().take(2) {
            let file = File::open(Segments::path(folder, *segment))?;
            let length = file.metadata()?.len();
            match scan(file, *segment, origin, signer)? {
                (Some((offset, trailer)), here) => {
                    // A segment is begun where the one before ends.
                    let cut_bytes = length - offset + after;
                    return Ok(Some(Self { segment: *segment, offset, trailer, cut_bytes, problem: here.or(problem) }));
                }
                (None, here) => {
                    after += length;
                    problem = here;
                }
            }
        }
        Ok(None)
    }
}

/// The end of the last whole commit in a segment and its trailer, and why there
/// is no more.
type Scanned = (Option<(u64, Trailer)>, Option<&'static str>);

fn scan(file: File, segment: u64, origin: &Origin, signer: &Signer) -> Result<Scanned, StorageError> {
    let mut scan = Scan::new(file, 0);
    let mut last = None;
    match scan.header() {
        Ok(first) if first == segment => {}
        Ok(_) => return Err(StorageError::Damaged(format!("the segment of entry {segment} has another name in it"))),
        Err(NoRecord::Storage(error)) => return Err(error),
        Err(NoRecord::End | NoRecord::Broken(_)) => return Ok((None, Some("its header is cut off or damaged"))),
    }
    loop {
        match scan.next() {
            Ok(Record::Trailer(trailer)) => last = Some((scan.offset(), trailer)),
            Ok(_) => {}
            Err(NoRecord::End) => return Ok((last, None)),
            Err(NoRecord::Storage(error)) => return Err(error),
            Err(NoRecord::Broken(what)) => {
                let at = scan.offset();
                return match whole_commits_after(scan, origin, signer)? {
                    0 => Ok((last, Some(what))),
                    _ => Err(StorageError::Damaged(format!(
                        "segment of entry {segment}, byte {at}: {what}, and whole commits follow"
                    ))),
                };
            }
        }
    }
}

/// How many commits end after damage. A single one at the very end can be the
/// one that was being written: the disk may write its end before its start.
fn whole_commits_after(mut scan: Scan, origin: &Origin, signer: &Signer) -> Result<usize, StorageError> {
    let mut found = 0;
    loop {
        match scan.next() {
            Ok(Record::Trailer(trailer)) if trailer.is_signed(origin, signer.verifier()) => {
                let at_end = matches!(scan.next(), Err(NoRecord::End));
                if found == 0 && at_end {
                    return Ok(0);
                }
                found += 1;
            }
            Ok(_) => {}
            Err(NoRecord::End) => return Ok(found),
            Err(NoRecord::Storage(error)) => return Err(error),
            Err(NoRecord::Broken(_)) => scan.skip_byte(),
        }
    }
}

/// Cuts off what follows the last whole commit.
fn cut(folder: &Path, segments: &[u64], end: &End) -> Result<(), StorageError> {
    // One that was just made may have no bytes yet.
    for later in segments.iter().filter(|first| **first > end.segment) {
        fs::remove_file(Segments::path(folder, *later))?;
    }
    let file = OpenOptions::new().write(true).open(Segments::path(folder, end.segment))?;
    file.set_len(end.offset)?;
    file.sync_all()?;
    Ok(File::open(folder)?.sync_all()?)
}

/// Makes anew what is kept about the entries of the last segment. About those
/// before it was synced when the segment was begun; if that is not there all
/// the same, everything is made anew.
fn rebuild(folder: &Path, segments: &[u64], last: u64, size: u64, origin: &Origin) -> Result<Told, StorageError> {
    let (from, chain) = match before(folder, last, origin) {
        Ok(chain) => (last, chain),
        // Of a log that was trimmed there is nothing to make it from.
        Err(error) if segments.first() != Some(&0) => return Err(error),
        Err(_) => (0, Chain::start(origin.clone())),
    };
    rebuild_from(folder, segments.iter().copied().filter(|first| (from..=last).contains(first)), size, chain)
}

fn rebuild_from(
    folder: &Path,
    segments: impl Iterator<Item = u64>,
    size: u64,
    mut chain: Chain,
) -> Result<Told, StorageError> {
    let mut told = Told::default();
    let mut positions = Positions::open(folder, chain.size())?;
    for segment in segments {
        let broken = |problem| match problem {
            NoRecord::Storage(error) => error,
            NoRecord::Broken(what) => StorageError::Damaged(format!("segment of entry {segment}: {what}")),
            NoRecord::End => StorageError::Damaged(format!("the segment of entry {segment} is cut off")),
        };
        let mut scan = Scan::new(File::open(Segments::path(folder, segment))?, 0);
        scan.header().map_err(broken)?;
        while chain.size() < size {
            let offset = scan.offset();
            let leaf = match scan.next() {
                Ok(Record::Entry(bytes)) => {
                    told.entry(bytes);
                    leaf_hash(bytes)
                }
                Ok(_) => continue,
                Err(NoRecord::End) => break,
                Err(problem) => return Err(broken(problem)),
            };
            if chain.size().is_multiple_of(TILE_WIDTH) {
                positions.mark(Mark { segment, offset });
            }
            chain.push(leaf);
        }
        positions.write(&chain.take_nodes().collect::<Vec<_>>())?;
    }
    positions.sync()?;
    Ok(told)
}

/// The chain before the entries of a segment. What is wrong with it shows when
/// the log is checked.
fn before(folder: &Path, segment: u64, origin: &Origin) -> Result<Chain, StorageError> {
    let source = FileSource::open(folder)?;
    let mut chain = Chain::start(origin.clone());
    let damaged = |error: crate::VerifyError| StorageError::Damaged(error.to_string());
    skip_to(&source, &mut chain, segment / TILE_WIDTH * TILE_WIDTH).map_err(damaged)?;
    let mut bundle = Bundle::default();
    while chain.size() < segment {
        source.entries(chain.size(), segment - chain.size(), &mut bundle)?;
        if bundle.is_empty() {
            return Err(StorageError::Damaged(format!("entry {} is missing", chain.size())));
        }
        bundle.iter().for_each(|bytes| chain.push(leaf_hash(bytes)));
    }
    chain.take_nodes();
    Ok(chain)
}
