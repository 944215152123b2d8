//! Where passphrases come from.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use vak_trust::{Passphrase, PrivateKey};

/// Where a passphrase stands for those who can't be asked.
const VARIABLE: &str = "VAK_KEY_PASSPHRASE";

/// Far longer than anybody's passphrase, in bytes.
const BYTES_MAX: u64 = 1_024;

// No doc comment: it would become that of the command it is part of.
#[derive(Debug, Args)]
pub struct PassphraseSource {
    /// A file whose first line is the passphrase of the key; only its owner may
    /// read it. Without it VAK_KEY_PASSPHRASE counts, or else the terminal is
    /// asked.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl PassphraseSource {
    /// Reads a key file and, if it is encrypted, gets its passphrase.
    ///
    /// # Errors
    /// There is no such key, or no passphrase for it.
    pub fn open(&self, key: &Path) -> anyhow::Result<PrivateKey> {
        PrivateKey::read_with(key, || {
            let text = match self.given()? {
                Some(text) => text,
                None => ask(&format!("Passphrase of `{}`: ", key.display()))?,
            };
            Ok(Passphrase::new(text))
        })
    }

    /// A passphrase for a new key; a person has to say it twice.
    pub(crate) fn choose(&self, key: &Path) -> anyhow::Result<Passphrase> {
        let text = match self.given()? {
            Some(text) => text,
            None => {
                let text = ask(&format!("Passphrase for `{}`: ", key.display()))?;
                ensure!(text == ask("The same again: ")?, "the two passphrases differ; nothing was written");
                text
            }
        };
        Ok(Passphrase::protecting(text)?)
    }

    fn given(&self) -> anyhow::Result<Option<String>> {
        match (&self.passphrase_file, std::env::var(VARIABLE)) {
            (Some(path), _) => first_line(path).map(Some),
            (None, Ok(text)) => Ok(Some(text)),
            (None, Err(std::env::VarError::NotPresent)) => Ok(None),
            (None, Err(std::env::VarError::NotUnicode(_))) => bail!("the variable {VARIABLE} is not UTF-8"),
        }
    }
}

fn ask(prompt: &str) -> anyhow::Result<String> {
    rpassword::prompt_password(prompt).with_context(|| {
        format!("there is no terminal to ask for the passphrase; give `--passphrase-file` or set {VARIABLE}")
    })
}

fn first_line(path: &Path) -> anyhow::Result<String> {
    let named = || format!("the passphrase file `{}`", path.display());
    let file = File::open(path).with_context(named)?;
    let metadata = file.metadata().with_context(named)?;
    let mode = metadata.permissions().mode() & 0o777;
    // A pipe belongs to whoever made it.
    ensure!(!metadata.is_file() || mode & 0o077 == 0, "{} has mode {mode:04o}; run `chmod 600` on it", named());
    let mut text = String::new();
    file.take(BYTES_MAX + 1).read_to_string(&mut text).with_context(named)?;
    ensure!(text.len() as u64 <= BYTES_MAX, "{} is longer than {BYTES_MAX} bytes", named());
    let line = text.lines().next().unwrap_or_default();
    ensure!(!line.is_empty(), "{} begins with an empty line", named());
    Ok(line.to_owned())
}
