//! `vak marketplace serve`

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use vak_marketplace::{PublishError, Published, Repository, RepositoryError};
use vak_marketplace_site::{Publish, Site, Tokens, Uploads, router};
use vak_oci::Images;
use vak_serving::{House, Limits, Place, Plain};
use vak_skill_sign::PassphraseSource;
use vak_trust::{Package, PrivateKey};
use vak_types::Name;

use super::open;
use crate::markets::images;

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
    #[command(flatten)]
    uploading: Uploading,
}

/// What publishers upload with. Without it nothing can be changed.
#[derive(Args)]
struct Uploading {
    /// The file with the publishers' tokens, as `vak marketplace token` prints
    /// their lines. Who shows one may send packages of that publisher to
    /// `/v1/packages`.
    #[arg(long, value_name = "FILE", requires = "key")]
    tokens: Option<PathBuf>,
    /// The key that signs the index, and vouches for what is uploaded.
    #[arg(long, value_name = "FILE", requires = "tokens")]
    key: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseSource,
    /// Where images are pushed to, if not where the index says that they are.
    #[arg(long, value_name = "PLACE", requires = "tokens")]
    registry: Option<String>,
    /// The file with a token for the registry, or with `USER:PASSWORD`.
    #[arg(long, value_name = "FILE", requires = "tokens")]
    registry_token: Option<PathBuf>,
    /// The authorities that certify the registry, in PEM.
    #[arg(long, value_name = "FILE", requires = "tokens")]
    ca: Option<PathBuf>,
}

impl Uploading {
    async fn open(self, index: PathBuf) -> anyhow::Result<Option<Uploads>> {
        let (Some(tokens), Some(key)) = (self.tokens, self.key) else { return Ok(None) };
        let (tokens, key) = (Tokens::read(&tokens)?, self.passphrase.open(&key)?);
        let header = open(&index).await?.index().header().clone();
        anyhow::ensure!(header.key == key.public(), "the key is not the one that signs this index");
        let place = self.registry.unwrap_or(header.registry);
        let images = images(&place, self.registry_token.as_deref(), self.ca)?;
        Ok(Some(Uploads::new(tokens, Arc::new(Desk { index, images, key }))))
    }
}

/// Takes packages into the folder's index.
struct Desk {
    index: PathBuf,
    images: Images,
    key: PrivateKey,
}

#[async_trait::async_trait]
impl Publish for Desk {
    async fn publish(self: Arc<Self>, publisher: Name, package: Package) -> Result<Published, PublishError> {
        // Whoever else changes the index holds its lock, which is waited for.
        let runtime = tokio::runtime::Handle::current();
        let work = move || {
            runtime.block_on(async {
                let repository = Repository::open(&self.index).await?;
                let published =
                    repository.publish(package, Some(&publisher), &self.images, &self.key, jiff::Timestamp::now());
                Ok(published.await?.1)
            })
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|error| Err(RepositoryError::Sign(error.to_string()).into()))
    }
}

impl Serve {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(self.serve())?;
        Ok(ExitCode::SUCCESS)
    }

    async fn serve(self) -> anyhow::Result<()> {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let uploads = self.uploading.open(self.index.clone()).await?;
        let site = Site::open(self.index).await?;
        let listener = vak_serving::address(self.listen).await?;
        let place = Place::Address { address: listener.local_addr()?, tls: false };
        let house = House::new(Limits { request_within: REQUEST_WITHIN, ..Limits::default() });
        house.open(listener, None, Plain::new(router(site, uploads), &house));
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
