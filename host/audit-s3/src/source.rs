//! Reading a log in a bucket.

mod examine;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use vak_audit::{Bundle, Payload, SALT_BYTES, Source, StorageError, tile_path};
use vak_types::Digest;

use crate::client::Object;
use crate::layout::Layout;
use crate::names::{self, CHECKPOINT, CHECKPOINTS, PAYLOADS, SEGMENTS, Span};
use crate::{Bucket, S3Error, segment};

/// Segments that are held unpacked: the one that is read, and those with the
/// log's last entries, which every proof needs.
const SEGMENTS_HELD: usize = 4;

/// Tiles that are held: 8 KiB each, one for every level and some to spare.
const TILES_HELD: usize = 16;

/// Hashes in a full tile.
const TILE_WIDTH: u64 = 256;

/// Reads a log in a bucket: entries from its segments, subtrees from its tiles.
#[derive(Debug)]
pub struct S3Source {
    bucket: Bucket,
    /// The size in the checkpoint that was read last.
    size: Cell<u64>,
    layout: RefCell<Layout>,
    segments: RefCell<VecDeque<Arc<Bundle>>>,
    tiles: RefCell<VecDeque<(String, Arc<Vec<Digest>>)>>,
    kept: RefCell<Option<Kept>>,
}

/// Entries of one range that are kept when they are read, so that what is given
/// is what was verified and not what the server answers the next time.
#[derive(Debug)]
struct Kept {
    range: Range<u64>,
    entries: BTreeMap<u64, Vec<u8>>,
}

impl S3Source {
    /// Opens the log in `bucket`.
    ///
    /// # Errors
    /// There is none, or it can't be read.
    pub fn open(bucket: Bucket) -> Result<Self, S3Error> {
        let source = Self {
            bucket,
            size: Cell::new(0),
            layout: RefCell::default(),
            segments: RefCell::default(),
            tiles: RefCell::default(),
            kept: RefCell::default(),
        };
        match source.read_head()? {
            Some(_) => Ok(source),
            None => Err(S3Error::damaged(CHECKPOINT, "it is not there: no log was uploaded, or it was removed")),
        }
    }

    pub(crate) fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// Keeps the entries of `range` from here on as they are read first.
    pub(crate) fn keep(&self, range: Range<u64>) {
        *self.kept.borrow_mut() = Some(Kept { range, entries: BTreeMap::new() });
    }

    /// Those that were kept. No more are.
    pub(crate) fn kept(&self) -> BTreeMap<u64, Vec<u8>> {
        self.kept.borrow_mut().take().map(|kept| kept.entries).unwrap_or_default()
    }

    fn get(&self, name: String) -> Result<Option<Object>, S3Error> {
        self.bucket.run(|client| async move { client.get(&name).await })
    }

    fn list(&self, folder: &'static str) -> Result<Vec<String>, S3Error> {
        self.bucket.run(move |client| async move { client.list(folder, None).await })
    }

    fn read_head(&self) -> Result<Option<String>, S3Error> {
        let Some(object) = self.get(CHECKPOINT.to_owned())? else { return Ok(None) };
        let damaged = |what: &str| S3Error::damaged(CHECKPOINT, what);
        let note = String::from_utf8(object.bytes).map_err(|_| damaged("it is no text"))?;
        let size = note.lines().nth(1).and_then(|size| size.parse().ok());
        self.size.set(size.ok_or_else(|| damaged("it has no size"))?);
        Ok(Some(note))
    }

    /// Looks at which segments there are, unless they are known to reach `seq`.
    pub(crate) fn locate(&self, seq: u64) -> Result<(), S3Error> {
        if self.layout.borrow().end() > seq || self.size.get() <= seq {
            return Ok(());
        }
        let (segments, checkpoints) = (self.list(SEGMENTS)?, self.list(CHECKPOINTS)?);
        *self.layout.borrow_mut() = Layout::of(&segments, &checkpoints, self.size.get());
        Ok(())
    }

    pub(crate) fn layout(&self) -> std::cell::Ref<'_, Layout> {
        self.layout.borrow()
    }

    /// The size in the checkpoint that was read last.
    pub(crate) fn size(&self) -> u64 {
        self.size.get()
    }

    fn segment(&self, seq: u64) -> Result<Option<Arc<Bundle>>, S3Error> {
        let held = self.segments.borrow();
        if let Some(bundle) = held.iter().find(|bundle| (bundle.first()..bundle.end()).contains(&seq)) {
            return Ok(Some(Arc::clone(bundle)));
        }
        drop(held);
        self.locate(seq)?;
        let Some(span) = self.layout.borrow().segment(seq) else { return Ok(None) };
        let bundle = Arc::new(self.read_segment(span)?);
        hold(&self.segments, SEGMENTS_HELD, Arc::clone(&bundle));
        Ok(Some(bundle))
    }

    fn read_segment(&self, span: Span) -> Result<Bundle, S3Error> {
        let name = span.segment();
        let object = self.get(name.clone())?.ok_or_else(|| S3Error::damaged(&name, "it is gone"))?;
        let bundle = segment::unpack(&object.bytes).map_err(|what| S3Error::damaged(&name, what))?;
        if bundle.first() != span.first || bundle.end() != span.last + 1 {
            return Err(S3Error::damaged(&name, "it has other entries than its name says"));
        }
        Ok(bundle)
    }

    /// The hashes of a tile; `None` when the log has none or the object is gone.
    fn tile(&self, level: u8, number: u64) -> Result<Option<Arc<Vec<Digest>>>, S3Error> {
        let count = self.size.get().checked_shr(8 * u32::from(level)).unwrap_or(0);
        let width = count.saturating_sub(number.saturating_mul(TILE_WIDTH)).min(TILE_WIDTH);
        if width == 0 {
            return Ok(None);
        }
        let name = tile_path(Some(level), number, width);
        if let Some((_, hashes)) = self.tiles.borrow().iter().find(|(held, _)| *held == name) {
            return Ok(Some(Arc::clone(hashes)));
        }
        let Some(object) = self.get(name.clone())? else { return Ok(None) };
        let (hashes, []) = object.bytes.as_chunks::<32>() else {
            return Err(S3Error::damaged(&name, "it is cut off"));
        };
        if hashes.len() as u64 != width {
            return Err(S3Error::damaged(&name, "it has another width than its name says"));
        }
        let hashes = Arc::new(hashes.iter().copied().map(Digest::from_bytes).collect::<Vec<_>>());
        hold(&self.tiles, TILES_HELD, (name, Arc::clone(&hashes)));
        Ok(Some(hashes))
    }
}

fn hold<T>(held: &RefCell<VecDeque<T>>, most: usize, new: T) {
    let mut held = held.borrow_mut();
    held.truncate(most - 1);
    held.push_front(new);
}

impl Source for S3Source {
    fn head(&self) -> Result<Option<String>, StorageError> {
        Ok(self.read_head()?)
    }

    fn entries(&self, from: u64, count: u64, bundle: &mut Bundle) -> Result<(), StorageError> {
        bundle.clear(from);
        let end = from.saturating_add(count);
        while bundle.end() < end && !bundle.is_full() {
            let next = bundle.end();
            let Some(segment) = self.segment(next)? else { break };
            let wanted = segment.signed().skip_while(|(seq, ..)| *seq < next).take_while(|(seq, ..)| *seq < end);
            for (_, entry, signature) in wanted {
                if bundle.is_full() {
                    break;
                }
                bundle.push(entry);
                if let Some(signature) = signature {
                    bundle.sign_last(*signature);
                }
            }
        }
        if let Some(Kept { range, entries }) = &mut *self.kept.borrow_mut() {
            for (seq, entry, _) in bundle.signed().filter(|(seq, ..)| range.contains(seq)) {
                entries.entry(seq).or_insert_with(|| entry.to_owned());
            }
        }
        Ok(())
    }

    fn nodes(&self, level: u8, from: u64, count: u64) -> Result<Vec<Digest>, StorageError> {
        let mut nodes = Vec::new();
        while (nodes.len() as u64) < count {
            let next = from + nodes.len() as u64;
            let Some(hashes) = self.tile(level, next / TILE_WIDTH)? else { break };
            let skip = usize::try_from(next % TILE_WIDTH).unwrap_or(usize::MAX);
            let missing = usize::try_from(count - nodes.len() as u64).unwrap_or(usize::MAX);
            let before = nodes.len();
            nodes.extend(hashes.iter().skip(skip).take(missing));
            if nodes.len() == before {
                break;
            }
        }
        Ok(nodes)
    }

    fn payload(&self, commitment: &Digest) -> Result<Option<Payload>, StorageError> {
        let name = names::payload(commitment);
        let Some(object) = self.get(name.clone())? else { return Ok(None) };
        match object.bytes.split_first_chunk::<SALT_BYTES>() {
            Some((salt, bytes)) => Ok(Some(Payload { salt: *salt, bytes: bytes.to_owned() })),
            None => Err(S3Error::damaged(&name, "it has no whole salt").into()),
        }
    }

    fn payloads(&self) -> Result<u64, StorageError> {
        Ok(self.list(PAYLOADS)?.len() as u64)
    }

    /// Tiles, times, copies of checkpoints, and that no object was put over
    /// another.
    fn examine(&self, size: u64) -> Result<(), StorageError> {
        Ok(examine::examine(self, size)?)
    }
}
