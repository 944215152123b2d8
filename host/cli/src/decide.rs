//! `vak decide`

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use vak::{Able, ActionRequest, Host, Verdict};
use vak_server::http::Receipt;

use crate::{Configured, block_on, explain};

/// Exit codes: 0 allow, 1 any other verdict, 2 no verdict.
#[derive(Args)]
pub(crate) struct Decide {
    #[command(flatten)]
    configured: Configured,
    /// Say it in words, voice by voice, instead of in JSON.
    #[arg(long)]
    explain: bool,
}

impl Decide {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let host = Host::builder(self.configured.load()?).build()?;
        let mut text = String::new();
        std::io::stdin().take(2 << 20).read_to_string(&mut text).context("reading the action")?;
        let request: ActionRequest = serde_json::from_str(&text).context("the action on standard input")?;
        let action = host.stamp(request)?;
        let policies = host.policies();
        let decided = block_on(host.decide_for(&action, Able::ALL))?;
        host.close()?;
        if self.explain {
            explain::decided(&action, &decided.verdict, &policies);
            return Ok(code(&decided.verdict));
        }
        let printed = json!({
            "action": action,
            "verdict": decided.verdict,
            "arguments": decided.arguments,
            "receipt": decided.receipt.as_ref().map(Receipt::from),
        });
        println!("{}", serde_json::to_string_pretty(&printed)?);
        Ok(code(&decided.verdict))
    }
}

fn code(verdict: &Verdict) -> ExitCode {
    if verdict.is_allow() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
