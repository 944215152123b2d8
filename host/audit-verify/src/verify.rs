//! Verifying a log.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use vak_audit::{
    Expected, Origin, Report, Source, StorageError, VerifierKey, VerifyError, open_source, verify_all, verify_chain,
};
use vak_types::printable;

use crate::{bar, progress, verifier_key, witness_policy};

/// Longest message, in bytes.
const MESSAGE_BYTES_MAX: usize = 4_096;

/// Check that the log is exactly what its key signed: every entry, the chain,
/// the tree, every signature, and what is kept beside the entries. Needs no host
/// and no network. Exit codes: 0 it is, 1 it is not, 2 it could not be checked.
#[derive(Args)]
pub struct Verify {
    /// The log: an SQLite file, a folder of segments or a folder of tiles.
    log: PathBuf,
    /// A verifier key of the log, as `vak audit key` prints it, or a file with
    /// it. It may have been rotated away since.
    #[arg(long, required_unless_present = "chain_only")]
    key: Option<String>,
    /// The log's name, where it is not that of the key.
    #[arg(long, value_name = "NAME")]
    origin: Option<String>,
    /// Without a key, check only that the entries can be read, follow from each
    /// other and lead to the checkpoint. Shows damage, and not who wrote them.
    #[arg(long, requires = "origin", conflicts_with_all = ["key", "checkpoint", "witness_policy", "from", "to", "keep"])]
    chain_only: bool,
    /// A checkpoint kept from earlier, or a receipt's, in a file: shows whether
    /// the log was cut back or rewritten since.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Who has to have witnessed the checkpoint kept from earlier, or the
    /// newest where there is none: a policy as in C2SP tlog-policy.
    #[arg(long, value_name = "FILE")]
    witness_policy: Option<PathBuf>,
    /// Read the entries from this one on; those before are taken by their
    /// stored hashes.
    #[arg(long, value_name = "SEQ")]
    from: Option<u64>,
    /// Read the entries before this one.
    #[arg(long, value_name = "SEQ")]
    to: Option<u64>,
    /// Write the log's checkpoint to this file, to keep for the next time.
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
}

impl Verify {
    /// Verifies, and prints what was found.
    ///
    /// # Errors
    /// An argument names what is not there or is not what it should be.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let origin: Option<Origin> = self.origin.as_deref().map(str::parse).transpose()?;
        let source = match open_source(&self.log) {
            // Nothing was looked at, so nothing was found wrong.
            Err(error @ (StorageError::Missing { .. } | StorageError::Other(_))) => return Err(error.into()),
            Err(source) => return Ok(refused(&VerifyError::Storage { seq: 0, source })),
            Ok(source) => source,
        };
        match (&self.key, origin) {
            (Some(key), origin) => self.verify(&*source, &verifier_key(key)?, origin.as_ref()),
            (None, Some(origin)) => verify_entries(&*source, &origin),
            (None, None) => bail!("give `--key`, or `--chain-only` and `--origin`"),
        }
    }

    fn verify(&self, source: &dyn Source, key: &VerifierKey, origin: Option<&Origin>) -> anyhow::Result<ExitCode> {
        let origin = origin.unwrap_or(key.name());
        let read =
            |path: &PathBuf| std::fs::read_to_string(path).with_context(|| format!("reading `{}`", path.display()));
        let trusted = self.checkpoint.as_ref().map(read).transpose()?;
        let witnesses = self.witness_policy.as_deref().map(witness_policy).transpose()?;
        let (from, to) = (self.from.unwrap_or(0), self.to.unwrap_or(u64::MAX));
        ensure!(from < to, "there are no entries from {from} on before {to}");
        let range = (self.from.is_some() || self.to.is_some()).then_some(from..to);
        let expected = Expected { origin, key, trusted: trusted.as_deref(), witnesses: witnesses.as_ref(), range };
        let bar = bar()?;
        let verified = verify_all(source, &expected, progress(&bar));
        bar.finish_and_clear();
        match verified {
            Ok(report) => {
                print(&report);
                if let Some(path) = &self.keep {
                    std::fs::write(path, &**report.checkpoint.note())
                        .with_context(|| format!("writing `{}`", path.display()))?;
                }
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => Ok(refused(&error)),
        }
    }
}

fn verify_entries(source: &dyn Source, origin: &Origin) -> anyhow::Result<ExitCode> {
    let bar = bar()?;
    let size = verify_chain(source, origin, progress(&bar));
    bar.finish_and_clear();
    match size {
        Ok(size) => {
            println!("intact: {size} entries of {origin} follow from each other; nobody's signature was checked");
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => Ok(refused(&error)),
    }
}

/// What is quoted of the log may hold anything.
fn refused(error: &VerifyError) -> ExitCode {
    eprintln!("NOT VERIFIED: {}", printable(&error.to_string(), MESSAGE_BYTES_MAX));
    ExitCode::from(1)
}

fn print(report: &Report) {
    let Report { checkpoint, read, decisions, outcomes, approvals, signed, foreign, payloads, erased, absent, .. } =
        report;
    println!("verified {read} entries ({decisions} decisions, {outcomes} outcomes) of {}", checkpoint.origin());
    if *approvals > 0 {
        println!("{approvals} answers of persons, and no verdict counts on another");
    }
    if *read != checkpoint.size() {
        println!("the log has {}; the others were taken by their stored hashes", checkpoint.size());
    }
    if *signed > 0 {
        println!("{signed} entries have a signature of their own");
    }
    if let Some(seq) = foreign {
        println!("that of entry {seq} is not by this key; read the whole log to see whether it is by an earlier one");
    }
    if *payloads + *erased > 0 {
        println!("{payloads} payloads are kept, {erased} were erased");
    }
    if *absent > 0 {
        println!("{absent} payloads are not there; read the whole log to see whether they were erased");
    }
    for one in &report.cosigned {
        println!("witnessed by {}", one.witness);
    }
    println!("root {}\nsigned by {}", checkpoint.root(), report.key);
}
