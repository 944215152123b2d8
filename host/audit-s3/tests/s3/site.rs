//! Logs and what is put in them.

use std::path::Path;
use std::time::Duration;

use futures_executor::block_on;
use vak_audit::{
    AppendError, Bundle, Draft, Expected, FileStore, KindSet, Log, Origin, Payloads, Receipt, Report, Signer, Source,
    Store, Tier, VerifierKey, VerifyError, verify_all,
};
use vak_audit_s3::{Bucket, Credentials, Location, Options, S3Error, S3Source, S3Store, Uploads};
use vak_types::{ActionRequest, Decision, Effect, Json, Reason, Timestamp, Verdict};

use crate::servers::BUCKET;

/// A second, in a timestamp.
pub(crate) const SECOND: u64 = 1_000_000_000;

/// Far more than any upload of a test takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn origin() -> Origin {
    "example.org/audit".parse().unwrap()
}

pub(crate) fn signer() -> Signer {
    Signer::new(origin(), &[7; 32])
}

pub(crate) fn key() -> VerifierKey {
    signer().verifier().clone()
}

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
    open_on(FileStore::open(path).unwrap(), bucket)
}

pub(crate) fn open_on(spool: impl Store + 'static, bucket: &Bucket) -> (Log, Uploads) {
    let store = S3Store::new(Box::new(spool), bucket.clone());
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
    let request = ActionRequest {
        session: "s1".parse().unwrap(),
        agent: "ada".parse().unwrap(),
        operation: "files/read_file".parse().unwrap(),
        resource: "mcp:files/read_file".parse().unwrap(),
        arguments: Json::parse(&format!("{{\"path\":{arguments:?}}}")).unwrap(),
        attributes: Default::default(),
        labels: Vec::new(),
    };
    let action = request.at(format!("a-{second}").parse().unwrap(), Timestamp::from_nanos(second * SECOND));
    let reasons = vec![Reason::host(Effect::Forbid, "no policy permits it")];
    let verdict = Verdict { decision: Decision::Deny, reasons, retry_after_ms: None, unsigned: false };
    Draft::decision(&action, &verdict, payloads).unwrap()
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
    let (origin, key) = (origin(), key());
    let expected = Expected { origin: &origin, key: &key, trusted: None, witnesses: None, range: None };
    verify_all(source, &expected, |_, _| ())
}

/// Verifies the log in the bucket; gives how many entries it has.
pub(crate) fn verify_bucket(bucket: &Bucket) -> u64 {
    verify(&S3Source::open(bucket.clone()).unwrap()).unwrap().checkpoint.size()
}

/// Checks that two logs are the same, byte for byte.
pub(crate) fn assert_same(left: &dyn Source, right: &dyn Source) {
    assert_eq!(left.head().unwrap(), right.head().unwrap());
    let size = verify(left).unwrap().checkpoint.size();
    let (mut one, mut other) = (Bundle::default(), Bundle::default());
    for seq in 0..size {
        left.entries(seq, 1, &mut one).unwrap();
        right.entries(seq, 1, &mut other).unwrap();
        assert!(one.len() == 1 && one.signed().eq(other.signed()), "entry {seq}");
    }
    for level in 1..=7 {
        let count = size >> (8 * u32::from(level));
        assert_eq!(left.nodes(level, 0, count).unwrap(), right.nodes(level, 0, count).unwrap());
    }
    assert_eq!(left.payloads().unwrap(), right.payloads().unwrap());
}

/// Waits for the reason why uploads stopped.
pub(crate) fn why_stopped(uploads: &Uploads) -> S3Error {
    let error = uploads.flush(PATIENCE).unwrap_err();
    assert_eq!(uploads.stopped().as_ref(), Some(&error));
    error
}
