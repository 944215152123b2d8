//! Showing public keys.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::passphrase::PassphraseSource;

/// Print the public half of a key, as `[[trust.keys]]` takes it.
#[derive(Args)]
pub struct Public {
    /// The private key's file.
    file: PathBuf,
    /// Print it in PEM (SubjectPublicKeyInfo), for other tools.
    #[arg(long)]
    pem: bool,
    #[command(flatten)]
    passphrase: PassphraseSource,
    /// Print one JSON object with both forms and the key's id.
    #[arg(long, conflicts_with = "pem")]
    json: bool,
}

impl Public {
    /// Prints it.
    ///
    /// # Errors
    /// The file is no key, can be read by others, or is encrypted and there is
    /// no passphrase.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let public = self.passphrase.open(&self.file)?.public();
        match (self.json, self.pem) {
            (true, _) => println!("{}", json!({ "public": public, "id": public.id(), "pem": public.to_pem() })),
            (false, true) => print!("{}", public.to_pem()),
            (false, false) => println!("{public}"),
        }
        Ok(ExitCode::SUCCESS)
    }
}
