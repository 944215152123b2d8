//! `vak marketplace`

mod init;
mod keys;
mod publish;
mod say;
mod serve;
mod token;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use vak_marketplace::{Edit, Repository};
use vak_skill_sign::PassphraseSource;
use vak_trust::PrivateKey;

pub(crate) use publish::Publish;
pub(crate) use say::Yank;

/// Keep a marketplace: a folder with a signed index, which any server of files
/// can offer.
#[derive(Subcommand)]
pub(crate) enum MarketplaceCommand {
    Init(init::Init),
    Publisher(keys::Publisher),
    RevokeKey(keys::RevokeKey),
    Rotate(keys::Rotate),
    Advise(say::Advise),
    Renew(Renew),
    Serve(serve::Serve),
    Token(token::Token),
}

impl MarketplaceCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Init(command) => command.run(),
            Self::Publisher(command) => command.run(),
            Self::RevokeKey(command) => command.run(),
            Self::Rotate(command) => command.run(),
            Self::Advise(command) => command.run(),
            Self::Renew(command) => command.run(),
            Self::Serve(command) => command.run(),
            Self::Token(command) => command.run(),
        }
    }
}

/// Sign an index anew, so that it counts for another week.
#[derive(Args)]
pub(crate) struct Renew {
    #[command(flatten)]
    signing: Signing,
}

impl Renew {
    fn run(self) -> anyhow::Result<ExitCode> {
        let index = crate::block_on(self.signing.change(async |_| Ok(())))??;
        println!("the index counts until {}", index.index().expires());
        Ok(ExitCode::SUCCESS)
    }
}

/// An index, and the key that signs it.
#[derive(Args)]
pub(crate) struct Signing {
    /// The folder of the index.
    #[arg(long, value_name = "FOLDER")]
    index: PathBuf,
    /// The key that signs it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseSource,
}

impl Signing {
    fn key(&self) -> anyhow::Result<PrivateKey> {
        self.passphrase.open(&self.key)
    }

    async fn open(&self) -> anyhow::Result<Repository> {
        open(&self.index).await
    }

    /// Changes the index and signs it.
    async fn change(
        &self,
        change: impl AsyncFnOnce(&mut Edit<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<Repository> {
        let key = self.key()?;
        let repository = self.open().await?;
        let mut edit = repository.edit().await?;
        change(&mut edit).await?;
        let edited = edit.finish().await?;
        Ok(repository.commit(edited, &key, now()?).await?)
    }
}

async fn open(folder: &Path) -> anyhow::Result<Repository> {
    Repository::open(folder).await.with_context(|| format!("the index in `{}`", folder.display()))
}

fn now() -> anyhow::Result<jiff::Timestamp> {
    let nanos = i128::from(crate::now()?.as_nanos());
    Ok(jiff::Timestamp::from_nanosecond(nanos)?)
}
