//! Showing what a package says of itself.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};
use vak_trust::{Claim, Manifest, Package};
use vak_types::printable;

use crate::files::{Outcome, each};

/// Longest text that is quoted of a file, in bytes.
const QUOTE_BYTES_MAX: usize = 200;

/// Print who is said to have signed components, when and over what. Nothing is
/// verified: anybody can write such files. Exit codes: 0 there are signatures
/// over these bytes, 1 there are none or over others, 2 a file can't be read.
#[derive(Args)]
pub struct Info {
    /// The components, each `NAME.wasm`.
    #[arg(value_name = "FILE", required = true)]
    components: Vec<PathBuf>,
    /// Print a JSON object for each component.
    #[arg(long)]
    json: bool,
}

impl Info {
    /// Prints it.
    ///
    /// # Errors
    /// A file can't be read.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        each(&self.components, |path| self.show(path))
    }

    fn show(&self, path: &Path) -> anyhow::Result<Outcome> {
        let package = Package::read(path)?;
        let said = Said {
            manifest: Manifest::from_packed(&package.manifest).map_err(|error| error.to_string()),
            claims: package.claims().map_err(|error| error.to_string()),
            package,
        };
        match self.json {
            true => println!("{}", said.json(path)),
            false => said.print(path),
        }
        Ok(match said.fits() {
            true => Outcome::Fine,
            false => Outcome::Refused,
        })
    }
}

struct Said {
    package: Package,
    manifest: Result<Manifest, String>,
    claims: Result<Vec<Claim>, String>,
}

impl Said {
    /// Whether there are signatures, and all say that they are over these bytes.
    fn fits(&self) -> bool {
        self.claims.as_ref().is_ok_and(|claims| !claims.is_empty() && claims.iter().all(|claim| self.is_over(claim)))
    }

    fn is_over(&self, claim: &Claim) -> bool {
        self.package.digests() == (claim.component, claim.manifest)
    }

    fn print(&self, path: &Path) {
        let (component, manifest) = self.package.digests();
        println!("{} (nothing here is verified)", path.display());
        println!("  component {component}");
        println!("  manifest  {manifest}");
        match &self.manifest {
            Ok(Manifest { kind, name, version, .. }) => println!("  says it is the {kind} {name} {version}"),
            Err(error) => println!("  {}", printable(error, QUOTE_BYTES_MAX)),
        }
        let claims = match &self.claims {
            Ok(claims) if claims.is_empty() => return println!("  is not signed"),
            Ok(claims) => claims,
            Err(error) => return println!("  {}", printable(error, QUOTE_BYTES_MAX)),
        };
        for claim in claims {
            println!("  says it is signed by {}", printable(&claim.signer, QUOTE_BYTES_MAX));
            let signed_at = claim.validity.signed_at();
            match claim.validity.expires_at() {
                Some(expires_at) => println!("    at {signed_at}, until {expires_at}"),
                None => println!("    at {signed_at}, without an end"),
            }
            let over = |named: &str, said, found| match said == found {
                true => println!("    over this {named}"),
                false => println!("    over ANOTHER {named}, {said}"),
            };
            over("component", claim.component, component);
            over("manifest", claim.manifest, manifest);
        }
    }

    fn json(&self, path: &Path) -> Value {
        let (component, manifest) = self.package.digests();
        let claims = self.claims.as_ref().map(Vec::as_slice).unwrap_or_default();
        let signatures: Vec<_> = claims
            .iter()
            .map(|claim| {
                json!({
                    "signer": claim.signer, "component": claim.component, "manifest": claim.manifest,
                    "signed_at": claim.validity.signed_at().to_string(),
                    "expires_at": claim.validity.expires_at().map(|time| time.to_string()),
                    "fits": self.is_over(claim),
                })
            })
            .collect();
        let says = self
            .manifest
            .as_ref()
            .ok()
            .map(|says| json!({ "name": says.name, "version": says.version.to_string(), "kind": says.kind }));
        let errors: Vec<_> = [self.manifest.as_ref().err(), self.claims.as_ref().err()].into_iter().flatten().collect();
        json!({
            "file": path.to_string_lossy(), "verified": Value::Null, "component": component, "manifest": manifest,
            "says": says, "signatures": signatures, "fits": self.fits(), "errors": errors,
        })
    }
}
