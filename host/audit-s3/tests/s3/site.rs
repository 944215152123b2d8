//! Logs and what is put in them.

use std::path::Path;
use std::time::Duration;

use futures_executor::block_on;
use vak_audit::{
    AppendError, Draft, FileStore, KindSet, Log, Payloads, Receipt, Report, Source, Store, Tier, VerifyError,
};
use vak_audit_s3::{Bucket, Credentials, Location, Options, S3Error, S3Source, S3Store, Uploads};
use vak_types::{Action, Json, Timestamp};

use crate::common::{action, check_source, denied};
pub(crate) use crate::common::{key, origin, signer};
use crate::servers::BUCKET;

/// A second, in a timestamp.
pub(crate) const SECOND: u64 = 1_000_000_000;

/// Far more than any upload of a test takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Uploads when it is told to, in short segments, with short pauses.
pub(crate) fn options() -> Options {
    Options {
        interval: Duration::from_secs(3_600),
        segment_bytes: 20_000,
        request_timeout: Duration::from_secs(5),
        attempts: 3,
        pause: Duration::from_millis(5),
        close_timeout: PATIENCE,
        ..Options::default()
    }
}

pub(crate) fn bucket(port: u16, options: Options) -> Bucket {
    bucket_named(port, BUCKET, options)
}

pub(crate) fn bucket_named(port: u16, name: &str, options: Options) -> Bucket {
    bucket_under(port, name, "", options)
}

pub(crate) fn bucket_under(port: u16, name: &str, prefix: &str, options: Options) -> Bucket {
    let location = Location {
        bucket: name.to_owned(),
        prefix: prefix.to_owned(),
        region: "us-east-1".to_owned(),
        endpoint: Some(format!("http://127.0.0.1:{port}")),
    };
    let credentials =
        Credentials { access_key_id: "test".to_owned(), secret_access_key: "secret".to_owned(), session_token: None };
    Bucket::new(location, credentials, options).unwrap()
}

/// A log whose spool is the folder at `path`.
pub(crate) fn open(path: &Path, bucket: &Bucket) -> (Log, Uploads) {
    open_on(Box::new(FileStore::open(path).unwrap()), bucket)
}

pub(crate) fn open_on(spool: Box<dyn Store>, bucket: &Bucket) -> (Log, Uploads) {
    let store = S3Store::new(spool, bucket.clone());
    let uploads = store.uploads();
    (Log::open(Box::new(store), origin(), signer(), &log_options()).unwrap(), uploads)
}

/// Decisions are signed, so that there are signatures of single entries.
pub(crate) fn log_options() -> vak_audit::Options {
    let signed = KindSet::from_iter([vak_audit::EntryKind::Decision]);
    vak_audit::Options { signed, ..vak_audit::Options::default() }
}

/// A decision that was asked `second` seconds after the first.
pub(crate) fn decision(second: u64, arguments: &str, payloads: Payloads) -> Draft {
    let action = Action {
        arguments: Json::parse(&format!("{{\"path\":{arguments:?}}}")).unwrap(),
        time: Timestamp::from_nanos(second * SECOND),
        ..action(&format!("a-{second}"))
    };
    denied(&action, "no policy permits it", payloads)
}

pub(crate) fn append(log: &Log, draft: Draft) -> Result<Receipt, AppendError> {
    block_on(log.append(draft, Tier::Durable))
}

/// Appends decisions with the times from `range`, in seconds.
pub(crate) fn fill(log: &Log, range: std::ops::Range<u64>) {
    for second in range.clone() {
        let tier = if second + 1 == range.end { Tier::Durable } else { Tier::Accepted };
        block_on(log.append(decision(second, "/tmp/a", Payloads::Inline), tier)).unwrap();
    }
}

pub(crate) fn verify(source: &dyn Source) -> Result<Report, VerifyError> {
    check_source(source, &key(), None)
}

/// Verifies the log in the bucket; gives how many entries it has.
pub(crate) fn verify_bucket(bucket: &Bucket) -> u64 {
    verify(&S3Source::open(bucket.clone()).unwrap()).unwrap().checkpoint.size()
}

/// Waits for the reason why uploads stopped.
pub(crate) fn why_stopped(uploads: &Uploads) -> S3Error {
    let error = uploads.flush(PATIENCE).unwrap_err();
    assert_eq!(uploads.stopped().as_ref(), Some(&error));
    error
}
