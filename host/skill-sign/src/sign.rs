//! Signing.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Args;
use serde_json::json;
use vak_trust::{Manifest, Package, PrivateKey, Validity};

use crate::files::{Outcome, each};
use crate::passphrase::PassphraseSource;
use crate::time::Times;

/// Sign components and their manifests.
#[derive(Args)]
pub struct Sign {
    /// The private key's file.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The components, each `NAME.wasm`; `NAME.manifest.json` lies beside it,
    /// and the signature is written there as `NAME.sigstore.json`.
    #[arg(value_name = "FILE", required = true)]
    components: Vec<PathBuf>,
    #[command(flatten)]
    times: Times,
    /// Keep the signatures of others that are there. Without it they are
    /// replaced.
    #[arg(long)]
    add: bool,
    #[command(flatten)]
    passphrase: PassphraseSource,
    /// Print a JSON object for each component.
    #[arg(long)]
    json: bool,
}

impl Sign {
    /// Signs.
    ///
    /// # Errors
    /// The key or a package can't be read, a manifest is not valid, or a
    /// signature can't be written.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let validity = self.times.validity()?;
        let key = self.passphrase.open(&self.key)?;
        each(&self.components, |path| self.sign(path, &key, validity))
    }

    fn sign(&self, path: &Path, key: &PrivateKey, validity: Validity) -> anyhow::Result<Outcome> {
        let named = || format!("signing `{}`", path.display());
        let package = Package::read(path)?;
        // Nobody could load it, so nobody should sign it.
        Manifest::from_packed(&package.manifest).with_context(named)?;
        let (component, manifest) = package.digests();
        let signed = match self.add {
            false => package.sign(key, validity),
            true => {
                let claims = package.claims().with_context(named)?;
                let fits = claims.iter().all(|claim| (claim.component, claim.manifest) == (component, manifest));
                ensure!(
                    fits,
                    "a signature beside `{}` is over other bytes; sign without `--add` to replace it",
                    path.display()
                );
                package.countersign(key, validity).with_context(named)?
            }
        };
        let signatures = signed.claims()?.len();
        let file = signed.write_signatures(path)?;
        let signer = key.public().id();
        match self.json {
            true => println!(
                "{}",
                json!({
                    "file": path.to_string_lossy(), "signature": file.to_string_lossy(), "signer": signer, "signatures": signatures,
                    "signed_at": validity.signed_at().to_string(),
                    "expires_at": validity.expires_at().map(|time| time.to_string()),
                    "component": component, "manifest": manifest,
                })
            ),
            false => println!("signed {} by {signer}", path.display()),
        }
        Ok(Outcome::Fine)
    }
}
