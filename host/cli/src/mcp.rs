//! `vak mcp`

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use vak::Host;

use crate::reload::reload;
use crate::{Configured, block_on};

/// `vak mcp --config vak.toml -- COMMAND…`. Reads the configuration again at
/// SIGHUP; one that does not load leaves the old one deciding.
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
        let (configured, command) = (self.configured, self.command);
        block_on(async {
            let hangups = signal(SignalKind::hangup())?;
            let reloading = tokio::spawn(reload(Arc::clone(&host), configured, hangups));
            let served = vak_server::mcp::serve_stdio(host, command).await;
            reloading.abort();
            anyhow::Ok(served?)
        })??;
        Ok(ExitCode::SUCCESS)
    }
}
