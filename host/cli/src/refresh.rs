//! What marketplaces withdraw while a host runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};
use vak::{Config, Host};
use vak_types::Name;

use crate::markets::Market;
use crate::{block_on, explain};

/// How often to look whether it is time.
const TICK: Duration = Duration::from_secs(1);

/// Asks the marketplaces of the configuration what they withdrew: now, and then
/// as often as it says. The host sees what is kept of it at the next decision.
pub(crate) async fn refreshing(host: Arc<Host>) {
    let mut asked: Vec<(Name, Instant)> = Vec::new();
    loop {
        let config = host.config();
        for section in config.marketplaces.iter().filter(|section| section.refresh_s > 0) {
            let every = Duration::from_secs(section.refresh_s.into());
            let last = asked.iter().find(|(name, _)| *name == section.name).map(|(_, last)| *last);
            if last.is_some_and(|last| last.elapsed() < every) {
                continue;
            }
            asked.retain(|(name, _)| *name != section.name);
            asked.push((section.name.clone(), Instant::now()));
            if let Err(error) = ask(Arc::clone(&config), section.name.clone()).await {
                tracing::warn!(
                    marketplace = %section.name,
                    "nobody knows what was withdrawn since the last time: {}",
                    explain(&error)
                );
            }
        }
        sleep_until(Instant::now() + TICK).await;
    }
}

/// On a thread of its own: files are read and signatures verified, while calls
/// go on. It is not waited for when the host ends.
async fn ask(config: Arc<Config>, name: Name) -> anyhow::Result<()> {
    let (tell, told) = oneshot::channel();
    std::thread::Builder::new().name("vak-refresh".to_owned()).spawn(move || {
        let refresh = || {
            let section = config.marketplaces.iter().find(|section| section.name == name);
            section.map_or(Ok(()), |section| {
                let market = Market::open(&config, section)?;
                block_on(market.refresh())?.map(drop)
            })
        };
        // Nobody listens when the host ends.
        tell.send(refresh()).unwrap_or_default();
    })?;
    told.await?
}
