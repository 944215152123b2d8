//! `vak publish`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use vak_trust::Package;

use super::{Signing, now};
use crate::block_on;
use crate::markets::images;

/// Publish signed packages in a marketplace: verify that a publisher of it signed
/// them, sign them with its key too, push them to its registry, and enter them in
/// its index.
#[derive(Args)]
pub(crate) struct Publish {
    /// The components, `NAME.wasm`; manifest and signature lie beside each.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    signing: Signing,
    /// Where images are pushed to, if not where the index says that they are.
    #[arg(long, value_name = "PLACE")]
    registry: Option<String>,
    /// The file with a token for the registry, or with `USER:PASSWORD`.
    #[arg(long, value_name = "FILE")]
    token: Option<PathBuf>,
    /// The authorities that certify the registry, in PEM.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl Publish {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let Self { files, signing, registry, token, ca } = self;
        let key = signing.key()?;
        let packages: Vec<_> = files.iter().map(|file| Package::read(file)).collect::<Result<_, _>>()?;
        block_on(async {
            let mut repository = signing.open().await?;
            let place = registry.unwrap_or_else(|| repository.index().header().registry.clone());
            let images = images(&place, token.as_deref(), ca)?;
            for package in packages {
                let (next, published) = repository.publish(package, None, &images, &key, now()?).await?;
                println!("published {} {} by `{}`", published.name, published.version, published.publisher);
                repository = next;
            }
            Ok(ExitCode::SUCCESS)
        })?
    }
}
