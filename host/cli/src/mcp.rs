//! `vak mcp`

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use vak::Host;

use crate::{Configured, block_on};

/// `vak mcp --config vak.toml -- COMMAND…`
#[derive(Args)]
pub(crate) struct Mcp {
    #[command(flatten)]
    configured: Configured,
    /// The MCP server to govern: a program and its arguments.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Mcp {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let host = Arc::new(Host::builder(self.configured.load()?).build()?);
        block_on(vak_server::mcp::serve_stdio(host, self.command))??;
        Ok(ExitCode::SUCCESS)
    }
}
