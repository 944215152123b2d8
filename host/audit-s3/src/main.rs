//! `vak-audit-s3`: what `vak audit archive` and its like start. A program of
//! its own, so that `vak` does not carry the AWS SDK.

#![forbid(unsafe_code)]

use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueEnum};
use vak_audit::{Expected, VerifierKey, open_source, verify_all};
use vak_audit_s3::{Bucket, Credentials, Encryption, Location, Lock, LockMode, Options, S3Source};
use vak_audit_verify::{Times, bar, progress, verifier_key};
use vak_types::{Timestamp, printable};

/// Longest message about what is wrong with a log, in bytes.
const MESSAGE_BYTES_MAX: usize = 4_096;

/// Keeps audit logs in S3. Credentials come from `AWS_ACCESS_KEY_ID`,
/// `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`.
#[derive(Parser)]
#[command(name = "vak-audit-s3", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Upload a log, or what is new in it since the last time.
    Archive {
        /// The log.
        log: PathBuf,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        put: Put,
    },
    /// Check the log in the bucket as `vak audit verify` checks one on disk.
    Verify {
        #[command(flatten)]
        place: Place,
    },
    /// Write the log in the bucket to a new SQLite file, and verify it there.
    Restore {
        /// The file; it must not exist.
        #[arg(long, short)]
        output: PathBuf,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        times: Times,
    },
    /// Print the entries of a time, each verified, a line each.
    Query {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        times: Times,
    },
}

/// Where the log is, and whose it is.
#[derive(Args)]
struct Place {
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
struct Put {
    /// Lock every object that is never written again, for so many days.
    #[arg(long, value_name = "DAYS")]
    lock_days: Option<u32>,
    /// Who may shorten that.
    #[arg(long, value_enum, default_value_t = Mode::Compliance)]
    lock_mode: Mode,
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

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    /// Whoever has a right of its own for that.
    Governance,
    /// Nobody.
    Compliance,
}

/// `None` when it is all of the log.
fn range(times: Times) -> Option<Range<Timestamp>> {
    let given = times.since.is_some() || times.until.is_some();
    let until = times.until.unwrap_or(Timestamp::from_nanos(u64::MAX));
    given.then(|| times.since.unwrap_or_default()..until)
}

impl Place {
    fn key(&self) -> anyhow::Result<VerifierKey> {
        verifier_key(&self.key)
    }

    fn bucket(&self, options: Options) -> anyhow::Result<Bucket> {
        let location = Location {
            bucket: self.bucket.clone(),
            prefix: self.prefix.clone(),
            region: self.region.clone(),
            endpoint: self.endpoint.clone(),
        };
        Ok(Bucket::new(location, Credentials::from_environment()?, options)?)
    }

    fn source(&self) -> anyhow::Result<S3Source> {
        Ok(S3Source::open(self.bucket(Options::default())?)?)
    }
}

impl Put {
    fn options(self) -> Options {
        let mode = match self.lock_mode {
            Mode::Governance => LockMode::Governance,
            Mode::Compliance => LockMode::Compliance,
        };
        Options {
            lock: self.lock_days.map(|days| Lock { mode, days }),
            encryption: match self.sse_kms {
                Some(key) => Encryption::Kms(key),
                None if self.sse_s3 => Encryption::S3,
                None => Encryption::Bucket,
            },
            storage_class: self.storage_class,
            request_timeout: Duration::from_secs(self.timeout_s),
            ..Options::default()
        }
    }
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Archive { log, place, put } => {
            let (key, bucket) = (place.key()?, place.bucket(put.options())?);
            let checkpoint = vak_audit_s3::archive(&*open_source(&log)?, &bucket, key.name(), &key)?;
            println!("the bucket has {} entries of {}", checkpoint.size(), checkpoint.origin());
        }
        Command::Verify { place } => {
            let key = place.key()?;
            let bar = bar()?;
            let verified = verify_all(&place.source()?, &Expected::of(&key), progress(&bar));
            bar.finish_and_clear();
            match verified {
                Ok(report) => println!("verified {} entries of {}", report.checkpoint.size(), key.name()),
                Err(error) => {
                    eprintln!("NOT VERIFIED: {}", printable(&error.to_string(), MESSAGE_BYTES_MAX));
                    return Ok(ExitCode::from(1));
                }
            }
        }
        Command::Restore { output, place, times } => {
            let key = place.key()?;
            let (report, range) =
                vak_audit_s3::restore(&place.source()?, &output, &Expected::of(&key), range(times).as_ref())?;
            println!("restored entries {} to {} of {}", range.start, range.end, report.checkpoint.size());
        }
        Command::Query { place, times } => {
            let key = place.key()?;
            let range = range(times).context("give `--since`, `--until` or both")?;
            let foreign = vak_audit_s3::query(&place.source()?, &Expected::of(&key), range, |_, entry| {
                let about = entry.body.about().map(|about| about.agent.as_str()).unwrap_or_default();
                println!("{:>6}  {}  {about:<12}  {}", entry.seq, entry.time, entry.body.kind());
            })?;
            if let Some(seq) = foreign {
                eprintln!("the signature that entry {seq} has of its own is not by this key; `verify` tells by which");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
