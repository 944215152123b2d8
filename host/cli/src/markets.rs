//! The marketplaces of a configuration.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, bail};
use clap::Args;
use semver::{Version, VersionReq};
use vak::Config;
use vak::config::Marketplace as Section;
use vak_marketplace::{Entry, Index, Marketplace, Refreshed, Source};
use vak_oci::{Credentials, Images, Settings};
use vak_types::{Digest, Name};

/// A package, and which of its versions.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) name: Name,
    /// Any that may be used, if it is left out.
    pub(crate) range: Option<VersionReq>,
}

impl FromStr for Wanted {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (name, range) = match text.split_once('@') {
            Some((name, range)) => (name, Some(range)),
            None => (text, None),
        };
        let range = range.map(|range| range.parse().with_context(|| format!("`{range}` is no range of versions")));
        Ok(Self { name: name.parse()?, range: range.transpose()? })
    }
}

/// One version of a package.
#[derive(Debug, Clone)]
pub(crate) struct Exactly {
    pub(crate) name: Name,
    pub(crate) version: Version,
}

impl FromStr for Exactly {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (name, version) = text.split_once('@').context("name the version too, such as `hash@0.1.0`")?;
        let version = version.parse().with_context(|| format!("`{version}` is no version"))?;
        Ok(Self { name: name.parse()?, version })
    }
}

/// Which marketplaces are meant.
#[derive(Args)]
pub(crate) struct Chosen {
    /// The name of one marketplace of the configuration; all if it is left out.
    #[arg(long, value_name = "NAME")]
    marketplace: Option<Name>,
}

impl Chosen {
    pub(crate) fn all<'a>(&self, config: &'a Config) -> anyhow::Result<Vec<Market<'a>>> {
        if config.marketplaces.is_empty() {
            bail!(
                "the configuration names no marketplace; add one under [[marketplaces]], with `name`, `index` and `root`"
            );
        }
        let chosen = |section: &&Section| self.marketplace.as_ref().is_none_or(|name| section.name == *name);
        let sections: Vec<_> = config.marketplaces.iter().filter(chosen).collect();
        match &self.marketplace {
            Some(name) if sections.is_empty() => bail!("no marketplace of the configuration is named `{name}`"),
            _ => sections.into_iter().map(|section| Market::open(config, section)).collect(),
        }
    }
}

/// A marketplace, and how its images are had.
pub(crate) struct Market<'a> {
    section: &'a Section,
    config: &'a Config,
    pub(crate) marketplace: Marketplace,
}

impl<'a> Market<'a> {
    pub(crate) fn open(config: &'a Config, section: &'a Section) -> anyhow::Result<Self> {
        let root = std::fs::read(&section.root);
        let root = root.with_context(|| format!("the root `{}`", section.root.display()))?;
        // Who begins with another root begins anew.
        let folder = format!("{}-{}", section.name, &Digest::of(&root).to_hex()[..16]);
        let folder = config.state.join("marketplaces").join(folder);
        let marketplace = Marketplace::new(section.name.clone(), Source::new(section.index.parse()?)?, root, folder);
        Ok(Self { section, config, marketplace })
    }

    pub(crate) fn name(&self) -> &Name {
        self.marketplace.name()
    }

    /// Asks what is new, and lets the hosts here know what was withdrawn.
    pub(crate) async fn refresh(&self) -> anyhow::Result<Refreshed> {
        let refreshed = self.marketplace.refresh().await?;
        let withdrawn = self.marketplace.index().await?.withdrawn().await?;
        self.config.store().withdraw(self.name(), &withdrawn.to_withdrawals())?;
        Ok(refreshed)
    }

    /// What it says now.
    pub(crate) async fn index(&self) -> anyhow::Result<Index> {
        self.refresh().await?;
        Ok(self.marketplace.index().await?)
    }

    /// Where its images are.
    pub(crate) fn images(&self, index: &Index) -> anyhow::Result<Images> {
        let place = self.section.registry.as_deref().unwrap_or(&index.header().registry);
        images(place, self.section.token.as_deref(), self.section.ca.clone())
    }

    /// Where downloads lie that were cut.
    pub(crate) fn parts(&self) -> anyhow::Result<PathBuf> {
        let folder = self.config.state.join("marketplaces").join("downloads");
        std::fs::create_dir_all(&folder).with_context(|| format!("`{}`", folder.display()))?;
        Ok(folder)
    }
}

/// The images at `place`.
pub(crate) fn images(place: &str, token: Option<&Path>, authorities: Option<PathBuf>) -> anyhow::Result<Images> {
    let credentials = token.map(|path| -> anyhow::Result<_> {
        let text = std::fs::read_to_string(path).with_context(|| format!("the token file `{}`", path.display()))?;
        // A user's password has a colon before it; tokens have none.
        Ok(match text.trim().split_once(':') {
            Some((user, password)) => {
                Credentials::Password { user: user.to_owned(), password: password.to_owned().into() }
            }
            None => Credentials::Token(text.trim().to_owned().into()),
        })
    });
    let settings = Settings { credentials: credentials.transpose()?, authorities, ..Settings::default() };
    Ok(Images::open(&place.parse()?, settings)?)
}

/// A package in the one marketplace that has it.
pub(crate) async fn find<'a, 'b>(
    markets: &'b [Market<'a>],
    name: &Name,
) -> anyhow::Result<(&'b Market<'a>, Index, Entry)> {
    let mut found: Option<(&Market<'_>, Index, Entry)> = None;
    for market in markets {
        let index = market.index().await.with_context(|| format!("the marketplace `{}`", market.name()))?;
        let Some(entry) = index.entry(name).await? else { continue };
        if let Some((other, ..)) = &found {
            bail!("`{}` and `{}` both have `{name}`; say `--marketplace`", other.name(), market.name());
        }
        found = Some((market, index, entry));
    }
    found.with_context(|| format!("no marketplace of the configuration has `{name}`; `vak search` shows what there is"))
}
