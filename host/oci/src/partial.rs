//! A blob that is on its way, in memory and in a file that outlives a cut.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};
use vak_types::Digest;

use crate::error::OciError;
use crate::image::Blob;

/// How often somebody who fetches the same looks whether the other is done.
const LOOK: Duration = Duration::from_millis(25);

/// Who has one has it alone: the file is locked.
pub(crate) struct Partial {
    blob: Blob,
    path: PathBuf,
    file: File,
    bytes: Vec<u8>,
    hash: Sha256,
    /// Whoever waits may have a new file of that name then.
    gone: bool,
}

impl Partial {
    /// Opens the file with what came before, and waits for whoever has it.
    pub(crate) async fn open(path: &Path, blob: Blob) -> Result<Self, OciError> {
        let file = loop {
            if let Some(file) = own(path)? {
                break file;
            }
            tokio::time::sleep(LOOK).await;
        };
        let path = path.to_owned();
        // Reading and hashing of many megabytes.
        let read = tokio::task::spawn_blocking(move || Self::read(blob, path, file));
        read.await.unwrap_or_else(|error| Err(io_error(Path::new(""), io::Error::other(error))))
    }

    fn read(blob: Blob, path: PathBuf, mut file: File) -> Result<Self, OciError> {
        let mut bytes = Vec::new();
        // One more than there may be, to see that there is more.
        let read = (&mut file).take(blob.size + 1).read_to_end(&mut bytes);
        read.map_err(|source| io_error(&path, source))?;
        let hash = Sha256::new_with_prefix(&bytes);
        let mut partial = Self { blob, path, file, bytes, hash, gone: false };
        if partial.len() > blob.size {
            partial.restart()?;
        }
        Ok(partial)
    }

    pub(crate) fn blob(&self) -> Blob {
        self.blob
    }

    pub(crate) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn append(&mut self, chunk: &[u8]) -> Result<(), OciError> {
        self.file.write_all(chunk).map_err(|source| io_error(&self.path, source))?;
        self.bytes.extend_from_slice(chunk);
        self.hash.update(chunk);
        Ok(())
    }

    /// Forgets what came before.
    pub(crate) fn restart(&mut self) -> Result<(), OciError> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(|source| io_error(&self.path, source))?;
        self.bytes.clear();
        self.hash = Sha256::new();
        Ok(())
    }

    /// The same, because what comes does not continue it: the next attempt begins
    /// at the start.
    pub(crate) fn start_again(&mut self) -> Result<(), OciError> {
        self.restart()?;
        let Blob { digest, size } = self.blob;
        Err(OciError::TooShort { what: digest.to_string(), expected: size, actual: 0 })
    }

    /// Whether all of it is there and is what was asked for.
    pub(crate) fn is_right(&self) -> bool {
        self.digest() == self.blob.digest
    }

    fn digest(&self) -> Digest {
        Digest::from_bytes(self.hash.clone().finalize().into())
    }

    /// The bytes, if they are what was asked for. The file is gone afterwards.
    pub(crate) fn finish(mut self) -> Result<Bytes, OciError> {
        let (expected, actual) = (self.blob.digest, self.digest());
        self.discard()?;
        match expected == actual {
            true => Ok(std::mem::take(&mut self.bytes).into()),
            false => Err(OciError::WrongDigest { what: expected.to_string(), expected, actual }),
        }
    }

    /// Removes the file; nothing in it is of use.
    pub(crate) fn discard(&mut self) -> Result<(), OciError> {
        self.gone = true;
        std::fs::remove_file(&self.path).map_err(|source| io_error(&self.path, source))
    }
}

impl Drop for Partial {
    /// Of an empty file nothing can be resumed.
    fn drop(&mut self) {
        if self.bytes.is_empty() && !self.gone {
            self.discard().unwrap_or_default();
        }
    }
}

/// Opens the file and locks it; `None` while another has it.
fn own(path: &Path) -> Result<Option<File>, OciError> {
    let plain = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let flags = i32::try_from(plain.bits()).unwrap_or_default();
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(flags);
    let not_plain = || OciError::NotPlain { path: path.to_owned(), what: "file" };
    let file = match options.open(path) {
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => return Err(not_plain()),
        file => file.map_err(|source| io_error(path, source))?,
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(source)) => return Err(io_error(path, source)),
    }
    let mine = file.metadata().map_err(|source| io_error(path, source))?;
    if !mine.is_file() {
        return Err(not_plain());
    }
    // Whoever had it before may have removed it.
    let there = std::fs::symlink_metadata(path);
    Ok(there.is_ok_and(|there| (there.dev(), there.ino()) == (mine.dev(), mine.ino())).then_some(file))
}

fn io_error(path: &Path, source: io::Error) -> OciError {
    OciError::Io { path: path.to_owned(), source }
}
