//! Where entries stand, and the subtrees over them.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use vak_types::Digest;

use crate::merkle::{TILE_HEIGHT, TILE_WIDTH};
use crate::store::lock::MODE;
use crate::store::{Node, StorageError};

const MARKS: &str = "marks";
const SEGMENT_SUFFIX: &str = ".log";

/// Levels of subtrees that have a file: enough for 2^48 entries.
const LEVELS: u8 = 5;

const MARK_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// Where an entry stands: the first entry of its segment, which names that, and
/// the place of its record there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) segment: u64,
    pub(super) offset: u64,
}

/// The files beside the segments, as they are written.
#[derive(Debug)]
pub(super) struct Positions {
    marks: File,
    /// One for each level from 1 on.
    nodes: Vec<File>,
    /// Marks that are not yet written.
    pending: Vec<u8>,
}

impl Positions {
    /// Opens the files at their ends in a log of `size` entries. What is
    /// missing at the end has to be written next; what is beyond is cut.
    pub(super) fn open(folder: &Path, size: u64) -> Result<Self, StorageError> {
        let open = |name: String, bytes: u64| -> Result<File, StorageError> {
            let mut file =
                OpenOptions::new().read(true).append(true).create(true).mode(MODE).open(folder.join(name))?;
            if file.metadata()?.len() > bytes {
                file.set_len(bytes)?;
            }
            file.flush()?;
            Ok(file)
        };
        let marks = open(MARKS.to_owned(), size.div_ceil(TILE_WIDTH) * MARK_BYTES as u64)?;
        let node = |level: u8| open(nodes_name(level), nodes_at(level, size) * HASH_BYTES as u64);
        let nodes = (1..=LEVELS).map(node).collect::<Result<_, _>>()?;
        Ok(Self { marks, nodes, pending: Vec::new() })
    }

    /// Notes where the next 256th entry stands.
    pub(super) fn mark(&mut self, mark: Mark) {
        self.pending.extend_from_slice(&mark.segment.to_be_bytes());
        self.pending.extend_from_slice(&mark.offset.to_be_bytes());
    }

    /// Writes the marks that were noted, and some subtrees.
    pub(super) fn write(&mut self, nodes: &[Node]) -> Result<(), StorageError> {
        if !self.pending.is_empty() {
            self.marks.write_all(&self.pending)?;
            self.pending.clear();
        }
        for node in nodes {
            if let Some(mut file) = self.nodes.get(usize::from(node.level) - 1) {
                file.write_all(node.hash.as_bytes())?;
            }
        }
        Ok(())
    }

    pub(super) fn sync(&self) -> Result<(), StorageError> {
        self.marks.sync_all()?;
        for file in &self.nodes {
            file.sync_all()?;
        }
        Ok(())
    }
}

/// How many subtrees of `level` a log of `size` entries has.
fn nodes_at(level: u8, size: u64) -> u64 {
    size >> (u32::from(level) * TILE_HEIGHT)
}

fn nodes_name(level: u8) -> String {
    format!("nodes.{level}")
}

/// Where the `number`th group of 256 entries begins.
pub(super) fn read_mark(folder: &Path, number: u64) -> Result<Option<Mark>, StorageError> {
    let bytes = read_records::<MARK_BYTES>(&folder.join(MARKS), number, 1)?;
    Ok(bytes.first().map(|bytes| {
        let (segment, offset) = bytes.split_at(8);
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        Mark { segment: number(segment), offset: number(offset) }
    }))
}

pub(super) fn read_nodes(folder: &Path, level: u8, from: u64, count: u64) -> Result<Vec<Digest>, StorageError> {
    if level > LEVELS {
        return Ok(Vec::new());
    }
    let records = read_records::<HASH_BYTES>(&folder.join(nodes_name(level)), from, count)?;
    Ok(records.into_iter().map(Digest::from_bytes).collect())
}

/// Checks that the files are as long as they are in a log of `size` entries.
pub(super) fn examine(folder: &Path, size: u64) -> Result<(), StorageError> {
    let check = |name: String, expected: u64| match fs::metadata(folder.join(&name))?.len() {
        found if found == expected => Ok(()),
        found => Err(StorageError::Damaged(format!(
            "`{name}` has {found} bytes, and a log of {size} entries has {expected}"
        ))),
    };
    check(MARKS.to_owned(), size.div_ceil(TILE_WIDTH) * MARK_BYTES as u64)?;
    (1..=LEVELS).try_for_each(|level| check(nodes_name(level), nodes_at(level, size) * HASH_BYTES as u64))
}

/// Up to `count` whole records of `N` bytes, from number `from` on.
fn read_records<const N: usize>(path: &Path, from: u64, count: u64) -> Result<Vec<[u8; N]>, StorageError> {
    let file = File::open(path)?;
    let there = (file.metadata()?.len() / N as u64).saturating_sub(from).min(count);
    let mut bytes = vec![0; usize::try_from(there).unwrap_or(0) * N];
    file.read_exact_at(&mut bytes, from * N as u64)?;
    Ok(bytes.as_chunks::<N>().0.to_vec())
}

/// The names of the segments.
pub(super) struct Segments;

impl Segments {
    pub(super) fn path(folder: &Path, first: u64) -> PathBuf {
        folder.join(format!("{first:020}{SEGMENT_SUFFIX}"))
    }

    pub(super) fn create(folder: &Path, first: u64) -> Result<File, StorageError> {
        let path = Self::path(folder, first);
        Ok(OpenOptions::new().read(true).write(true).create_new(true).mode(MODE).open(path)?)
    }

    /// The first entries of the segments in `folder`, in order.
    pub(super) fn list(folder: &Path) -> Result<Vec<u64>, StorageError> {
        let mut segments = Vec::new();
        for file in fs::read_dir(folder)? {
            let name = file?.file_name();
            let first = name.to_str().and_then(|name| name.strip_suffix(SEGMENT_SUFFIX)?.parse().ok());
            segments.extend(first.filter(|first| Self::path(folder, *first).file_name() == Some(&name)));
        }
        segments.sort_unstable();
        Ok(segments)
    }
}
