//! `vak policy`

mod diff;
mod junit;
mod test;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use vak_plugin::Policy as Guard;
use vak_types::{Action, Past, Verdict};

/// Try configurations before they decide.
#[derive(Subcommand)]
pub(crate) enum Policy {
    Test(test::Test),
    Diff(diff::Diff),
}

impl Policy {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Test(command) => command.run(),
            Self::Diff(command) => command.run(),
        }
    }
}

/// What `policies` say of an action together, whose session did this before,
/// without limits and without a log, to somebody who can meet every obligation.
fn judge(policies: &[Guard], action: &Action, past: &Arc<Past>) -> Verdict {
    vak_pipeline::judge(policies, action, Some(past), vak::Able::ALL, false).verdict
}
