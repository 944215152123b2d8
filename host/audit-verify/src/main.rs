//! `vak-audit-verify`

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use vak_audit_verify::Verify;

/// Verifies audit logs of VAK, and does nothing else.
#[derive(Parser)]
#[command(name = "vak-audit-verify", version)]
struct Cli {
    #[command(flatten)]
    verify: Verify,
}

fn main() -> ExitCode {
    match Cli::parse().verify.run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
