//! `vak mcp`

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use vak::Host;

use crate::{Configured, block_on, explain};

/// `vak mcp --config vak.toml -- COMMAND…`. Reads the configuration again at
/// SIGHUP; one that does not load leaves the old one deciding.
#[derive(Args)]
pub(crate) struct Mcp {
    #[command(flatten)]
    configured: Configured,
    /// The MCP server to govern: a program and its arguments. Beside those of
    /// `[[mcp.upstreams]]`, or instead of them.
    #[arg(last = true, value_name = "COMMAND")]
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

/// Reads the configuration again at each SIGHUP. One that does not load leaves
/// the old one deciding.
async fn reload(host: Arc<Host>, configured: Configured, mut hangups: Signal) {
    while hangups.recv().await.is_some() {
        match reloaded(&host, &configured).await {
            Ok(seq) => tracing::warn!(seq, "another configuration decides from here on"),
            Err(error) => tracing::error!("the configuration stays as it is: {}", explain(&error)),
        }
    }
}

async fn reloaded(host: &Arc<Host>, configured: &Configured) -> anyhow::Result<u64> {
    let (config, beside) = (configured.load()?, Arc::clone(host));
    // Compiling takes seconds, and calls go on meanwhile.
    let prepared = tokio::task::spawn_blocking(move || beside.prepare(config)).await??;
    Ok(host.switch_to(prepared).await?.seq())
}
