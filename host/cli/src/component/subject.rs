//! The package that a command is about.

use std::path::{Path, PathBuf};

use clap::Args;
use vak::{Config, Name, Override};
use vak_trust::{Package, PublicKey, TrustPolicy};

use crate::Configured;

/// Where packages are looked for and who is trusted.
#[derive(Args)]
pub(super) struct Known {
    /// The configuration whose trust settings, grants and installed packages
    /// count; without it `vak.toml`, if there is one here.
    #[arg(long, value_name = "FILE", env = "VAK_CONFIG")]
    config: Option<PathBuf>,
    /// A trusted publisher's public key, in place of the configuration's trust
    /// settings; repeatable.
    #[arg(long, value_name = "KEY")]
    key: Vec<PublicKey>,
}

/// A package, and where it is from.
pub(super) struct Subject {
    pub(super) package: Package,
    pub(super) place: Place,
}

/// Where a package is from.
pub(super) enum Place {
    File(PathBuf),
    Installed(Name),
}

impl Known {
    /// The configuration, if one is named or lies here.
    pub(super) fn config(&self) -> anyhow::Result<Option<Config>> {
        let path = match &self.config {
            Some(path) => path.clone(),
            None if Path::new(Configured::DEFAULT).exists() => Configured::DEFAULT.into(),
            None => return Ok(None),
        };
        Ok(Some(Config::load(&path, &Override::from_environment())?))
    }

    /// Whose signatures count; nobody's if nothing says so.
    pub(super) fn trust(&self, config: Option<&Config>) -> anyhow::Result<TrustPolicy> {
        Ok(match config {
            Some(config) if self.key.is_empty() => config.trust_policy()?,
            _ => TrustPolicy::of_publishers(self.key.iter().copied()),
        })
    }
}

impl Subject {
    /// Reads `text`: a file if it ends in `.wasm` or has a slash, otherwise the
    /// name of an installed package.
    pub(super) fn read(text: &str, config: Option<&Config>) -> anyhow::Result<Self> {
        if text.ends_with(".wasm") || text.contains('/') {
            let package = Package::read(Path::new(text))?;
            return Ok(Self { package, place: Place::File(text.into()) });
        }
        let name: Name = text.parse()?;
        let Some(config) = config else {
            anyhow::bail!("`{name}` is not a `.wasm` file, and without a `vak.toml` there is no store; use `--config`")
        };
        let package = config.store().get(&name)?;
        Ok(Self { package, place: Place::Installed(name) })
    }
}
