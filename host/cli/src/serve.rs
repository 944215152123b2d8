//! `vak serve`

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use vak::Host;
use vak_server::http::{self, Server};

use crate::Configured;
use crate::reload::Reloading;

/// Serve HTTP, as the configuration says under `[server]`: decisions for
/// applications, and skills. Prints where it listens, one place a line.
///
/// Reads the configuration again, with its tokens, when it or something that it
/// names has changed, and at SIGHUP; one that does not load leaves the old one
/// deciding. Ends at SIGTERM or SIGINT, when what was
/// begun has ended.
#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    configured: Configured,
    /// Print what can be asked, as OpenAPI, and nothing else.
    #[arg(long)]
    openapi: bool,
}

impl Serve {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        if self.openapi {
            print!("{}", http::openapi()?);
            return Ok(ExitCode::SUCCESS);
        }
        let (config, reloading) = Reloading::start(self.configured)?;
        let host = Arc::new(Host::builder(config).build()?);
        // Several threads: a policy or a skill that takes its time on one of them
        // must not keep everybody waiting.
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(serve(Arc::clone(&host), reloading))?;
        // Its tasks have the host too.
        drop(runtime);
        Arc::into_inner(host).context("something still uses the host; its log is not closed")?.close()?;
        Ok(ExitCode::SUCCESS)
    }
}

async fn serve(host: Arc<Host>, reloading: Reloading) -> anyhow::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let hangups = signal(SignalKind::hangup())?;
    let server = Server::start(Arc::clone(&host)).await?;
    let mut output = std::io::stdout().lock();
    for place in server.places() {
        writeln!(output, "listening on {place}")?;
    }
    output.flush()?;
    drop(output);
    let reloading = tokio::spawn(reloading.run(host, hangups));
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    reloading.abort();
    server.drain().await;
    Ok(())
}
