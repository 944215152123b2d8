//! Bringing a log into a bucket that is written elsewhere.

use std::sync::atomic::AtomicBool;

use vak_audit::{Checkpoint, Origin, Source, VerifierKey, VerifyError};

use crate::fence::Fence;
use crate::pinned::verify_range;
use crate::ship::ship;
use crate::{Bucket, S3Error};

/// Uploads the log that `source` reads, or what is new in it since the last
/// time, and gives the checkpoint that the bucket has then. `key` is the one
/// that signs now. What was cut short goes on where it was.
///
/// # Errors
/// The log or the bucket can't be read or written, the log is not one that `key`
/// signed, or the bucket has another log.
pub fn archive(
    source: &dyn Source,
    bucket: &Bucket,
    origin: &Origin,
    key: &VerifierKey,
) -> Result<Checkpoint, S3Error> {
    let checkpoint = Checkpoint::open(&source.head()?.ok_or(VerifyError::NoHead)?, origin, key)?;
    let cut = AtomicBool::new(false);
    let mut fence = Fence::take(bucket, source, origin, checkpoint.size(), &cut)?;
    verify_range(source, &checkpoint, key, fence.size..checkpoint.size())?;
    ship(bucket, source, &mut fence, &checkpoint, &cut)?;
    Ok(checkpoint)
}
