//! Which bucket, who asks, and how objects are put there.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::S3Error;

/// The prefix of every object of one log, and where its bucket is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The bucket's name. It has to be there.
    pub bucket: String,
    /// What the name of every object begins with; a `/` is put after it. Empty
    /// for a bucket that has one log and nothing else.
    pub prefix: String,
    /// The region that requests are signed for.
    pub region: String,
    /// The URL of a server that is not Amazon's. Its buckets are named in the
    /// path and not in the host name.
    pub endpoint: Option<String>,
}

impl Location {
    pub(crate) fn key(&self, name: &str) -> String {
        match self.prefix.trim_matches('/') {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        }
    }
}

/// Who asks. Its secrets are in no message and no log.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The id of the access key.
    pub access_key_id: String,
    /// The secret that signs requests.
    pub secret_access_key: String,
    /// The token of a session, where the key is a temporary one.
    pub session_token: Option<String>,
}

impl Credentials {
    /// From `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, where it is set,
    /// `AWS_SESSION_TOKEN`.
    ///
    /// # Errors
    /// One of the first two is not set.
    pub fn from_environment() -> Result<Self, S3Error> {
        let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let need = |name: &str| read(name).ok_or_else(|| S3Error::Configuration(format!("`{name}` is not set")));
        Ok(Self {
            access_key_id: need("AWS_ACCESS_KEY_ID")?,
            secret_access_key: need("AWS_SECRET_ACCESS_KEY")?,
            session_token: read("AWS_SESSION_TOKEN"),
        })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// Who may shorten the time for which an object is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LockMode {
    /// Whoever has a right of its own for that.
    Governance,
    /// Nobody, not even the owner of the account.
    Compliance,
}

/// How long no version of an object can be deleted or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lock {
    /// Who may shorten it.
    pub mode: LockMode,
    /// Days from the upload on.
    pub days: u32,
}

/// How objects are encrypted where they lie.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Encryption {
    /// As the bucket says.
    #[default]
    Bucket,
    /// With keys that S3 manages (SSE-S3).
    S3,
    /// With the key that has this id (SSE-KMS).
    Kms(String),
}

/// How objects are put there, and how hard it is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Locks every object that is never written again. The bucket has to have
    /// Object Lock, and no lock by default: payloads have to be erasable.
    pub lock: Option<Lock>,
    /// How objects are encrypted.
    pub encryption: Encryption,
    /// The storage class of segments, such as `STANDARD_IA`; the others are
    /// small and read often.
    pub storage_class: Option<String>,
    /// A file that has the version of every object that was put, in a bucket with
    /// versions: written by uploads, and compared when the log is verified. It
    /// belongs beside the log.
    pub versions: Option<PathBuf>,
    /// Entries that wait longer than this are uploaded, however few. Each
    /// upload makes about ten objects: with 60 s, about 15,000 a day.
    pub interval: Duration,
    /// When entries of so many bytes wait, they are uploaded at once: 8 MiB,
    /// which keeps segments worth a request.
    pub waiting_bytes_max: u64,
    /// A segment ends with the entry that gives it so many bytes: 16 MiB, which
    /// whoever reads one entry of it has in memory.
    pub segment_bytes: usize,
    /// Longer objects are uploaded in parts of this size: 8 MiB, so that what a
    /// broken connection costs is bounded. S3 takes no parts below 5 MiB.
    pub part_bytes: usize,
    /// How long one request may take: 30 s, in which 8 MiB pass through 3 Mbit/s.
    pub request_timeout: Duration,
    /// How often a request is tried before whoever asked is told: 5 times,
    /// which with doubling pauses takes 3 s. Uploads go on trying after that.
    pub attempts: u32,
    /// The first pause between two attempts: 200 ms. Each is twice the one
    /// before, up to 20 s, and shortened at random by up to a half.
    pub pause: Duration,
    /// How long closing waits for what is not yet uploaded: 60 s, twice the
    /// longest request.
    pub close_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lock: None,
            encryption: Encryption::default(),
            storage_class: None,
            versions: None,
            interval: Duration::from_secs(60),
            waiting_bytes_max: 8 << 20,
            segment_bytes: 16 << 20,
            part_bytes: 8 << 20,
            request_timeout: Duration::from_secs(30),
            attempts: 5,
            pause: Duration::from_millis(200),
            close_timeout: Duration::from_secs(60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let credentials = Credentials {
            access_key_id: "known".to_owned(),
            secret_access_key: "hidden".to_owned(),
            session_token: Some("hidden".to_owned()),
        };
        let printed = format!("{credentials:?}");
        assert!(printed.contains("known") && !printed.contains("hidden"), "{printed}");
    }

    #[test]
    fn names_are_under_the_prefix() {
        let location = |prefix: &str| Location {
            bucket: "audit".to_owned(),
            prefix: prefix.to_owned(),
            region: "eu-central-1".to_owned(),
            endpoint: None,
        };
        for (prefix, expected) in [("", "checkpoint"), ("a", "a/checkpoint"), ("/a/b/", "a/b/checkpoint")] {
            assert_eq!(location(prefix).key("checkpoint"), expected);
        }
    }
}
