//! `vak audit-skills`

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use vak::Config;
use vak_marketplace::{Advisory, Index, Lock, Severity, Withdrawn};
use vak_trust::{Manifest, Unsigned};
use vak_types::{Digest, Name};

use crate::markets::Chosen;
use crate::table::Table;
use crate::words::{lines, quoted, sentences, signer};
use crate::{Configured, block_on, now};

/// Look at what is installed: who signed it, what it may ask for, and what the
/// marketplaces know about it now.
///
/// Exit codes: 0 nothing is wrong, 1 something was withdrawn, has an advisory
/// that is high or critical, or is not trusted, 2 nobody could be asked.
#[derive(Args)]
pub(crate) struct AuditSkills {
    #[command(flatten)]
    configured: Configured,
    #[command(flatten)]
    chosen: Chosen,
    /// Say what was known at the last refresh, and ask nobody.
    #[arg(long)]
    offline: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// An installed package.
#[derive(Serialize)]
struct Audited {
    name: Name,
    version: Option<String>,
    component: Digest,
    /// From which marketplace it was added, and who published it there.
    marketplace: Option<Name>,
    publisher: Option<Name>,
    signers: Vec<String>,
    grants: Vec<String>,
    withdrawn: Option<Withdrawn>,
    advisories: Vec<Advisory>,
    /// Why it is not trusted.
    problem: Option<String>,
}

impl AuditSkills {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.configured.load()?;
        let mut indexes = Vec::new();
        for market in self.chosen.all(&config)? {
            let index = match self.offline {
                true => block_on(market.marketplace.index())??,
                false => block_on(market.index())??,
            };
            indexes.push((market.name().clone(), index));
        }
        let lock = Lock::read(&self.configured.lock())?;
        let mut audited = Vec::new();
        for name in config.store().list()? {
            audited.push(block_on(Audited::of(name, &config, &indexes, &lock))??);
        }
        match self.json {
            true => println!("{}", serde_json::to_string_pretty(&audited)?),
            false => audited.iter().for_each(Audited::print),
        }
        Ok(ExitCode::from(u8::from(audited.iter().any(Audited::is_bad))))
    }
}

impl Audited {
    async fn of(name: Name, config: &Config, indexes: &[(Name, Index)], lock: &Lock) -> anyhow::Result<Self> {
        let package = config.store().get(&name)?;
        let (component, _) = package.digests();
        let manifest = Manifest::from_packed(&package.manifest).ok();
        let (signers, problem) = match config.trust_policy()?.verify(package, Unsigned::Refuse, now()?) {
            Ok(verified) => (verified.signers().iter().map(|id| signer(&config.trust.keys, *id)).collect(), None),
            Err(error) => (Vec::new(), Some(quoted(&error.to_string()))),
        };
        let mut audited = Self {
            version: manifest.as_ref().map(|manifest| manifest.version.to_string()),
            component,
            marketplace: None,
            publisher: None,
            signers,
            grants: manifest.map(|manifest| sentences(&manifest.grants.rights())).unwrap_or_default(),
            withdrawn: None,
            advisories: Vec::new(),
            problem,
            name,
        };
        for (marketplace, index) in indexes {
            // Whoever says that these bytes are dangerous is heard, under whatever
            // name.
            if let Some(known) = index.withdrawn().await?.components.remove(&component) {
                audited.withdrawn = Some(known.withdrawn);
            }
            let locked = lock.packages.get(&audited.name).is_none_or(|locked| locked.marketplace == *marketplace);
            let Some(entry) = index.entry(&audited.name).await?.filter(|_| locked) else { continue };
            let release = entry.releases.iter().find(|release| release.component.digest == component);
            if let Some(release) = release {
                audited.marketplace = Some(marketplace.clone());
                audited.publisher = Some(entry.publisher.clone());
                audited.advisories.extend(entry.advisories_of(&release.version).cloned());
            }
        }
        Ok(audited)
    }

    fn is_bad(&self) -> bool {
        let severe = self.advisories.iter().any(|advisory| advisory.severity >= Severity::High);
        severe || self.withdrawn.is_some() || self.problem.is_some()
    }

    fn print(&self) {
        let mut table = Table::default();
        let version = self.version.as_deref().unwrap_or("?");
        table.add("name", [format!("{} {version}", self.name)]);
        if let Some(Withdrawn { kind, reason, .. }) = &self.withdrawn {
            table.add("WITHDRAWN", [format!("{kind}: {reason}")]);
        }
        table.add("NOT TRUSTED", self.problem.as_deref());
        for advisory in &self.advisories {
            table.add("advisory", [format!("{} ({}): {}", advisory.id, advisory.severity, lines(&advisory.title))]);
        }
        let from = self.marketplace.iter().zip(&self.publisher);
        table.add("from", from.map(|(marketplace, publisher)| format!("`{marketplace}`, published by `{publisher}`")));
        table.add("component", [self.component.to_string()]);
        table.add("signed by", &self.signers);
        let nothing = self.grants.is_empty().then(|| "nothing".to_owned());
        table.add("asks for", self.grants.iter().cloned().chain(nothing));
        println!("{table}");
    }
}
