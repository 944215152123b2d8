//! `vak-skill-sign`

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use vak_skill_sign::Command;

/// Signs and verifies components and their manifests, and does nothing else.
#[derive(Parser)]
#[command(name = "vak-skill-sign", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    match Cli::parse().command.run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
