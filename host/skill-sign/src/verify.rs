//! Verifying.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Args;
use serde::Deserialize;
use serde_json::json;
use vak_trust::{Component, Package, PackageError, PublicKey, TrustPolicy, TrustSettings, Unsigned, Verified};
use vak_types::{Timestamp, printable};

use crate::files::{Outcome, each};

/// As long as a host's configuration may be.
const CONFIGURATION_BYTES_MAX: u64 = 1 << 20;

/// Longest reason, in bytes.
const REASON_BYTES_MAX: usize = 4_096;

/// Check that components and their manifests are what those who count signed.
/// Exit codes: 0 they are, 1 one is not, 2 one could not be checked.
#[derive(Args)]
pub struct Verify {
    /// The components, each `NAME.wasm`.
    #[arg(value_name = "FILE", required = true)]
    components: Vec<PathBuf>,
    /// The public key of a publisher whose signature counts, `ed25519:…`;
    /// repeatable.
    #[arg(long, value_name = "KEY", required_unless_present = "trust", conflicts_with = "trust")]
    key: Vec<PublicKey>,
    /// A configuration such as `vak.toml`, whose `[trust]` says what it takes.
    /// The rest of it is not read.
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Print a JSON object for each component.
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
struct Configuration {
    trust: Option<TrustSettings>,
}

impl Verify {
    /// Verifies, and prints what was found.
    ///
    /// # Errors
    /// A file is not there, or is no configuration.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let policy = match &self.trust {
            Some(path) => policy(path)?,
            None => TrustPolicy::of_publishers(self.key.iter().copied()),
        };
        let now = Timestamp::from_nanos(u64::try_from(jiff::Timestamp::now().as_nanosecond())?);
        each(&self.components, |path| self.verify(path, &policy, now))
    }

    fn verify(&self, path: &Path, policy: &TrustPolicy, now: Timestamp) -> anyhow::Result<Outcome> {
        let verified = match Package::read(path) {
            Ok(package) => policy.verify(package, Unsigned::Refuse, now).map_err(|error| error.to_string()),
            // No package is as large.
            Err(error @ PackageError::TooLarge { .. }) => Err(error.to_string()),
            Err(error) => return Err(error.into()),
        };
        match verified {
            Ok(verified) => {
                self.tell(path, &verified);
                Ok(Outcome::Fine)
            }
            Err(reason) => {
                let reason = printable(&reason, REASON_BYTES_MAX);
                match self.json {
                    true => {
                        println!("{}", json!({ "file": path.to_string_lossy(), "verified": false, "reason": reason }))
                    }
                    false => eprintln!("NOT VERIFIED {}: {reason}", path.display()),
                }
                Ok(Outcome::Refused)
            }
        }
    }

    fn tell(&self, path: &Path, verified: &Verified<Component>) {
        let Component { digest, manifest, .. } = verified.get();
        match self.json {
            true => println!(
                "{}",
                json!({
                    "file": path.to_string_lossy(), "verified": true, "name": manifest.name, "version": manifest.version.to_string(),
                    "kind": manifest.kind, "component": digest, "signers": verified.signers(),
                })
            ),
            false => {
                let signers: Vec<_> = verified.signers().iter().map(ToString::to_string).collect();
                println!(
                    "verified {}: {} {} {}, {digest}, signed by {}",
                    path.display(),
                    manifest.kind,
                    manifest.name,
                    manifest.version,
                    signers.join(" and ")
                );
            }
        }
    }
}

fn policy(path: &Path) -> anyhow::Result<TrustPolicy> {
    let named = || format!("the configuration `{}`", path.display());
    let mut text = String::new();
    let file = std::fs::File::open(path).with_context(named)?;
    file.take(CONFIGURATION_BYTES_MAX + 1).read_to_string(&mut text).with_context(named)?;
    ensure!(text.len() as u64 <= CONFIGURATION_BYTES_MAX, "{} is too large", named());
    let configuration: Configuration = toml::from_str(&text).with_context(named)?;
    let trust = configuration.trust.with_context(|| format!("{} has no [trust]", named()))?;
    TrustPolicy::new(trust).with_context(named)
}
