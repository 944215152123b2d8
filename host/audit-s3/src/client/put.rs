//! Putting objects, each under a condition: one that is never written again
//! only where there is none, and the checkpoint only over the one we know.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{
    ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, ObjectLockMode, ServerSideEncryption, StorageClass,
};

use super::Client;
use crate::retry::{Failure, retrying};
use crate::{Encryption, LockMode, S3Error};

/// The most parts of one object, as S3 has it.
const PARTS_MAX: usize = 10_000;

const SECONDS_A_DAY: u64 = 86_400;

/// An object that is never written again.
#[derive(Debug, Clone)]
pub(crate) struct New {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// Whether Object Lock may hold it, where that is configured.
    pub(crate) lockable: bool,
    /// Whether it gets the configured storage class.
    pub(crate) archived: bool,
    /// Whether two objects say the same.
    pub(crate) same: fn(&[u8], &[u8]) -> bool,
}

impl New {
    /// One that is locked, and the same only when all its bytes are.
    pub(crate) fn of(name: String, bytes: Vec<u8>) -> Self {
        Self { name, bytes, lockable: true, archived: false, same: |left, right| left == right }
    }
}

/// What came of replacing the checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Replaced {
    /// It is there, with this ETag.
    Yes(String),
    /// It was not the one we know.
    Another,
}

/// How the options say that an object is stored.
struct Stored {
    encryption: Option<ServerSideEncryption>,
    kms_key: Option<String>,
    class: Option<StorageClass>,
    lock: Option<ObjectLockMode>,
    until: Option<DateTime>,
}

impl Client {
    /// Puts an object where there is none. One that is there already is left,
    /// if it says the same: a request whose answer was lost, or an upload that
    /// was cut short. Gives its version, where the bucket has versions.
    pub(crate) async fn create(&self, new: &New) -> Result<Option<String>, S3Error> {
        let put = match new.bytes.len() > self.options.part_bytes {
            true => self.create_in_parts(new).await,
            false => retrying(&self.options, || self.create_once(new)).await,
        };
        let what = || format!("uploading `{}`", new.name);
        match put {
            Ok(version) => Ok(version),
            Err(Failure::Precondition) => match self.get(&new.name).await? {
                Some(there) if (new.same)(&there.bytes, &new.bytes) => Ok(there.version),
                Some(_) => Err(S3Error::Diverged { key: new.name.clone() }),
                None => Err(Failure::Transient("it was there, and is gone".to_owned()).of(&what())),
            },
            Err(failure) => Err(failure.of(&what())),
        }
    }

    async fn create_once(&self, new: &New) -> Result<Option<String>, Failure> {
        let Stored { encryption, kms_key, class, lock, until } = self.stored(new.lockable, new.archived);
        let put = self.s3.put_object().bucket(&self.location.bucket).key(self.location.key(&new.name));
        let put = put.if_none_match("*").set_server_side_encryption(encryption).set_ssekms_key_id(kms_key);
        let put = put.set_storage_class(class).set_object_lock_mode(lock).set_object_lock_retain_until_date(until);
        let done = put.content_type("application/octet-stream").body(new.bytes.clone().into()).send().await?;
        Ok(done.version_id)
    }

    /// Puts a long object in parts, which are there for others only when all
    /// are. After a failure they are given back; S3 asks money for them.
    async fn create_in_parts(&self, new: &New) -> Result<Option<String>, Failure> {
        let upload = retrying(&self.options, || self.begin(new)).await?;
        let put = self.put_parts(new, &upload).await;
        if put.is_err() {
            let abort = self.s3.abort_multipart_upload().bucket(&self.location.bucket);
            let abort = abort.key(self.location.key(&new.name)).upload_id(&upload);
            // The first failure is the one to tell; a bucket's rule for parts
            // that were left removes these too.
            abort.send().await.map(drop).unwrap_or(());
        }
        put
    }

    async fn begin(&self, new: &New) -> Result<String, Failure> {
        let Stored { encryption, kms_key, class, lock, until } = self.stored(new.lockable, new.archived);
        let begin = self.s3.create_multipart_upload().bucket(&self.location.bucket).key(self.location.key(&new.name));
        let begin = begin.set_server_side_encryption(encryption).set_ssekms_key_id(kms_key).set_storage_class(class);
        let begin = begin.set_object_lock_mode(lock).set_object_lock_retain_until_date(until);
        let begun = begin.content_type("application/octet-stream").checksum_algorithm(ChecksumAlgorithm::Crc32);
        let upload = begun.send().await?.upload_id.filter(|id| !id.is_empty());
        upload.ok_or_else(|| Failure::Refused("the server gave no id for an upload in parts".to_owned()))
    }

    async fn put_parts(&self, new: &New, upload: &str) -> Result<Option<String>, Failure> {
        // Rounded up, so that a long object has no more parts than it may.
        let size = self.options.part_bytes.max(new.bytes.len().div_ceil(PARTS_MAX)).max(1);
        let key = self.location.key(&new.name);
        let mut parts = Vec::new();
        for (number, bytes) in (1..).zip(new.bytes.chunks(size)) {
            let put = || async {
                let put = self.s3.upload_part().bucket(&self.location.bucket).key(&key).upload_id(upload);
                let put = put.part_number(number).checksum_algorithm(ChecksumAlgorithm::Crc32);
                Ok(put.body(ByteStream::from(bytes.to_vec())).send().await?)
            };
            let done = retrying(&self.options, put).await?;
            let part = CompletedPart::builder().part_number(number).set_e_tag(done.e_tag);
            parts.push(part.set_checksum_crc32(done.checksum_crc32).build());
        }
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let complete = || async {
            let complete = self.s3.complete_multipart_upload().bucket(&self.location.bucket).key(&key);
            let done = complete.upload_id(upload).if_none_match("*").multipart_upload(parts.clone()).send().await?;
            Ok(done.version_id)
        };
        match retrying(&self.options, complete).await {
            // Completed by an attempt whose answer was lost: then it is there.
            Err(Failure::Missing) => Err(Failure::Precondition),
            ended => ended,
        }
    }

    /// Puts an object over the one with `etag`, or where there is none.
    pub(crate) async fn replace(&self, name: &str, bytes: &[u8], etag: Option<&str>) -> Result<Replaced, S3Error> {
        let key = self.location.key(name);
        let put = || async {
            let Stored { encryption, kms_key, .. } = self.stored(false, false);
            let put = self.s3.put_object().bucket(&self.location.bucket).key(&key);
            let put = match etag {
                Some(etag) => put.if_match(etag),
                None => put.if_none_match("*"),
            };
            let put = put.set_server_side_encryption(encryption).set_ssekms_key_id(kms_key);
            Ok(put.content_type("text/plain; charset=utf-8").body(bytes.to_vec().into()).send().await?)
        };
        match retrying(&self.options, put).await {
            Ok(done) => match done.e_tag {
                Some(etag) => Ok(Replaced::Yes(etag)),
                None => Err(Failure::Refused("the answer has no ETag".to_owned()).of(&format!("writing `{name}`"))),
            },
            Err(Failure::Precondition | Failure::Missing) => Ok(Replaced::Another),
            Err(failure) => Err(failure.of(&format!("writing `{name}`"))),
        }
    }

    fn stored(&self, lockable: bool, archived: bool) -> Stored {
        let (encryption, kms_key) = match &self.options.encryption {
            Encryption::Bucket => (None, None),
            Encryption::S3 => (Some(ServerSideEncryption::Aes256), None),
            Encryption::Kms(key) => (Some(ServerSideEncryption::AwsKms), Some(key.clone())),
        };
        let class = self.options.storage_class.as_deref().filter(|_| archived).map(StorageClass::from);
        let lock = self.options.lock.filter(|_| lockable);
        let days = |days: u32| Duration::from_secs(u64::from(days) * SECONDS_A_DAY);
        Stored {
            encryption,
            kms_key,
            class,
            lock: lock.map(|lock| match lock.mode {
                LockMode::Governance => ObjectLockMode::Governance,
                LockMode::Compliance => ObjectLockMode::Compliance,
            }),
            until: lock.map(|lock| (SystemTime::now() + days(lock.days)).into()),
        }
    }
}
