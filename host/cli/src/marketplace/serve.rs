//! `vak marketplace serve`

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use vak_marketplace_site::{Site, router};
use vak_serving::{House, Limits, Place, Plain};

/// How long an answer may take: an upload of the largest component, and its way
/// into the registry.
const REQUEST_WITHIN: Duration = Duration::from_secs(300);

/// Serve a marketplace's index: pages for people, a search, and the index itself
/// for `vak`. Prints where it listens.
///
/// What `vak marketplace publish` and others change in the folder is shown a
/// second later, if it verifies. There is no TLS here: put a server in front that
/// speaks it. Ends at SIGTERM or SIGINT.
#[derive(Args)]
pub(crate) struct Serve {
    /// The folder of the index.
    #[arg(long, value_name = "DIR")]
    index: PathBuf,
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8788")]
    listen: SocketAddr,
}

impl Serve {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(self.serve())?;
        Ok(ExitCode::SUCCESS)
    }

    async fn serve(self) -> anyhow::Result<()> {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let site = Site::open(self.index).await?;
        let listener = vak_serving::address(self.listen).await?;
        let place = Place::Address { address: listener.local_addr()?, tls: false };
        let house = House::new(Limits { request_within: REQUEST_WITHIN, ..Limits::default() });
        house.open(listener, None, Plain::new(router(site, None), &house));
        let mut output = std::io::stdout().lock();
        writeln!(output, "listening on {place}")?;
        output.flush()?;
        drop(output);
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        house.drain().await;
        Ok(())
    }
}
