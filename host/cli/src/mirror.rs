//! `vak mirror`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use vak_marketplace::{Marketplace, Source};
use vak_oci::Image;
use vak_types::Name;

use crate::markets::{Chosen, images};
use crate::{Configured, block_on};

/// Copy a marketplace into a folder, for machines without a network: its whole
/// index, and the images. There, `index = "FOLDER/index"` and `registry =
/// "FOLDER/images"` are the marketplace, for as long as the index counts; run it
/// again before that.
#[derive(Args)]
pub(crate) struct Mirror {
    /// The folder.
    folder: PathBuf,
    /// Whose images to copy; all if none is named.
    names: Vec<Name>,
    #[command(flatten)]
    configured: Configured,
    #[command(flatten)]
    chosen: Chosen,
}

impl Mirror {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.configured.load()?;
        let markets = self.chosen.all(&config)?;
        let [market] = markets.as_slice() else {
            anyhow::bail!("a folder is the mirror of one marketplace; say `--marketplace`");
        };
        let section = config.marketplaces.iter().find(|section| section.name == *market.name());
        let section = section.context("the marketplace is gone")?;
        let root = std::fs::read(&section.root).with_context(|| format!("the root `{}`", section.root.display()))?;
        let source = Source::new(section.index.parse()?)?;
        let copy = Marketplace::new(market.name().clone(), source, root, self.folder.join("index"));
        let layout = self.folder.join("images").display().to_string();
        block_on(async {
            let index = copy.mirror().await?;
            let (from, to) = (market.images(&index)?, images(&layout, None, None)?);
            let (parts, mut count) = (market.parts()?, 0);
            for entry in index.entries().await? {
                if !self.names.is_empty() && !self.names.contains(&entry.name) {
                    continue;
                }
                // What must not be used is not handed on.
                for release in entry.releases.iter().filter(|release| release.withdrawn.is_none()) {
                    let image = Image {
                        manifest: release.image,
                        component: release.component,
                        package_manifest: release.manifest_blob(),
                        signatures: release.signatures,
                    };
                    from.copy(&entry.name, &release.version, &image, &to, &parts).await?;
                    count += 1;
                }
            }
            println!("{count} images; the index counts until {}", index.expires());
            Ok(ExitCode::SUCCESS)
        })?
    }
}
