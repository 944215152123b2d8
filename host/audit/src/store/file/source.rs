//! Reading the folder, beside its writer or without one.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use vak_types::Digest;

use super::positions::{self, Mark, Segments, read_mark, read_nodes};
use super::record::{NoRecord, Record, Scan};
use super::{head, payloads};
use crate::bundle::Bundle;
use crate::checkpoint::size_in;
use crate::merkle::TILE_WIDTH;
use crate::payload::{PAYLOAD_BYTES_MAX, Payload, SALT_BYTES};
use crate::store::{Source, StorageError};

/// Reads a log in a folder.
#[derive(Debug)]
pub struct FileSource {
    folder: PathBuf,
    /// Where the last reading stopped: reading on from there needs no search.
    cursor: RefCell<Option<Cursor>>,
}

#[derive(Debug)]
struct Cursor {
    segment: u64,
    /// The entry whose record is next.
    seq: u64,
    /// The size in the trailer that was read last.
    ended: Option<u64>,
    scan: Scan,
}

impl FileSource {
    /// Opens the log in the folder at `path`.
    ///
    /// # Errors
    /// There is none.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        if !path.is_dir() {
            return Err(StorageError::Missing { path: path.to_owned() });
        }
        Ok(Self { folder: path.to_owned(), cursor: RefCell::default() })
    }

    /// The place of entry `from`, or of one before it in its group of 256.
    fn seek(&self, from: u64) -> Result<Option<Cursor>, StorageError> {
        let Some(mark) = read_mark(&self.folder, from / TILE_WIDTH)? else { return Ok(None) };
        let file = match File::open(Segments::path(&self.folder, mark.segment)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return self.seek_after_trimmed(mark.segment, from),
            file => file?,
        };
        let scan = Scan::new(file, mark.offset);
        Ok(Some(Cursor { segment: mark.segment, seq: from / TILE_WIDTH * TILE_WIDTH, ended: None, scan }))
    }

    /// The same where the group begins in a segment that is not there.
    fn seek_after_trimmed(&self, missing: u64, from: u64) -> Result<Option<Cursor>, StorageError> {
        let segments = Segments::list(&self.folder)?;
        let Some(first) = segments.first().copied().filter(|first| *first > missing) else {
            return Err(damaged(missing, 0, "it is missing"));
        };
        match segments.into_iter().rev().find(|segment| *segment <= from) {
            Some(segment) => Ok(Some(self.begin(segment)?)),
            None => Err(StorageError::Trimmed { first }),
        }
    }

    /// The first entry of a segment.
    fn begin(&self, segment: u64) -> Result<Cursor, StorageError> {
        let mut scan = Scan::new(File::open(Segments::path(&self.folder, segment))?, 0);
        match scan.header() {
            Ok(first) if first == segment => Ok(Cursor { segment, seq: segment, ended: None, scan }),
            Err(NoRecord::Storage(error)) => Err(error),
            _ => Err(damaged(segment, 0, "the header is not this segment's")),
        }
    }

    /// Goes on to the segment that begins with the next entry, if there is one.
    fn next_segment(&self, cursor: &mut Cursor) -> Result<bool, StorageError> {
        let next = cursor.seq > cursor.segment && Segments::path(&self.folder, cursor.seq).exists();
        if next {
            *cursor = self.begin(cursor.seq)?;
        }
        Ok(next)
    }

    /// Reads from the cursor on until `bundle` has what was asked for or there
    /// is no more.
    fn read(&self, cursor: &mut Cursor, from: u64, count: u64, bundle: &mut Bundle) -> Result<(), StorageError> {
        let end = from.saturating_add(count);
        loop {
            let (segment, seq, offset) = (cursor.segment, cursor.seq, cursor.scan.offset());
            match cursor.scan.next() {
                Ok(Record::Entry(_)) if seq == end || bundle.is_full() => {
                    // Left for the next reading.
                    cursor.scan = Scan::new(File::open(Segments::path(&self.folder, segment))?, offset);
                    return Ok(());
                }
                Ok(Record::Entry(bytes)) => {
                    if seq >= from {
                        bundle.push(bytes);
                    }
                    cursor.seq += 1;
                    if seq.is_multiple_of(TILE_WIDTH) {
                        self.check_mark(seq, Mark { segment, offset })?;
                    }
                }
                Ok(Record::Signature(_)) if seq > from && bundle.is_last_signed() => {
                    return Err(damaged(segment, offset, "a second signature"));
                }
                Ok(Record::Signature(signature)) => {
                    if seq > from {
                        bundle.sign_last(signature);
                    }
                }
                Ok(Record::Trailer(trailer)) if trailer.size == seq => {
                    cursor.ended = Some(seq);
                    if seq == end {
                        return Ok(());
                    }
                }
                Ok(Record::Trailer(_)) => return Err(damaged(segment, offset, "a trailer of another size")),
                Err(NoRecord::End) => {
                    if !self.next_segment(cursor)? {
                        return Ok(());
                    }
                }
                Err(NoRecord::Storage(error)) => return Err(error),
                // What follows may be about to be written.
                Err(NoRecord::Broken(_)) if seq == end => {
                    cursor.scan = Scan::new(File::open(Segments::path(&self.folder, segment))?, offset);
                    return Ok(());
                }
                Err(NoRecord::Broken(what)) => return Err(damaged(segment, offset, what)),
            }
        }
    }

    /// A mark that was altered would let proofs fail, so reading finds it.
    fn check_mark(&self, seq: u64, found: Mark) -> Result<(), StorageError> {
        match read_mark(&self.folder, seq / TILE_WIDTH)? {
            Some(mark) if mark != found => {
                Err(StorageError::Damaged(format!("`marks` has entry {seq} in another place")))
            }
            _ => Ok(()),
        }
    }
}

fn damaged(segment: u64, offset: u64, what: &str) -> StorageError {
    let name = Segments::path(Path::new(""), segment);
    StorageError::Damaged(format!("`{}`, byte {offset}: {what}", name.display()))
}

impl Source for FileSource {
    fn head(&self) -> Result<Option<String>, StorageError> {
        head::read_in(&self.folder).map(|state| Some(state.note))
    }

    fn entries(&self, from: u64, count: u64, bundle: &mut Bundle) -> Result<(), StorageError> {
        bundle.clear(from);
        let mut kept = self.cursor.borrow_mut();
        let mut cursor = match kept.take().filter(|cursor| cursor.seq == from) {
            Some(cursor) => cursor,
            None => match self.seek(from)? {
                Some(cursor) => cursor,
                None => return Ok(()),
            },
        };
        self.read(&mut cursor, from, count, bundle)?;
        *kept = Some(cursor);
        Ok(())
    }

    fn nodes(&self, level: u8, from: u64, count: u64) -> Result<Vec<Digest>, StorageError> {
        read_nodes(&self.folder, level, from, count)
    }

    fn payload(&self, commitment: &Digest) -> Result<Option<Payload>, StorageError> {
        let path = payloads::path(&self.folder, commitment);
        let bytes = match fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
            Ok(file) if file.len() > (SALT_BYTES + PAYLOAD_BYTES_MAX) as u64 => {
                return Err(StorageError::Damaged(format!("the payload {commitment} has {} bytes", file.len())));
            }
            Ok(_) => fs::read(&path)?,
        };
        match bytes.split_first_chunk::<SALT_BYTES>() {
            Some((salt, bytes)) => Ok(Some(Payload { salt: *salt, bytes: bytes.to_owned() })),
            None => Err(StorageError::Damaged(format!("the payload {commitment} has no whole salt"))),
        }
    }

    fn payloads(&self) -> Result<u64, StorageError> {
        payloads::count(&self.folder)
    }

    /// Beside a writer, and after a crash, something may follow what the head
    /// covers, and the last segment have no header yet. In a log that was closed
    /// the head's own commit ends it.
    fn examine(&self, size: u64) -> Result<(), StorageError> {
        let state = head::read_in(&self.folder)?;
        let segments = Segments::list(&self.folder)?;
        let whole = if state.closed { segments.len() } else { segments.len().saturating_sub(1) };
        // Reading by marks passes over them.
        for first in &segments[..whole] {
            match self.begin(*first) {
                // The oldest may be trimmed meanwhile.
                Err(_) if !Segments::path(&self.folder, *first).exists() => {}
                begun => drop(begun?),
            }
        }
        if !state.closed {
            return Ok(());
        }
        // A host may have written and closed it since.
        let Some(size) = size_in(&state.note).filter(|now| *now >= size) else {
            return Err(StorageError::Damaged(format!("the checkpoint covered {size} entries, and does no more")));
        };
        positions::examine(&self.folder, size)?;
        if payloads::any_unsettled(&self.folder)? {
            return Err(StorageError::Damaged("the log was closed, and has payloads of no entry".to_owned()));
        }
        let mut end = self.seek(size.saturating_sub(1))?;
        let last = segments.last().copied();
        if let Some(cursor) = &mut end {
            let mut bundle = Bundle::default();
            bundle.clear(size - 1);
            self.read(cursor, size - 1, 2, &mut bundle)?;
            if bundle.end() != size || last != Some(cursor.segment) {
                return Err(StorageError::Damaged(format!("the log was closed with {size} entries, and more follows")));
            }
            if cursor.ended != Some(size) {
                return Err(damaged(cursor.segment, cursor.scan.offset(), "the last commit has no end"));
            }
        } else if let Some(segment) = last {
            return Err(damaged(segment, 0, "a segment of a log without entries"));
        }
        Ok(())
    }
}
