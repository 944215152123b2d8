//! Which bucket, whose log, and how objects are put.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use vak_audit::{VerifierKey, beside};
use vak_audit_s3::{Bucket, Credentials, Encryption, Location, Lock, LockMode, Options, S3Source};
use vak_audit_verify::verifier_key;

/// Where the log is, and whose it is.
#[derive(Args)]
pub(crate) struct Place {
    /// The bucket.
    #[arg(long)]
    bucket: String,
    /// What the name of every object begins with.
    #[arg(long, default_value = "")]
    prefix: String,
    /// The region.
    #[arg(long, default_value = "us-east-1", env = "AWS_REGION")]
    region: String,
    /// The URL of a server that is not Amazon's.
    #[arg(long, env = "AWS_ENDPOINT_URL_S3")]
    endpoint: Option<String>,
    /// A verifier key of the log, as `vak audit key` prints it, or a file with
    /// it.
    #[arg(long)]
    key: String,
}

/// How objects are put into the bucket.
#[derive(Args)]
pub(crate) struct Put {
    /// Lock every object that is never written again, for so many days.
    #[arg(long, value_name = "DAYS")]
    lock_days: Option<u32>,
    /// Who may shorten that.
    #[arg(long, value_enum, default_value_t = LockMode::Compliance)]
    lock_mode: LockMode,
    /// Encrypt with keys that S3 manages.
    #[arg(long, conflicts_with = "sse_kms")]
    sse_s3: bool,
    /// Encrypt with the key that has this id.
    #[arg(long, value_name = "KEY")]
    sse_kms: Option<String>,
    /// The storage class of segments, such as STANDARD_IA.
    #[arg(long)]
    storage_class: Option<String>,
    /// How long a request may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout_s: u64,
}

impl Place {
    pub(crate) fn key(&self) -> anyhow::Result<VerifierKey> {
        verifier_key(&self.key)
    }

    pub(crate) fn bucket(&self, options: Options) -> anyhow::Result<Bucket> {
        let location = Location {
            bucket: self.bucket.clone(),
            prefix: self.prefix.clone(),
            region: self.region.clone(),
            endpoint: self.endpoint.clone(),
        };
        Ok(Bucket::new(location, Credentials::from_environment()?, options)?)
    }

    pub(crate) fn source(&self, options: Options) -> anyhow::Result<S3Source> {
        Ok(S3Source::open(self.bucket(options)?)?)
    }
}

impl Put {
    /// For a log that is uploaded, and beside which versions are noted.
    pub(crate) fn options(self, log: &Path) -> Options {
        Options {
            lock: self.lock_days.map(|days| Lock { mode: self.lock_mode, days }),
            encryption: match self.sse_kms {
                Some(key) => Encryption::Kms(key),
                None if self.sse_s3 => Encryption::S3,
                None => Encryption::Bucket,
            },
            storage_class: self.storage_class,
            versions: Some(beside(log, ".versions")),
            request_timeout: Duration::from_secs(self.timeout_s),
            ..Options::default()
        }
    }
}
