//! `vak-audit-s3`: what `vak audit archive` and its like start. A program of
//! its own, so that `vak` does not carry the AWS SDK.

#![forbid(unsafe_code)]

mod args;

use std::io::Write as _;
use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::Context as _;
use args::{Place, Put};
use clap::{Parser, Subcommand};
use vak_audit::{Expected, StorageError, VerifierKey, VerifyError, open_source, verify_all};
use vak_audit_s3::{ArchiveLock, Bucket, Following, Options, S3Source};
use vak_audit_verify::{Times, bar, progress};
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
    /// Upload a log while its host writes it, until standard input ends, and
    /// then the rest. `vak` starts this where `vak.toml` has `[audit.archive]`.
    /// Ends with 1 when nothing more can be uploaded: the log in the bucket is
    /// another, or another host moved it on.
    Follow {
        /// The log.
        log: PathBuf,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        put: Put,
        /// Remove from disk what the bucket has, but for so many of the newest
        /// entries. Only of a log in segments.
        #[arg(long, value_name = "N")]
        keep_entries: Option<u64>,
        /// How long entries wait, however few they are.
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        interval_s: u64,
    },
    /// Check the log in the bucket as `vak audit verify` checks one on disk.
    Verify {
        #[command(flatten)]
        place: Place,
        /// The versions of objects that an upload noted beside the log.
        #[arg(long, value_name = "FILE")]
        versions: Option<PathBuf>,
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

/// `None` when it is all of the log.
fn range(times: Times) -> Option<Range<Timestamp>> {
    let given = times.since.is_some() || times.until.is_some();
    let until = times.until.unwrap_or(Timestamp::from_nanos(u64::MAX));
    given.then(|| times.since.unwrap_or_default()..until)
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
            let (key, bucket) = (place.key()?, place.bucket(put.options(&log))?);
            let _lock = ArchiveLock::try_take(&log)?;
            let checkpoint = vak_audit_s3::archive(&*open_source(&log)?, &bucket, key.name(), &key)?;
            println!("the bucket has {} entries of {}", checkpoint.size(), checkpoint.origin());
        }
        Command::Follow { log, place, put, keep_entries, interval_s } => {
            let options = Options { interval: Duration::from_secs(interval_s), ..put.options(&log) };
            let (key, bucket) = (place.key()?, place.bucket(options)?);
            return Ok(follow(Following { log, key, keep_entries }, &bucket));
        }
        Command::Verify { place, versions } => {
            let source = place.source(Options { versions, ..Options::default() })?;
            return verify(&source, &place.key()?);
        }
        Command::Restore { output, place, times } => {
            let key = place.key()?;
            let (report, range) = vak_audit_s3::restore(
                &place.source(Options::default())?,
                &output,
                &Expected::of(&key),
                range(times).as_ref(),
            )?;
            println!("restored entries {} to {} of {}", range.start, range.end, report.checkpoint.size());
        }
        Command::Query { place, times } => {
            let key = place.key()?;
            let range = range(times).context("give `--since`, `--until` or both")?;
            let foreign =
                vak_audit_s3::query(&place.source(Options::default())?, &Expected::of(&key), range, |_, entry| {
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

fn verify(source: &S3Source, key: &VerifierKey) -> anyhow::Result<ExitCode> {
    let bar = bar()?;
    let verified = verify_all(source, &Expected::of(key), progress(&bar));
    bar.finish_and_clear();
    Ok(match verified {
        Ok(report) => {
            println!("verified {} entries of {}", report.checkpoint.size(), key.name());
            ExitCode::SUCCESS
        }
        Err(VerifyError::Storage { source, .. }) if !matches!(source, StorageError::Damaged(_)) => {
            return Err(source.into());
        }
        Err(error) => {
            eprintln!("NOT VERIFIED: {}", printable(&error.to_string(), MESSAGE_BYTES_MAX));
            ExitCode::from(1)
        }
    })
}

fn follow(following: Following, bucket: &Bucket) -> ExitCode {
    let (end, ended) = mpsc::channel();
    std::thread::spawn(move || {
        // Whatever it reads: the end is what counts.
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap_or(0);
        drop(end);
    });
    match following.run(bucket, &ended, |error| tell(&format!("warning: {error}"))) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("error: {error}"));
            ExitCode::from(if error.is_conflict() { 1 } else { 2 })
        }
    }
}

/// Whoever started this may have gone, which is no reason to end before the
/// rest is uploaded.
fn tell(line: &str) {
    writeln!(std::io::stderr(), "{}", printable(line, MESSAGE_BYTES_MAX)).unwrap_or(());
}
