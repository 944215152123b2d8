//! `vak component`

mod about;
mod diff;
mod imports;
mod inspect;
mod subject;

use std::process::ExitCode;

use clap::Subcommand;

use crate::{Configured, now};

/// Show and check components.
#[derive(Subcommand)]
pub(crate) enum Component {
    /// Show what a package is, imports, asks for and is granted, and who signed
    /// it. Exit codes: 0 it verifies, 1 it does not, 2 it cannot be read.
    Inspect(inspect::Inspect),
    /// Show what a new version of a package would change. Exit codes: 0 it asks
    /// for no more than the old one, 1 it does, 2 one of them cannot be read.
    Diff(diff::Diff),
    /// Verify and load every component of a configuration, or one, as the host
    /// would. Exit codes: 0 all load, 2 one does not.
    Verify {
        #[command(flatten)]
        configured: Configured,
        /// Only the component with this name in the configuration.
        name: Option<vak::Name>,
    },
}

impl Component {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Inspect(command) => command.run(),
            Self::Diff(command) => command.run(),
            Self::Verify { configured, name } => verify(&configured, name.as_ref()),
        }
    }
}

fn verify(configured: &Configured, name: Option<&vak::Name>) -> anyhow::Result<ExitCode> {
    let config = configured.load()?;
    let (engine, trusted) = (config.engine()?, config.trusted()?);
    let chosen = config.installations().filter(|installation| name.is_none_or(|name| name == installation.name));
    let (memory, mut found) = (config.memory(), 0);
    for installation in chosen {
        let loaded = installation.load(&engine, &trusted, &memory, now()?)?;
        let component = loaded.component();
        let signer = component.signer.map_or_else(|| "UNSIGNED".to_owned(), |signer| format!("signed by {signer}"));
        println!("{} {}: {}, {signer}", installation.kind, component.name, component.digest);
        found += 1;
    }
    anyhow::ensure!(name.is_none() || found == 1, "the configuration has no such component");
    Ok(ExitCode::SUCCESS)
}
