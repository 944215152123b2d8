//! `vak install` and `vak remove`

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use vak::config::Source;
use vak::{Config, Name};
use vak_marketplace::Lock;
use vak_registry::{Change, Concern, InstallError, Outcome};
use vak_trust::{Component, Package, TrustedKey, Unsigned, Verified};
use vak_types::Timestamp;

use crate::table::Table;
use crate::words::{lines, sentences, signer};
use crate::{Configured, now};

/// Exit codes: 0 it is installed, 1 nobody agreed to replace what is there,
/// 2 it is not trusted or cannot be installed. Either way the store is as it was.
#[derive(Args)]
pub(crate) struct Install {
    /// The component, `NAME.wasm`; its manifest and signature lie beside it.
    file: PathBuf,
    #[command(flatten)]
    configured: Configured,
    /// Agree to whatever replacing the installed version would change.
    #[arg(long)]
    yes: bool,
}

/// Exit codes: 0 it is gone, 2 it was not installed or cannot be removed.
#[derive(Args)]
pub(crate) struct Remove {
    /// The package's name.
    name: Name,
    #[command(flatten)]
    configured: Configured,
}

impl Install {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.configured.load()?;
        match place(&config, Package::read(&self.file)?, now()?, self.yes)? {
            Placed::Installed => Ok(ExitCode::SUCCESS),
            Placed::NotAgreed => Ok(ExitCode::from(1)),
        }
    }
}

/// Whether a package is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placed {
    /// It is.
    Installed,
    /// Another version stays; nobody agreed to replace it.
    NotAgreed,
}

/// Shows a package and installs it. Unless `yes`, somebody is asked where it
/// changes more than the version.
pub(crate) fn place(config: &Config, package: Package, now: Timestamp, yes: bool) -> anyhow::Result<Placed> {
    let trust = config.trust_policy()?;
    let verified = trust.verify(package.clone(), Unsigned::Refuse, now)?;
    let manifest = &verified.get().manifest;
    print!("{}", introduction(&verified, &config.trust.keys));
    let installed = config.store().install(package, &trust, now, &mut |change| {
        ask(change, &config.trust.keys);
        yes || answer()
    });
    match installed {
        Ok(Outcome::New) => println!("\ninstalled {} {}", manifest.name, manifest.version),
        Ok(Outcome::Replaced(old)) => {
            println!("\ninstalled {} {} in place of {old}", manifest.name, manifest.version);
        }
        Ok(Outcome::Unchanged) => {
            println!("\n{} {} is installed already; nothing changed", manifest.name, manifest.version);
        }
        Err(InstallError::NotAgreed(change)) => {
            eprintln!("{} {} stays installed; agree on a terminal or with --yes", change.name, change.from);
            return Ok(Placed::NotAgreed);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(Placed::Installed)
}

/// What is about to be installed.
fn introduction(verified: &Verified<Component>, keys: &[TrustedKey]) -> Table {
    let manifest = &verified.get().manifest;
    let mut table = Table::default();
    table.add("name", [format!("{} {}, a {}", manifest.name, manifest.version, manifest.kind)]);
    table.add("about", lines(&manifest.description).lines());
    table.add("licence", [&manifest.license]);
    table.add("component", [verified.get().digest.to_string()]);
    table.add("signed by", verified.signers().iter().map(|id| signer(keys, *id)));
    let rights = sentences(&manifest.grants.rights());
    let nothing = rights.is_empty().then(|| "nothing".to_owned());
    table.add("asks for", rights.into_iter().chain(nothing));
    table
}

fn ask(change: &Change, keys: &[TrustedKey]) {
    eprintln!("\nThis would replace {} {} by {}, and:", change.name, change.from, change.to);
    for concern in &change.concerns {
        match concern {
            Concern::Widens(rights) => {
                eprintln!("* It asks for more than the installed version:");
                sentences(rights).iter().for_each(|right| eprintln!("    {right}"));
            }
            Concern::Older { from, .. } => eprintln!("* It is older than the installed version, {from}."),
            Concern::OtherSigner { from, to } => {
                eprintln!("* It is by somebody else, who may be taking over the name:");
                eprintln!("    installed  {}", signer(keys, *from));
                eprintln!("    this one   {}", signer(keys, *to));
            }
        }
    }
}

/// Whether somebody at the terminal says yes. Where nobody can, nobody does.
fn answer() -> bool {
    if !std::io::stdin().is_terminal() {
        return false;
    }
    eprint!("Replace it? [y/N] ");
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line).is_ok();
    read && matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

impl Remove {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.configured.load()?;
        config.store().remove(&self.name)?;
        Lock::change(&self.configured.lock(), |lock| drop(lock.packages.remove(&self.name)))?;
        println!("removed {}", self.name);
        for user in config.installations() {
            if matches!(user.source(), Ok(Source::Package { name, .. }) if *name == self.name) {
                eprintln!("warning: {} `{}` of the configuration uses it and won't load", user.kind, user.name);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
