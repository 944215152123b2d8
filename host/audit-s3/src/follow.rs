//! Uploading a log while another process writes it.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use vak_audit::{
    Bundle, Checkpoint, CheckpointError, Entry, Expected, NoteError, Source, StorageError, VerifierKey, VerifyError,
    beside, open_beside_writer, trim_segments, trimmable, verify_signatures,
};

use crate::names;
use crate::pinned::Pinned;
use crate::uploader::Uploader;
use crate::{Bucket, S3Error, S3Source};

/// How often the log is looked at. Its writer is another process, which tells
/// nobody; looking costs the reading of one small file.
const POLL: Duration = Duration::from_millis(250);

/// About what an entry takes: tells when enough waits to be worth an upload.
const ENTRY_BYTES: u64 = 512;

/// A log that another process writes, and its archive.
#[derive(Debug)]
pub struct Following {
    /// The log: an SQLite file or a folder of segments.
    pub log: PathBuf,
    /// The key that signs the log now.
    pub key: VerifierKey,
    /// How many of the newest entries stay on disk at least, once the bucket has
    /// them. Of a log in segments only; all if `None`.
    pub keep_entries: Option<u64>,
}

impl Following {
    /// Uploads what is in the log and what is added, until `ended` is dropped or
    /// told to, and then, within [`Options::close_timeout`](crate::Options), the
    /// rest. Waits while another does it for the same log. `told` is called with
    /// what went wrong and is tried again.
    ///
    /// # Errors
    /// The log can't be read or is not one that the key signed, the bucket has
    /// another, or another writer moved it on.
    pub fn run(
        self,
        bucket: &Bucket,
        ended: &Receiver<()>,
        mut told: impl FnMut(&S3Error),
    ) -> Result<Checkpoint, S3Error> {
        let _lock = ArchiveLock::wait(&self.log)?;
        let source = || open_beside_writer(&self.log);
        let uploader = Uploader::start(bucket.clone(), Pinned::new(source()?))?;
        let uploads = uploader.uploads();
        let mut newest = Newest::open(&*source()?, &self.key)?;
        uploads.commit(newest.checkpoint.clone(), newest.key.clone(), 0);
        let (mut trouble, mut trimmed) = (None, 0);
        loop {
            let end = !matches!(ended.recv_timeout(POLL), Err(RecvTimeoutError::Timeout));
            let before = newest.checkpoint.size();
            if newest.advance(source()?)? {
                let bytes = (newest.checkpoint.size() - before) * ENTRY_BYTES;
                uploads.commit(newest.checkpoint.clone(), newest.key.clone(), bytes);
            }
            let flushed = if end { uploads.flush(bucket.options().close_timeout) } else { Ok(()) };
            if let Some(error) = uploads.stopped() {
                return Err(error);
            }
            let failed = std::mem::replace(&mut trouble, uploads.trouble());
            if let Some(error) = trouble.as_ref().filter(|error| failed.as_ref() != Some(*error)) {
                told(error);
            }
            if let (Some(keep), Some(uploaded)) = (self.keep_entries, uploads.uploaded())
                && uploaded > trimmed
            {
                // Tried again after the next upload.
                if let Err(error) = trim(&self.log, bucket, uploaded.saturating_sub(keep)) {
                    told(&error);
                }
                trimmed = uploaded;
            }
            if end {
                return flushed.map(|()| newest.checkpoint);
            }
        }
    }
}

/// The newest checkpoint of a log, and who signed it.
struct Newest {
    checkpoint: Checkpoint,
    key: VerifierKey,
}

impl Newest {
    fn open(source: &dyn Source, key: &VerifierKey) -> Result<Self, S3Error> {
        let note = source.head()?.ok_or(VerifyError::NoHead)?;
        Ok(Self { checkpoint: Checkpoint::open(&note, key.name(), key)?, key: key.clone() })
    }

    /// Looks for a newer one. The key may have been rotated since.
    fn advance(&mut self, source: Box<dyn Source>) -> Result<bool, S3Error> {
        let note = source.head()?.ok_or(VerifyError::NoHead)?;
        if note == **self.checkpoint.note() {
            return Ok(false);
        }
        let origin = self.checkpoint.origin();
        match Checkpoint::open(&note, origin, &self.key) {
            Ok(checkpoint) => self.checkpoint = checkpoint,
            Err(CheckpointError::Note(NoteError::Unsigned { .. })) => {
                let range = Some(self.checkpoint.size()..u64::MAX);
                let expected = Expected { origin, key: &self.key, trusted: None, witnesses: None, range };
                let report = verify_signatures(&Pinned::at(source, note), &expected, |_, _| ())?;
                self.key = report.key;
                self.checkpoint = report.checkpoint;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(true)
    }
}

/// Removes segments from disk. That the bucket says how far it is does not
/// count, nor that it said so when they were put: they are read back first, and
/// compared with what is about to go.
fn trim(log: &Path, bucket: &Bucket, below: u64) -> Result<(), S3Error> {
    let range = trimmable(log, below)?;
    if range.is_empty() {
        return Ok(());
    }
    let (here, there) = (open_beside_writer(log)?, S3Source::open(bucket.clone())?);
    let (mut one, mut other) = (Bundle::default(), Bundle::default());
    let mut next = range.start;
    while next < range.end {
        here.entries(next, range.end - next, &mut one)?;
        there.entries(next, one.len() as u64, &mut other)?;
        if one.is_empty() || other.is_empty() {
            return Err(VerifyError::Missing { seq: next, size: range.end }.into());
        }
        for (kept, put) in one.signed().zip(other.signed()) {
            if kept != put || !are_payloads_there(kept.0, kept.1, &*here, &there)? {
                return Err(S3Error::damaged(names::SEGMENTS, format!("entry {next} is not there as it is on disk")));
            }
            next += 1;
        }
    }
    trim_segments(log, range.end)?;
    Ok(())
}

fn are_payloads_there(seq: u64, entry: &[u8], here: &dyn Source, there: &dyn Source) -> Result<bool, S3Error> {
    let entry = Entry::decode(entry).map_err(|error| VerifyError::Entry { seq, source: error.into() })?;
    for commitment in entry.body.commitments() {
        if here.payload(&commitment.digest)? != there.payload(&commitment.digest)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Keeps the uploading of a log to one process.
#[derive(Debug)]
pub struct ArchiveLock {
    _file: File,
}

impl ArchiveLock {
    /// Takes it, or waits for it: an earlier host's upload may not be done yet.
    fn wait(log: &Path) -> Result<Self, S3Error> {
        let file = Self::file(log)?;
        file.lock().map_err(StorageError::from)?;
        Ok(Self { _file: file })
    }

    /// Takes it for the log at `log`.
    ///
    /// # Errors
    /// Another process uploads it.
    pub fn try_take(log: &Path) -> Result<Self, S3Error> {
        let file = Self::file(log)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::Error(error)) => Err(StorageError::from(error).into()),
            Err(TryLockError::WouldBlock) => {
                let log = log.display();
                Err(S3Error::Configuration(format!("another process archives `{log}` already; let it, or stop it")))
            }
        }
    }

    fn file(log: &Path) -> Result<File, S3Error> {
        let mut file = OpenOptions::new();
        file.write(true).create(true).truncate(false).mode(0o600);
        Ok(file.open(beside(log, ".archive.lock")).map_err(StorageError::from)?)
    }
}
