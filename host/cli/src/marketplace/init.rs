//! `vak marketplace init`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use vak_marketplace::Repository;
use vak_skill_sign::PassphraseSource;
use vak_types::Name;

use super::now;
use crate::block_on;

/// Begin an index without packages.
#[derive(Args)]
pub(crate) struct Init {
    /// The folder, which is made.
    #[arg(long, value_name = "FOLDER")]
    index: PathBuf,
    /// What the marketplace is called.
    #[arg(long)]
    name: Name,
    /// Where its images are, such as `https://registry.example.org/vak`, or the
    /// absolute path of a folder.
    #[arg(long, value_name = "PLACE")]
    registry: String,
    /// The key that says which keys count. It is needed once a year, so keep it
    /// in a safe.
    #[arg(long, value_name = "FILE")]
    root_key: PathBuf,
    /// The key that signs all else, and vouches for packages.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseSource,
}

impl Init {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let Self { index, name, registry, root_key, key, passphrase } = self;
        let _: vak_oci::Location = registry.parse()?;
        let (root_key, key) = (passphrase.open(&root_key)?, passphrase.open(&key)?);
        anyhow::ensure!(
            root_key.public() != key.public(),
            "the root key has to be another key: it is what remains when the other one is lost"
        );
        block_on(Repository::create(&index, name.clone(), registry, &root_key, &key, now()?))??;
        println!(
            "began the index `{name}`. Who uses it needs `{}`, and in vak.toml:\n\n\
             [[marketplaces]]\nname = \"{name}\"\nindex = \"https://…\"  # where the folder is offered\n\
             root = \"{name}.root.json\"\n\
             [[trust.keys]]\nname = \"{name}\"\npublic = \"{}\"\nroles = [\"marketplace\"]\n\
             [[trust.rules]]\nrequire = {{ any_of = [{{ role = \"publisher\" }}, {{ role = \"marketplace\" }}] }}",
            index.join("metadata/1.root.json").display(),
            key.public()
        );
        Ok(ExitCode::SUCCESS)
    }
}
