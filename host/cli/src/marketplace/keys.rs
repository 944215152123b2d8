//! Whose keys count in a marketplace.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use vak_marketplace::Publisher as Entry;
use vak_trust::PublicKey;
use vak_types::{Grounds, KeyId, Name, Pattern};

use super::{Signing, now};
use crate::block_on;

/// Let somebody publish, with these keys and no others.
#[derive(Args)]
pub(crate) struct Publisher {
    /// Who.
    name: Name,
    /// A key of theirs, as `vak key public` prints it; repeatable.
    #[arg(long = "public", value_name = "KEY", required = true)]
    keys: Vec<PublicKey>,
    /// What new packages of theirs may be called, such as `acme-*`; repeatable.
    /// Anything that is free if it is left out.
    #[arg(long, value_name = "PATTERN")]
    names: Vec<Pattern<Name>>,
    #[command(flatten)]
    signing: Signing,
}

impl Publisher {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let Self { name, keys, names, signing } = self;
        let publisher = Entry { keys, names };
        block_on(signing.change(async |edit| Ok(edit.set_publisher(name.clone(), publisher)?)))??;
        println!("`{name}` may publish");
        Ok(ExitCode::SUCCESS)
    }
}

/// Say that a key is in the wrong hands. Nothing that it signed counts any more,
/// and hosts stop what nobody else vouches for.
#[derive(Args)]
pub(crate) struct RevokeKey {
    /// The key's id, `sha256:…`.
    key_id: KeyId,
    /// Why, in a sentence.
    #[arg(long)]
    reason: Grounds,
    #[command(flatten)]
    signing: Signing,
}

impl RevokeKey {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let Self { key_id, reason, signing } = self;
        block_on(signing.change(async |edit| {
            edit.revoke_key(key_id, reason);
            Ok(())
        }))??;
        println!("revoked the key {key_id}");
        Ok(ExitCode::SUCCESS)
    }
}

/// Put other keys in the place of those that sign the index.
#[derive(Args)]
pub(crate) struct Rotate {
    /// The new key for roots, if that is to be another.
    #[arg(long, value_name = "FILE")]
    new_root_key: Option<PathBuf>,
    /// The new key for all else; the one of `--key` if that stays.
    #[arg(long, value_name = "FILE")]
    new_key: Option<PathBuf>,
    /// The key that signs roots now.
    #[arg(long, value_name = "FILE")]
    root_key: PathBuf,
    #[command(flatten)]
    signing: Signing,
}

impl Rotate {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let Self { new_root_key, new_key, root_key, signing } = self;
        let root = signing.passphrase.open(&root_key)?;
        let new_root = signing.passphrase.open(new_root_key.as_ref().unwrap_or(&root_key))?;
        let new = signing.passphrase.open(new_key.as_ref().unwrap_or(&signing.key))?;
        let repository = block_on(signing.open())??;
        let repository = block_on(repository.rotate(&root, &new_root, &new, now()?))??;
        println!("signed with the new keys; the index counts until {}", repository.index().expires());
        Ok(ExitCode::SUCCESS)
    }
}
