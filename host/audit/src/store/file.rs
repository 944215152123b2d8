//! A log in a folder of append-only segments.
//!
//! Segments hold entries in frames with a checksum each, and end every commit
//! with a signed trailer. Which commit is the newest stands in a file of its
//! own, `head`, written after the segment is on disk: the trailers tell how far
//! a crash got, the head how far the log was, and a segment that ends before
//! the head's size was cut. Trailers are signed as trailers: none of them can be
//! put in the head's place.
//!
//! The oldest segments may be removed once their entries are archived.
//!
//! Where each 256th entry stands (`marks`) and the hashes over them (`nodes.*`)
//! can be had from the segments at any time. They are synced when a segment is
//! full and when the log is closed, and made anew after a crash.

mod head;
mod payloads;
mod positions;
mod record;
mod recover;
mod source;
mod trim;

use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use head::Head;
use positions::{Mark, Positions, Segments};
use record::Frames;
pub use source::FileSource;
pub use trim::{trim_segments, trimmable};

use super::lock::{self, sync_folder_of};
use super::{Batch, Opener, Recovery, StorageError, Store};
use crate::merkle::TILE_WIDTH;
use crate::{Checkpoint, Origin, Signer};

/// A segment that has this many bytes gets no more commits: 64 MiB, which are
/// read again in a tenth of a second after a crash.
const SEGMENT_BYTES: u64 = 64 << 20;

/// A log in a folder, which only this user may read. Held by a lock beside it.
#[derive(Debug)]
pub struct FileStore {
    folder: PathBuf,
    segment_bytes: u64,
    /// `None` until there is a log and what a crash left is cleared up.
    writer: Option<Writer>,
    /// Held as long as this writes.
    _lock: File,
}

/// The ends of the files.
#[derive(Debug)]
struct Writer {
    head: Head,
    /// The segment that is written, and how long it is; `None` when the next
    /// commit has to begin one.
    segment: Option<(File, Mark)>,
    positions: Positions,
    frames: Frames,
    /// Whether the head says that somebody is writing.
    begun: bool,
}

impl FileStore {
    /// Takes the folder at `path` for writing; it may not be there yet. The
    /// folder it is in has to be.
    ///
    /// # Errors
    /// Another writer has it, or it can't be opened.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        Self::with_segments(path, SEGMENT_BYTES)
    }

    /// The same, with another length of segments, to let a test fill them.
    #[doc(hidden)]
    pub fn with_segments(path: &Path, segment_bytes: u64) -> Result<Self, StorageError> {
        let folder = lock::resolve(path)?;
        let lock = lock::lock(&folder)?;
        Ok(Self { folder, segment_bytes, writer: None, _lock: lock })
    }
}

impl Store for FileStore {
    fn place(&self) -> String {
        self.folder.display().to_string()
    }

    fn is_new(&self) -> bool {
        !self.folder.exists()
    }

    /// The folder takes its name once it is whole, so that an empty one is
    /// never the leftover of a start that was cut short.
    fn start(&mut self, checkpoint: &Checkpoint) -> Result<(), StorageError> {
        let unfinished = lock::beside(&self.folder, ".new");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)?;
        }
        fs::DirBuilder::new().mode(0o700).create(&unfinished)?;
        fs::DirBuilder::new().mode(0o700).create(unfinished.join(payloads::PAYLOADS))?;
        Positions::open(&unfinished, 0)?;
        Head::create(&unfinished)?.write(checkpoint, true)?;
        File::open(&unfinished)?.sync_all()?;
        fs::rename(&unfinished, &self.folder)?;
        sync_folder_of(&self.folder)
    }

    fn recover(&mut self, origin: &Origin, signer: &Signer) -> Result<Option<Recovery>, StorageError> {
        let head = Head::open(&self.folder)?;
        let recovered = recover::recover(&self.folder, &head, origin, signer)?;
        let positions = Positions::open(&self.folder, recovered.size)?;
        self.writer =
            Some(Writer { head, segment: recovered.segment, positions, frames: Frames::default(), begun: false });
        Ok(recovered.recovery)
    }

    fn commit(&mut self, batch: &Batch<'_>) -> Result<(), StorageError> {
        let writer = self.writer.as_mut().ok_or_else(|| StorageError::Missing { path: self.folder.clone() })?;
        if !writer.begun {
            // Before the first byte that a crash may leave half written.
            writer.head.set_closed(false)?;
            writer.begun = true;
        }
        payloads::keep(&self.folder, batch.payloads)?;
        if writer.segment.as_ref().is_some_and(|(_, end)| end.offset >= self.segment_bytes) {
            writer.segment = None;
            writer.positions.sync()?;
            payloads::sync(&self.folder)?;
        }
        writer.frames.clear();
        let (segment, begins, new) = match &mut writer.segment {
            Some((file, end)) => (file, end, false),
            none => {
                let first = batch.entries.first();
                let file = Segments::create(&self.folder, first)?;
                writer.frames.header(first);
                let (file, end) = none.insert((file, Mark { segment: first, offset: 0 }));
                (file, end, true)
            }
        };
        for (seq, entry, signature) in batch.entries.signed() {
            if seq.is_multiple_of(TILE_WIDTH) {
                writer.positions.mark(Mark { offset: begins.offset + writer.frames.len(), ..*begins });
            }
            writer.frames.entry(entry, signature);
        }
        writer.frames.trailer(batch.checkpoint, batch.signer);
        segment.write_all_at(writer.frames.bytes(), begins.offset)?;
        segment.sync_data()?;
        begins.offset += writer.frames.len();
        if new {
            File::open(&self.folder)?.sync_all()?;
        }
        writer.positions.write(batch.nodes)?;
        payloads::settle(&self.folder, batch.payloads)?;
        payloads::erase(&self.folder, batch.erased)?;
        // Last: whatever the head covers can be found and read.
        writer.head.write(batch.checkpoint, false)
    }

    fn close(&mut self) -> Result<(), StorageError> {
        let Some(mut writer) = self.writer.take() else { return Ok(()) };
        writer.positions.sync()?;
        payloads::sync(&self.folder)?;
        writer.head.set_closed(true)
    }

    fn opener(&self) -> Opener {
        let folder = self.folder.clone();
        Arc::new(move || Ok(Box::new(FileSource::open(&folder)?)))
    }
}
