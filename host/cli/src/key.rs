//! `vak key`

use std::process::ExitCode;

use clap::Subcommand;
use vak_skill_sign::{Keygen, Public};

/// Make and show keys.
#[derive(Subcommand)]
pub(crate) enum Key {
    New(Keygen),
    Public(Public),
}

impl Key {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::New(command) => command.run(),
            Self::Public(command) => command.run(),
        }
    }
}
