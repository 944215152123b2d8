//! `vak audit`

mod export;
mod follow;
mod print;
mod proof;
mod query;
mod s3;
mod write;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use vak_audit::{LogReader, Signer};
use vak_audit_verify::Verify;
use vak_trust::PrivateKey;

use crate::Configured;

/// Verify, read and keep the audit log.
#[derive(Subcommand)]
pub(crate) enum Audit {
    Verify(Verify),
    /// Print the last entries.
    Tail {
        /// The log.
        log: PathBuf,
        /// How many.
        #[arg(long, short = 'n', default_value_t = 20)]
        lines: u64,
        /// One JSON object a line.
        #[arg(long)]
        json: bool,
        /// Go on with those that come, until interrupted.
        #[arg(long, short = 'f')]
        follow: bool,
    },
    /// Find entries by agent, session, operation, verdict, component or time.
    /// Keeps an index beside the log, which it brings up to date first.
    Query(query::QueryArgs),
    /// Write the log out as JSON Lines, CSV, or the tiles of C2SP tlog-tiles.
    Export(export::Export),
    /// Prove that an entry is in the log, in a file that stands for itself.
    Prove(proof::Prove),
    /// Check such a proof. Exit codes: 0 it holds, 1 it does not.
    VerifyProof(proof::VerifyProof),
    /// Let another key sign from here on. The host must not be running.
    RotateKey(write::RotateKey),
    /// Erase the payloads of an entry. What the log proves stays proven. The
    /// host must not be running.
    Erase(write::Erase),
    /// Keep a log in S3, or what is new in it (`vak-audit-s3 archive`).
    #[command(disable_help_flag = true)]
    Archive(s3::Passed),
    /// Get a log back from S3 (`vak-audit-s3 restore`).
    #[command(disable_help_flag = true)]
    Restore(s3::Passed),
    /// Print the verifier key of a configuration's log.
    Key {
        #[command(flatten)]
        configured: Configured,
    },
}

impl Audit {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Verify(command) => return command.run(),
            Self::VerifyProof(command) => return command.run(),
            Self::Archive(passed) => return passed.run("archive"),
            Self::Restore(passed) => return passed.run("restore"),
            Self::Tail { log, lines, json, follow } => tail(&log, lines, json, follow)?,
            Self::Query(command) => command.run()?,
            Self::Export(command) => command.run()?,
            Self::Prove(command) => command.run()?,
            Self::RotateKey(command) => command.run()?,
            Self::Erase(command) => command.run()?,
            Self::Key { configured } => {
                let config = configured.load()?;
                let key = PrivateKey::read(&config.audit.key)?;
                println!("{}", Signer::new(config.audit.origin.parse()?, &key.seed()).verifier());
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn tail(log: &Path, lines: u64, json: bool, follow: bool) -> anyhow::Result<()> {
    let reader = LogReader::open(log)?;
    let size = reader.size()?;
    let from = size.saturating_sub(lines);
    for entry in reader.entries(from, size - from) {
        print::entry(&entry?, json)?;
    }
    if follow { follow::follow(log, size, json) } else { Ok(()) }
}
