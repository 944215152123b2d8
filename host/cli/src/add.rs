//! `vak add` and `vak update`

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use semver::{Comparator, Op, Version, VersionReq};
use vak::Config;
use vak_marketplace::{Entry, Index, Lock, Locked, Release};
use vak_trust::{Package, PublicKey, TrustError};
use vak_types::{Name, printable};

use crate::install::{Placed, place};
use crate::markets::{Chosen, Market, Wanted, find};
use crate::{Configured, block_on, now};

/// Install packages from a marketplace, and note them in `vak.lock`.
///
/// Exit codes: 0 all are installed, 1 nobody agreed to replace what is there,
/// 2 something is not trusted, withdrawn or not to be had. What was installed
/// before that stays.
#[derive(Args)]
pub(crate) struct Add {
    /// Names, such as `hash` or `hash@^0.1`.
    #[arg(value_name = "NAME[@RANGE]", required_unless_present = "locked")]
    wanted: Vec<Wanted>,
    /// Install what `vak.lock` has, byte for byte.
    #[arg(long, conflicts_with = "wanted")]
    locked: bool,
    #[command(flatten)]
    configured: Configured,
    #[command(flatten)]
    chosen: Chosen,
    /// Agree to whatever replacing an installed version would change.
    #[arg(long)]
    yes: bool,
}

/// Ask the marketplaces what is new, and install newer versions of what was
/// added, in the ranges that were asked for.
///
/// Exit codes: 0 all is as new as it can be, 1 something that is installed was
/// withdrawn and nothing takes its place, or nobody agreed, 2 something is not
/// to be had.
#[derive(Args)]
pub(crate) struct Update {
    /// Which; all that were added if none is named.
    names: Vec<Name>,
    #[command(flatten)]
    configured: Configured,
    #[command(flatten)]
    chosen: Chosen,
    /// Agree to whatever replacing an installed version would change.
    #[arg(long)]
    yes: bool,
}

impl Add {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.configured.load()?;
        let markets = self.chosen.all(&config)?;
        let session = Session { config: &config, lock: self.configured.lock(), yes: self.yes };
        block_on(async {
            match self.locked {
                true => session.locked(&markets).await,
                false => session.add(&markets, &self.wanted).await,
            }
        })?
    }
}

impl Update {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.configured.load()?;
        let markets = self.chosen.all(&config)?;
        let session = Session { config: &config, lock: self.configured.lock(), yes: self.yes };
        block_on(session.update(&markets, &self.names))?
    }
}

/// What installs.
struct Session<'a> {
    config: &'a Config,
    lock: PathBuf,
    yes: bool,
}

impl Session<'_> {
    async fn add(&self, markets: &[Market<'_>], wanted: &[Wanted]) -> anyhow::Result<ExitCode> {
        for Wanted { name, range } in wanted {
            let (market, index, entry) = find(markets, name).await?;
            let release = match range {
                Some(range) => entry.choose(range)?,
                None => entry.current().map_or_else(|| entry.choose(&VersionReq::STAR), Ok)?,
            };
            let range = range.clone().unwrap_or_else(|| compatible(&release.version));
            if !self.install(market, &index, &entry, release, range).await? {
                return Ok(ExitCode::from(1));
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn locked(&self, markets: &[Market<'_>]) -> anyhow::Result<ExitCode> {
        let lock = Lock::read(&self.lock)?;
        ensure!(!lock.packages.is_empty(), "`{}` has no packages", self.lock.display());
        for (name, locked) in lock.packages {
            let market = markets.iter().find(|market| *market.name() == locked.marketplace);
            let market = market.with_context(|| {
                format!("`{name}` is from `{}`, which is none of the configuration's marketplaces", locked.marketplace)
            })?;
            let index = market.index().await?;
            let entry = index
                .entry(&name)
                .await?
                .with_context(|| format!("`{}` has no `{name}` any more", locked.marketplace))?;
            let exactly = VersionReq { comparators: vec![exactly(&locked.version)] };
            let release = entry.choose(&exactly)?;
            same(&name, release, &locked)?;
            if !self.install(market, &index, &entry, release, locked.range).await? {
                return Ok(ExitCode::from(1));
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn update(&self, markets: &[Market<'_>], names: &[Name]) -> anyhow::Result<ExitCode> {
        let mut indexes = BTreeMap::new();
        for market in markets {
            let index = market.index().await.with_context(|| format!("the marketplace `{}`", market.name()))?;
            indexes.insert(market.name(), (market, index));
        }
        let lock = Lock::read(&self.lock)?;
        if let Some(name) = names.iter().find(|name| !lock.packages.contains_key(name)) {
            bail!("`{name}` was not added; `vak add {name}` does that");
        }
        let mut code = ExitCode::SUCCESS;
        for (name, locked) in lock.packages.iter().filter(|(name, _)| names.is_empty() || names.contains(name)) {
            let Some((market, index)) = indexes.get(&locked.marketplace) else { continue };
            let Some(entry) = index.entry(name).await? else { continue };
            match entry.best(&locked.range) {
                Some(release) if release.version == locked.version => same(name, release, locked)?,
                // An index is never older than it was, so this is after a withdrawal.
                Some(release) => {
                    if !self.install(market, index, &entry, release, locked.range.clone()).await? {
                        code = ExitCode::from(1);
                    }
                }
                None => {
                    eprintln!(
                        "warning: {}",
                        entry.choose(&locked.range).err().map(|error| error.to_string()).unwrap_or_default()
                    );
                    code = ExitCode::from(1);
                }
            }
        }
        println!("{} packages are as new as their ranges allow", lock.packages.len());
        Ok(code)
    }

    /// Whether it is installed now; if not, nobody agreed.
    async fn install(
        &self,
        market: &Market<'_>,
        index: &Index,
        entry: &Entry,
        release: &Release,
        range: VersionReq,
    ) -> anyhow::Result<bool> {
        let package = match self.installed(&entry.name, release) {
            Some(package) => package,
            None => release.fetch(&entry.name, &market.images(index)?, &market.parts()?).await?,
        };
        for advisory in entry.advisories_of(&release.version) {
            eprintln!("warning: {} ({}): {}", advisory.id, advisory.severity, printable(&advisory.title, 500));
        }
        let placed = place(self.config, package, now()?, self.yes);
        let placed = placed.map_err(|error| believing(error, market.name(), index))?;
        if placed == Placed::NotAgreed {
            return Ok(false);
        }
        let locked = Locked {
            marketplace: market.name().clone(),
            range,
            version: release.version.clone(),
            component: release.component.digest,
            manifest: release.manifest_blob().digest,
        };
        Lock::change(&self.lock, |lock| drop(lock.packages.insert(entry.name.clone(), locked)))?;
        Ok(true)
    }

    /// The same package, if it is here already.
    fn installed(&self, name: &Name, release: &Release) -> Option<Package> {
        let package = self.config.store().get(name).ok()?;
        let (component, manifest) = package.digests();
        let signatures = package.bundle.as_deref().map(vak_types::Digest::of)?;
        let same = component == release.component.digest
            && manifest == release.manifest_blob().digest
            && signatures == release.signatures.digest;
        same.then_some(package)
    }
}

/// That a version is still the one that was added.
fn same(name: &Name, release: &Release, locked: &Locked) -> anyhow::Result<()> {
    ensure!(
        release.component.digest == locked.component && release.manifest_blob().digest == locked.manifest,
        "`{name}` {} is another one in `{}` than in `vak.lock`: it was put in its place",
        locked.version,
        locked.marketplace,
    );
    Ok(())
}

/// Says how to believe what a marketplace vouches for.
fn believing(error: anyhow::Error, name: &Name, index: &Index) -> anyhow::Error {
    match error.downcast_ref::<TrustError>() {
        Some(TrustError::Unmet { .. }) => anyhow::anyhow!(
            "{error}\n\nTo believe all that the marketplace `{name}` vouches for, add to vak.toml:\n{}",
            trusted(name, &index.header().key)
        ),
        _ => error,
    }
}

/// The lines with which a configuration believes a marketplace.
pub(crate) fn trusted(name: &Name, key: &PublicKey) -> String {
    format!("[[trust.keys]]\nname = \"{name}\"\npublic = \"{key}\"\nroles = [\"publisher\", \"marketplace\"]\n")
}

/// What is asked for if no range is: versions that should be able to take its
/// place.
fn compatible(version: &Version) -> VersionReq {
    VersionReq { comparators: vec![Comparator { op: Op::Caret, ..exactly(version) }] }
}

fn exactly(version: &Version) -> Comparator {
    let Version { major, minor, patch, ref pre, .. } = *version;
    Comparator { op: Op::Exact, major, minor: Some(minor), patch: Some(patch), pre: pre.clone() }
}
