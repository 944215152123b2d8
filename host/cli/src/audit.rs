//! `vak audit`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use vak_audit::{Body, Checkpoint, Entry, LogReader, Signer, Status, VerifierKey, verify};
use vak_trust::PrivateKey;
use vak_types::printable;

use crate::Configured;

/// Longest line that `tail` prints, in bytes: the longest reason and its names.
const LINE_BYTES_MAX: usize = 4_096;

/// Verify and read the audit log.
#[derive(Subcommand)]
pub(crate) enum Audit {
    /// Check that the log is exactly what its key signed: every entry, the
    /// chain, the tree and the checkpoint. Needs no host and no network. Exit
    /// codes: 0 it is, 1 it is not.
    Verify {
        /// The log's file.
        log: PathBuf,
        /// The log's verifier key, as `vak audit key` prints it, or a file with it.
        #[arg(long)]
        key: String,
        /// A checkpoint kept from earlier, or a receipt's, in a file: shows
        /// whether the log was cut back or rewritten since.
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
        /// Write the log's checkpoint to this file, to keep for the next time.
        #[arg(long, value_name = "FILE")]
        keep: Option<PathBuf>,
    },
    /// Print the last entries.
    Tail {
        /// The log's file.
        log: PathBuf,
        /// How many.
        #[arg(long, short = 'n', default_value_t = 20)]
        lines: u64,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Print the verifier key of a configuration's log.
    Key {
        #[command(flatten)]
        configured: Configured,
    },
}

impl Audit {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Verify { log, key, checkpoint, keep } => check(&log, &key, checkpoint.as_deref(), keep.as_deref()),
            Self::Tail { log, lines, json } => tail(&log, lines, json),
            Self::Key { configured } => {
                let config = configured.load()?;
                let key = PrivateKey::read(&config.audit.key)?;
                println!("{}", Signer::new(config.audit.origin.parse()?, &key.seed()).verifier());
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

fn check(log: &Path, key: &str, trusted: Option<&Path>, keep: Option<&Path>) -> anyhow::Result<ExitCode> {
    let text = match std::fs::read_to_string(key) {
        Ok(text) => text,
        Err(_) => key.to_owned(),
    };
    let key: VerifierKey = text.trim().parse().context("`--key` is neither a verifier key nor a file with one")?;
    let trusted = trusted.map(|path| -> anyhow::Result<Checkpoint> {
        let note = std::fs::read_to_string(path).with_context(|| format!("reading `{}`", path.display()))?;
        Ok(Checkpoint::open(&note, key.name(), &key)?)
    });
    let trusted = trusted.transpose()?;
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} entries")?);
    let verified = verify(log, key.name(), &key, trusted.as_ref(), |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    match verified {
        Ok(report) => {
            println!(
                "verified {} entries ({} decisions, {} outcomes) of {}\nroot {}",
                report.checkpoint.size(),
                report.decisions,
                report.outcomes,
                key.name(),
                report.checkpoint.root(),
            );
            if let Some(path) = keep {
                std::fs::write(path, &**report.checkpoint.note())
                    .with_context(|| format!("writing `{}`", path.display()))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("NOT VERIFIED: {error}");
            Ok(ExitCode::from(1))
        }
    }
}

fn tail(log: &Path, lines: u64, json: bool) -> anyhow::Result<ExitCode> {
    let reader = LogReader::open(log)?;
    let from = reader.size()?.saturating_sub(lines);
    for entry in reader.entries(from, lines) {
        let entry = entry?;
        match json {
            true => println!("{}", entry_json(&entry)),
            // A log that was tampered with can hold what steers a terminal.
            false => println!("{}", printable(&line(&entry), LINE_BYTES_MAX)),
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn line(entry: &Entry) -> String {
    let head = format!("{:>6}  {}  {:<12}", entry.seq, entry.time, entry.agent.as_str());
    match &entry.body {
        Body::Decision(decision) => {
            let reason = decision.verdict.deciding().map(ToString::to_string).unwrap_or_default();
            let word = decision.verdict.decision.to_string();
            format!("{head}  {word:<9}  {}  {reason}", decision.operation)
        }
        Body::Outcome(outcome) => {
            let millis = outcome.duration_ns / 1_000_000;
            format!(
                "{head}  {:<9}  of {}  in {millis} ms  {}",
                status(outcome.status),
                outcome.decision,
                outcome.detail
            )
        }
    }
}

fn entry_json(entry: &Entry) -> serde_json::Value {
    let body = match &entry.body {
        Body::Decision(decision) => json!({
            "kind": "decision",
            "operation": decision.operation,
            "resource": decision.resource,
            "arguments": decision.arguments.value(),
            "verdict": decision.verdict,
        }),
        Body::Outcome(outcome) => json!({
            "kind": "outcome",
            "decision": outcome.decision,
            "status": status(outcome.status),
            "detail": outcome.detail,
            "duration_ns": outcome.duration_ns,
        }),
    };
    json!({
        "seq": entry.seq,
        "time": entry.time.to_string(),
        "agent": entry.agent,
        "session": entry.session,
        "action": entry.action,
        "body": body,
    })
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Succeeded => "succeeded",
        Status::Failed => "failed",
        Status::Unknown => "unknown",
    }
}
