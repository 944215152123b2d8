//! `vak audit archive` and `vak audit restore`

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::Context as _;
use clap::Args;

/// The program that talks to S3, so that this one does not carry what it takes.
const PROGRAM: &str = "vak-audit-s3";

#[derive(Args)]
pub(crate) struct Passed {
    /// Arguments of `vak-audit-s3`; `--help` says which.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

impl Passed {
    /// Runs the program that lies beside this one, or else the one on the path.
    pub(super) fn run(self, command: &str) -> anyhow::Result<ExitCode> {
        let beside = std::env::current_exe()?.with_file_name(PROGRAM);
        let program = if beside.exists() { beside.into_os_string() } else { PROGRAM.into() };
        let status = Command::new(program).arg(command).args(self.arguments).status();
        let status = status.with_context(|| format!("starting `{PROGRAM}`; install it beside `vak`"))?;
        Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
    }
}
