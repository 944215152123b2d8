//! Uploading a log while another process writes it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use vak_audit::{
    Checkpoint, CheckpointError, Expected, NoteError, Source, StorageError, VerifierKey, VerifyError,
    open_beside_writer, trim_segments, verify_signatures,
};

use crate::pinned::Pinned;
use crate::uploader::Uploader;
use crate::{Bucket, S3Error};

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
    /// A key of the log.
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
        let _lock = lock(&self.log)?;
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
                trim_segments(&self.log, uploaded.saturating_sub(keep))?;
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

/// Held while the log is uploaded: an earlier host's upload may not be done yet.
fn lock(log: &Path) -> Result<File, S3Error> {
    let mut path = log.as_os_str().to_owned();
    path.push(".archive.lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = file.map_err(StorageError::from)?;
    file.lock().map_err(StorageError::from)?;
    Ok(file)
}
