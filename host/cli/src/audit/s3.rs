//! `vak audit archive` and `vak audit restore`

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::Context as _;
use clap::Args;

#[derive(Args)]
pub(crate) struct Passed {
    /// Arguments of `vak-audit-s3`; `--help` says which.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl Passed {
    pub(super) fn run(self, command: &str) -> anyhow::Result<ExitCode> {
        let status = Command::new(vak::program_of_s3()).arg(command).args(self.arguments).status();
        let status = status.context("starting `vak-audit-s3`; install it beside `vak`")?;
        Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
    }
}
