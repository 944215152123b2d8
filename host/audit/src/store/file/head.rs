//! The file that says how far the log is.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use crate::Checkpoint;
use crate::store::StorageError;
use crate::store::lock::MODE;

/// The file's name and its length: one write, in one page, whatever the note.
const NAME: &str = "head";
const BLOCK_BYTES: usize = 2_048;

/// Closed or not, the note's length, and a CRC-32C at the end.
const PREFIX_BYTES: usize = 3;
const CRC_BYTES: usize = 4;

/// Readers see a block that is being written, now and then.
const READ_TRIES: usize = 100;

/// `head`: whether the log was closed, and its newest checkpoint.
#[derive(Debug)]
pub(super) struct Head {
    file: File,
    block: [u8; BLOCK_BYTES],
}

/// What the head says.
#[derive(Debug)]
pub(super) struct State {
    pub(super) closed: bool,
    pub(super) note: String,
}

impl Head {
    pub(super) fn create(folder: &Path) -> Result<Self, StorageError> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(MODE).open(folder.join(NAME))?;
        Ok(Self { file, block: [0; BLOCK_BYTES] })
    }

    pub(super) fn open(folder: &Path) -> Result<Self, StorageError> {
        let file = OpenOptions::new().read(true).write(true).open(folder.join(NAME))?;
        Ok(Self { file, block: [0; BLOCK_BYTES] })
    }

    pub(super) fn read(&self) -> Result<State, StorageError> {
        read(&self.file)
    }

    /// Replaces the head. Does not wait for the disk, but for `closed`.
    pub(super) fn write(&mut self, checkpoint: &Checkpoint, closed: bool) -> Result<(), StorageError> {
        let note = checkpoint.note().as_bytes();
        let room = BLOCK_BYTES - PREFIX_BYTES - CRC_BYTES;
        let length = u16::try_from(note.len()).ok().filter(|length| usize::from(*length) <= room);
        let length = length.ok_or_else(|| StorageError::Other(format!("a checkpoint of {} bytes", note.len())))?;
        self.block.fill(0);
        self.block[0] = u8::from(closed);
        self.block[1..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
        self.block[PREFIX_BYTES..PREFIX_BYTES + note.len()].copy_from_slice(note);
        self.seal()?;
        if closed { Ok(self.file.sync_all()?) } else { Ok(()) }
    }

    /// Says whether the log is closed with the checkpoint that stands there.
    /// Durable when it returns.
    pub(super) fn set_closed(&mut self, closed: bool) -> Result<(), StorageError> {
        self.file.read_exact_at(&mut self.block, 0)?;
        self.block[0] = u8::from(closed);
        self.seal()?;
        Ok(self.file.sync_all()?)
    }

    fn seal(&mut self) -> Result<(), StorageError> {
        let end = BLOCK_BYTES - CRC_BYTES;
        let crc = crc32c::crc32c(&self.block[..end]);
        self.block[end..].copy_from_slice(&crc.to_be_bytes());
        Ok(self.file.write_all_at(&self.block, 0)?)
    }
}

/// What the head in `folder` says, beside a writer or without one.
pub(super) fn read_in(folder: &Path) -> Result<State, StorageError> {
    let file = File::open(folder.join(NAME))?;
    let mut last = read(&file);
    for _ in 0..READ_TRIES {
        if last.is_ok() {
            break;
        }
        std::thread::yield_now();
        last = read(&file);
    }
    last
}

fn read(file: &File) -> Result<State, StorageError> {
    let damaged = |what: &str| StorageError::Damaged(format!("`head`: {what}"));
    if file.metadata()?.len() != BLOCK_BYTES as u64 {
        return Err(damaged("it has another length than it was made with"));
    }
    let mut block = [0; BLOCK_BYTES];
    file.read_exact_at(&mut block, 0)?;
    let (content, crc) = block.split_at(BLOCK_BYTES - CRC_BYTES);
    if crc32c::crc32c(content).to_be_bytes() != crc {
        return Err(damaged("its checksum does not fit"));
    }
    let closed = match content[0] {
        0 => false,
        1 => true,
        _ => return Err(damaged("its first byte is neither 0 nor 1")),
    };
    let length = usize::from(u16::from_be_bytes([content[1], content[2]]));
    let note = content.get(PREFIX_BYTES..PREFIX_BYTES + length).map(<[u8]>::to_vec);
    let note =
        note.and_then(|note| String::from_utf8(note).ok()).ok_or_else(|| damaged("its checkpoint is no text"))?;
    Ok(State { closed, note })
}
