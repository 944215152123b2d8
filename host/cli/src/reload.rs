//! Another configuration while the host runs.

use std::sync::Arc;

use tokio::signal::unix::Signal;
use vak::Host;

use crate::{Configured, explain};

/// Reads the configuration again at each SIGHUP. One that does not load leaves
/// the old one deciding.
pub(crate) async fn reload(host: Arc<Host>, configured: Configured, mut hangups: Signal) {
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
