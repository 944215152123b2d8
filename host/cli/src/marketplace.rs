//! `vak marketplace`

mod serve;
mod token;

use std::process::ExitCode;

use clap::Subcommand;

/// Run a marketplace of signed packages.
#[derive(Subcommand)]
pub(crate) enum Marketplace {
    Serve(serve::Serve),
    Token(token::Token),
}

impl Marketplace {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Serve(command) => command.run(),
            Self::Token(command) => command.run(),
        }
    }
}
