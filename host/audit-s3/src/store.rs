//! A store on disk whose log is uploaded.

use vak_audit::{Batch, Checkpoint, Opener, Origin, Recovery, Signer, StorageError, Store, VerifierKey};

use crate::pinned::Pinned;
use crate::uploader::Uploader;
use crate::{Bucket, S3Error, Uploads};

/// A log that is durable on disk when a commit returns, and in the bucket some
/// time after: at the latest after [`Options::interval`](crate::Options) if the
/// server can be reached. [`Uploads`] says how far it is.
///
/// The store on disk, the spool, keeps all of the log, so that an outage costs
/// nothing but its time: opened again, the upload goes on from the bucket's
/// checkpoint. What the bucket has [`trim_segments`](vak_audit::trim_segments)
/// may remove on disk, which is left to whoever owns the log.
///
/// When another writer has moved the bucket's checkpoint, or an object there
/// belongs to another log, the next commit fails and the log stops. A writer
/// that was shut out may have left objects; where the one that is right needs
/// their names for something else, it stops too, and a person has to look.
#[derive(Debug)]
pub struct S3Store {
    spool: Box<dyn Store>,
    bucket: Bucket,
    uploads: Uploads,
    uploader: Option<Uploader>,
}

impl S3Store {
    /// Uploads the log in `spool` to `bucket`, once the log is opened.
    pub fn new(spool: Box<dyn Store>, bucket: Bucket) -> Self {
        Self { spool, bucket, uploads: Uploads::new(), uploader: None }
    }

    /// How far the upload is, now and later.
    pub fn uploads(&self) -> Uploads {
        self.uploads.clone()
    }

    /// Begins to upload what `checkpoint` covers and what comes after.
    fn begin(&mut self, checkpoint: Checkpoint, key: VerifierKey) -> Result<(), StorageError> {
        self.uploads.commit(checkpoint, key, 0);
        let source = Pinned::new((self.spool.opener())()?);
        self.uploader = Some(Uploader::resume(self.uploads.clone(), self.bucket.clone(), source)?);
        Ok(())
    }
}

impl Store for S3Store {
    /// The spool's: that is where reports belong.
    fn place(&self) -> String {
        self.spool.place()
    }

    fn is_new(&self) -> bool {
        self.spool.is_new()
    }

    fn start(&mut self, checkpoint: &Checkpoint) -> Result<(), StorageError> {
        self.spool.start(checkpoint)
    }

    fn recover(&mut self, origin: &Origin, signer: &Signer) -> Result<Option<Recovery>, StorageError> {
        let recovery = self.spool.recover(origin, signer)?;
        // What is no log of this key is refused by who opens it, and not
        // uploaded before that.
        let note = (self.spool.opener())()?.head()?;
        let head = note.and_then(|note| Checkpoint::open(&note, origin, signer.verifier()).ok());
        if let Some(checkpoint) = head {
            self.begin(checkpoint, signer.verifier().clone())?;
        }
        Ok(recovery)
    }

    fn commit(&mut self, batch: &Batch<'_>) -> Result<(), StorageError> {
        if let Some(error) = self.uploads.stopped() {
            return Err(error.into());
        }
        self.spool.commit(batch)?;
        let bytes: usize = batch.entries.iter().map(<[u8]>::len).sum();
        self.uploads.commit(batch.checkpoint.clone(), batch.signer.verifier().clone(), bytes as u64);
        Ok(())
    }

    /// Waits for the upload, but not for ever: what is then missing in the
    /// bucket is uploaded when the log is opened again, and this says so.
    fn close(&mut self) -> Result<(), StorageError> {
        self.spool.close()?;
        let flushed = match self.uploader {
            Some(_) => self.uploads.flush(self.bucket.options().close_timeout),
            None => Ok(()),
        };
        self.uploader = None;
        flushed.map_err(S3Error::into)
    }

    fn opener(&self) -> Opener {
        self.spool.opener()
    }
}
