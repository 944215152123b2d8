//! `vak key` and `vak sign`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use vak_trust::{Package, PrivateKey, Validity};

use crate::now;

/// Make and show keys.
#[derive(Subcommand)]
pub(crate) enum Key {
    /// Make an Ed25519 key in a new file with mode 0600; prints its public half.
    New {
        /// The file; it must not exist.
        file: PathBuf,
    },
    /// Print the public half of a key, as `[[trust.keys]]` takes it.
    Public {
        /// The key's file.
        file: PathBuf,
    },
}

impl Key {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let key = match self {
            Self::New { file } => {
                let key = PrivateKey::generate()?;
                key.write(&file)?;
                key
            }
            Self::Public { file } => PrivateKey::read(&file)?,
        };
        println!("{}", key.public());
        Ok(ExitCode::SUCCESS)
    }
}

/// Sign a component and its manifest.
#[derive(Args)]
pub(crate) struct Sign {
    /// The private key's file.
    #[arg(long)]
    key: PathBuf,
    /// The component, `NAME.wasm`; `NAME.manifest.json` lies beside it, and the
    /// signature is written there as `NAME.sigstore.json`.
    component: PathBuf,
}

impl Sign {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let key = PrivateKey::read(&self.key)?;
        let validity = Validity::since(now()?);
        Package::read(&self.component)?.sign(&key, validity).write(&self.component)?;
        println!("signed {} by {}", self.component.display(), key.public().id());
        Ok(ExitCode::SUCCESS)
    }
}
