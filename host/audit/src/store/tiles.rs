//! A log in a folder of tiles, as
//! [C2SP tlog-tiles](https://c2sp.org/tlog-tiles) lays them out: what any web
//! server can offer to those who want to check the log.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use vak_types::Digest;

use super::{Source, StorageError};
use crate::bundle::Bundle;
use crate::checkpoint::size_in;
use crate::merkle::TILE_WIDTH;
use crate::payload::Payload;
use crate::tree::Tree;

const CHECKPOINT: &str = "checkpoint";

/// A checkpoint with all the signatures it may have is shorter by far.
const CHECKPOINT_BYTES_MAX: u64 = 64 << 10;

/// A tile of entries at their longest: 16 MiB.
const TILE_BYTES_MAX: u64 = TILE_WIDTH * 65_537;

/// The path of a tile under the log's prefix. `level` is `None` for a bundle of
/// entries, `width` the number of hashes or entries in it.
pub fn tile_path(level: Option<u8>, number: u64, width: u64) -> String {
    let mut path = match level {
        None => "tile/entries".to_owned(),
        Some(level) => format!("tile/{level}"),
    };
    let digits = format!("{number:03}");
    let padded = format!("{digits:0>width$}", width = digits.len().div_ceil(3) * 3);
    let (groups, _) = padded.as_bytes().as_chunks::<3>();
    for (index, group) in groups.iter().enumerate() {
        path.push('/');
        if index + 1 < groups.len() {
            path.push('x');
        }
        path.extend(group.iter().map(|digit| char::from(*digit)));
    }
    if width < TILE_WIDTH {
        path.push_str(&format!(".p/{width}"));
    }
    path
}

/// Writes a log's newest checkpoint and the entries and hashes that it covers
/// to `folder`. Files that are there already and complete are left as they are,
/// so that doing it again adds what is new. The checkpoint comes last.
///
/// Payloads beside the entries are not part of it.
///
/// # Errors
/// The log can't be read or the folder not be written.
pub fn export_tiles(
    source: &dyn Source,
    folder: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<(), StorageError> {
    let note = source.head()?.ok_or_else(|| StorageError::Damaged("the log has no checkpoint".to_owned()))?;
    let size = size_in(&note).ok_or_else(|| StorageError::Damaged("the checkpoint has no size".to_owned()))?;
    let tree = Tree::new(source, size);
    let mut bundle = Bundle::default();
    for number in 0..size.div_ceil(TILE_WIDTH) {
        let first = number * TILE_WIDTH;
        let width = (size - first).min(TILE_WIDTH);
        let path = folder.join(tile_path(None, number, width));
        if !path.exists() {
            let mut bytes = Vec::new();
            let mut next = first;
            while next < first + width {
                source.entries(next, first + width - next, &mut bundle)?;
                if bundle.is_empty() {
                    return Err(StorageError::Damaged(format!("entry {next} is missing")));
                }
                for entry in bundle.iter() {
                    let length = u16::try_from(entry.len());
                    let length =
                        length.map_err(|_| StorageError::Damaged(format!("an entry after {next} is too long")))?;
                    bytes.extend_from_slice(&length.to_be_bytes());
                    bytes.extend_from_slice(entry);
                }
                next = bundle.end();
            }
            write(&path, &bytes)?;
        }
        progress(first + width, size);
    }
    for level in 0..8 {
        let count = size >> (8 * u32::from(level));
        for number in 0..count.div_ceil(TILE_WIDTH) {
            let width = (count - number * TILE_WIDTH).min(TILE_WIDTH);
            let path = folder.join(tile_path(Some(level), number, width));
            if !path.exists() {
                let hashes = tree.tile(level, number)?;
                write(&path, &hashes.iter().flat_map(|hash| *hash.as_bytes()).collect::<Vec<_>>())?;
            }
        }
    }
    write(&folder.join(CHECKPOINT), note.as_bytes())
}

/// Reads a file of up to `bytes_max`, however long it says it is.
fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, StorageError> {
    let mut bytes = Vec::new();
    File::open(path)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 <= bytes_max {
        true => Ok(bytes),
        false => Err(StorageError::Damaged(format!("`{}` has more than {bytes_max} bytes", path.display()))),
    }
}

/// Writes a file under its name once it is whole.
fn write(path: &Path, bytes: &[u8]) -> Result<(), StorageError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let unfinished = super::lock::beside(path, ".new");
    fs::write(&unfinished, bytes)?;
    Ok(fs::rename(unfinished, path)?)
}

/// Reads a folder of tiles.
#[derive(Debug)]
pub(crate) struct TileSource {
    folder: PathBuf,
    /// Of the checkpoint, as it was when the folder was opened.
    note: String,
    size: u64,
}

impl TileSource {
    pub(crate) fn open(folder: &Path) -> Result<Self, StorageError> {
        let path = folder.join(CHECKPOINT);
        let note = String::from_utf8(read(&path, CHECKPOINT_BYTES_MAX)?);
        let note = note.map_err(|_| StorageError::Damaged(format!("`{}` is no text", path.display())))?;
        Ok(Self { folder: folder.to_owned(), size: size_in(&note).unwrap_or(0), note })
    }

    /// A tile and how many hashes or entries it should have: the full one, or
    /// the partial one of the checkpoint's size.
    fn tile(&self, level: Option<u8>, number: u64) -> Result<Option<(Vec<u8>, u64)>, StorageError> {
        let count = self.size >> (8 * u32::from(level.unwrap_or(0)));
        let width = count.saturating_sub(number.saturating_mul(TILE_WIDTH)).min(TILE_WIDTH);
        if width == 0 {
            return Ok(None);
        }
        let path = self.folder.join(tile_path(level, number, width));
        match path.exists() {
            true => Ok(Some((read(&path, TILE_BYTES_MAX)?, width))),
            false => Ok(None),
        }
    }
}

impl Source for TileSource {
    fn head(&self) -> Result<Option<String>, StorageError> {
        Ok(Some(self.note.clone()))
    }

    fn entries(&self, from: u64, count: u64, bundle: &mut Bundle) -> Result<(), StorageError> {
        bundle.clear(from);
        let number = from / TILE_WIDTH;
        let Some((bytes, width)) = self.tile(None, number)? else { return Ok(()) };
        let mut rest = &bytes[..];
        for seq in number * TILE_WIDTH..number * TILE_WIDTH + width {
            let cut = || StorageError::Damaged(format!("the bundle of entry {seq} is cut off"));
            let (length, after) = rest.split_first_chunk().ok_or_else(cut)?;
            let (entry, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or_else(cut)?;
            if (from..from.saturating_add(count)).contains(&seq) {
                bundle.push(entry);
            }
            rest = after;
        }
        match rest.is_empty() {
            true => Ok(()),
            false => Err(StorageError::Damaged(format!("more than {width} entries are in bundle {number}"))),
        }
    }

    fn nodes(&self, level: u8, from: u64, count: u64) -> Result<Vec<Digest>, StorageError> {
        let mut nodes = Vec::new();
        for number in from / TILE_WIDTH..=from.saturating_add(count.saturating_sub(1)) / TILE_WIDTH {
            let Some((bytes, width)) = self.tile(Some(level), number)? else { break };
            if bytes.len() as u64 != width * 32 {
                return Err(StorageError::Damaged(format!("tile {number} of level {level} has not {width} hashes")));
            }
            nodes.extend(bytes.as_chunks::<32>().0.iter().copied().map(Digest::from_bytes));
        }
        let skip = usize::try_from(from % TILE_WIDTH).unwrap_or(usize::MAX);
        Ok(nodes.into_iter().skip(skip).take(usize::try_from(count).unwrap_or(usize::MAX)).collect())
    }

    fn payload(&self, _: &Digest) -> Result<Option<Payload>, StorageError> {
        Ok(None)
    }

    fn payloads(&self) -> Result<u64, StorageError> {
        Ok(0)
    }

    fn keeps_all(&self) -> bool {
        false
    }

    /// The tiles of the lowest level: entries say the same.
    fn examine(&self, size: u64) -> Result<(), StorageError> {
        let tree = Tree::new(self, size);
        for number in 0..size.div_ceil(TILE_WIDTH) {
            let expected: Vec<u8> = tree.tile(0, number)?.iter().flat_map(|hash| *hash.as_bytes()).collect();
            if self.tile(Some(0), number)?.map(|(bytes, _)| bytes).as_ref() != Some(&expected) {
                return Err(StorageError::Damaged(format!("tile {number} of level 0 is not that of its entries")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of C2SP tlog-tiles.
    #[test]
    fn tiles_have_the_names_that_are_specified() {
        assert_eq!(tile_path(Some(0), 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(tile_path(Some(1), 0, 17), "tile/1/000.p/17");
        assert_eq!(tile_path(None, 273, 112), "tile/entries/273.p/112");
        assert_eq!(tile_path(None, 1_000, 256), "tile/entries/x001/000");
    }
}
