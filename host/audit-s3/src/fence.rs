//! The one object that is written again, and who may.

use std::sync::atomic::AtomicBool;

use vak_audit::{Checkpoint, Origin, Source, Tree};

use crate::client::Replaced;
use crate::names::CHECKPOINT;
use crate::{Bucket, S3Error};

/// The bucket's checkpoint as this writer last wrote or saw it. Another one is
/// somebody else's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fence {
    pub(crate) etag: Option<String>,
    /// How many entries the bucket has.
    pub(crate) size: u64,
    /// A checkpoint that was sent and not acknowledged. It may be there, or get
    /// there yet; until it is known, no other is sent.
    pub(crate) pending: Option<Checkpoint>,
}

impl Fence {
    /// Takes up the log in the bucket, which has to be the beginning of the one
    /// that `source` reads and that has `size` entries.
    pub(crate) fn take(
        bucket: &Bucket,
        source: &dyn Source,
        origin: &Origin,
        size: u64,
        cut: &AtomicBool,
    ) -> Result<Self, S3Error> {
        let there = bucket.run_until(cut, |client| async move { client.get(CHECKPOINT).await })?;
        let Some(object) = there else { return Ok(Self { etag: None, size: 0, pending: None }) };
        let checkpoint = parse(&object.bytes, origin)?;
        if checkpoint.size() > size {
            return Err(S3Error::Behind { spool: size, bucket: checkpoint.size() });
        }
        if Tree::new(source, checkpoint.size()).root()? != checkpoint.root() {
            return Err(S3Error::Diverged { key: CHECKPOINT.to_owned() });
        }
        keeps_conditions(bucket, object.bytes, cut)?;
        Ok(Self { etag: Some(object.etag), size: checkpoint.size(), pending: None })
    }

    /// Moves the bucket's checkpoint on, if it is still the one of this fence.
    pub(crate) fn advance(&mut self, bucket: &Bucket, target: &Checkpoint, cut: &AtomicBool) -> Result<(), S3Error> {
        let (note, etag) = (target.note().to_string(), self.etag.clone());
        self.pending = Some(target.clone());
        let bytes = note.clone().into_bytes();
        let put =
            bucket.run_until(cut, |client| async move { client.replace(CHECKPOINT, &bytes, etag.as_deref()).await })?;
        let etag = match put {
            Replaced::Yes(etag) => {
                if self.etag.is_none() {
                    keeps_conditions(bucket, note.into_bytes(), cut)?;
                }
                etag
            }
            Replaced::Another => {
                // Ours all the same, when the answer to an earlier attempt was lost.
                let there = bucket.run_until(cut, |client| async move { client.get(CHECKPOINT).await })?;
                match there {
                    Some(object) if object.bytes == note.as_bytes() => object.etag,
                    there => {
                        let found = there.and_then(|object| parse(&object.bytes, target.origin()).ok());
                        let found = found.map_or(0, |checkpoint| checkpoint.size());
                        return Err(S3Error::Fenced { expected: self.size, found });
                    }
                }
            }
        };
        *self = Self { etag: Some(etag), size: target.size(), pending: None };
        Ok(())
    }

    /// Looks before anything is uploaded, so that a writer that was replaced
    /// leaves as little behind as possible.
    pub(crate) fn check(&mut self, bucket: &Bucket, origin: &Origin, cut: &AtomicBool) -> Result<(), S3Error> {
        let there = bucket.run_until(cut, |client| async move { client.get(CHECKPOINT).await })?;
        if there.as_ref().map(|object| &object.etag) == self.etag.as_ref() {
            return Ok(());
        }
        let pending = self.pending.take();
        match (there, pending) {
            (Some(object), Some(pending)) if object.bytes == pending.note().as_bytes() => {
                *self = Self { etag: Some(object.etag), size: pending.size(), pending: None };
                Ok(())
            }
            (there, _) => {
                let found = there.and_then(|object| parse(&object.bytes, origin).ok());
                Err(S3Error::Fenced { expected: self.size, found: found.map_or(0, |checkpoint| checkpoint.size()) })
            }
        }
    }
}

/// Not every server looks at conditions, and one that doesn't is no fence: the
/// checkpoint is written once more as it is, for another than the one there.
fn keeps_conditions(bucket: &Bucket, bytes: Vec<u8>, cut: &AtomicBool) -> Result<(), S3Error> {
    let another = "\"00000000000000000000000000000000\"";
    let put = bucket.run_until(cut, |client| async move { client.replace(CHECKPOINT, &bytes, Some(another)).await })?;
    match put {
        Replaced::Another => Ok(()),
        Replaced::Yes(_) => Err(S3Error::Configuration(
            "its server does not look at `If-Match`, so nothing would keep two writers apart".to_owned(),
        )),
    }
}

/// Reads a checkpoint of the log `origin`, whoever signed it.
fn parse(bytes: &[u8], origin: &Origin) -> Result<Checkpoint, S3Error> {
    let note = std::str::from_utf8(bytes).map_err(|_| S3Error::damaged(CHECKPOINT, "it is no text"))?;
    Ok(Checkpoint::parse(note, origin)?)
}
