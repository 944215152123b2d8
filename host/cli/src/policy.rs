//! `vak policy`

mod diff;
mod junit;
mod test;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use vak_pipeline::{Approval, Asked};
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

/// What `policies` say of an action together, whose session did this before, and
/// to which a person may have agreed, without limits and without a log, to
/// somebody who can meet every obligation.
fn judge(policies: &[Guard], action: &Action, past: &Arc<Past>, approval: Option<&Approval>) -> Verdict {
    let asked = Asked { action, past: Some(past), able: vak::Able::ALL, approval };
    vak_pipeline::judge(policies, asked, false).verdict
}
