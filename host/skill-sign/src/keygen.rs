//! Making keys.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::ensure;
use clap::{Args, ValueEnum};
use serde_json::json;
use vak_trust::{KeyError, KeyFormat, PrivateKey};

use crate::passphrase::PassphraseSource;

/// Make an Ed25519 key in a new file with mode 0600; prints its public half.
#[derive(Args)]
pub struct Keygen {
    /// The file; it must not exist.
    file: PathBuf,
    /// Encrypt it with a passphrase.
    #[arg(long)]
    encrypt: bool,
    /// How it is written: PKCS#8 in PEM, or its 32 bytes and nothing else.
    #[arg(long, value_enum, default_value_t = Format::Pem)]
    format: Format,
    #[command(flatten)]
    passphrase: PassphraseSource,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Pem,
    Raw,
}

impl Keygen {
    /// Makes it.
    ///
    /// # Errors
    /// The file exists or cannot be written, or there is no fit passphrase.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let Self { file, encrypt, format, passphrase, json } = self;
        ensure!(!encrypt || format == Format::Pem, "a raw key can't be encrypted; leave out one of the two");
        // Before anybody is asked anything. Writing makes sure of it.
        if file.symlink_metadata().is_ok() {
            return Err(KeyError::Exists(file).into());
        }
        let format = match (encrypt, format) {
            (true, _) => KeyFormat::EncryptedPem(passphrase.choose(&file)?),
            (false, Format::Pem) => KeyFormat::Pem,
            (false, Format::Raw) => KeyFormat::Raw,
        };
        let key = PrivateKey::generate()?;
        key.write_as(&file, &format)?;
        let public = key.public();
        match json {
            true => println!("{}", json!({ "file": file.to_string_lossy(), "public": public, "id": public.id() })),
            false => println!("{public}"),
        }
        Ok(ExitCode::SUCCESS)
    }
}
