//! From the index to a package that is whole.

use std::path::Path;

use semver::{Version, VersionReq};
use vak_oci::{Images, OciError};
use vak_trust::Package;
use vak_types::{Name, printable};

use crate::entry::{Entry, Release};

/// Why there is no package to install.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No version fits.
    #[error("`{name}` has no version {range} that may be used{}", instead(.newest.as_ref()))]
    NoVersion {
        /// The package.
        name: Name,
        /// What was asked for.
        range: VersionReq,
        /// The newest there is.
        newest: Option<Version>,
    },
    /// Whoever asked for exactly this does not get it.
    #[error("`{name}` {version} was {kind}: {}", printable(.reason, 512))]
    Withdrawn {
        /// The package.
        name: Name,
        /// The version.
        version: Version,
        /// How.
        kind: vak_registry::WithdrawalKind,
        /// Why.
        reason: String,
    },
    /// The registry does not give it.
    #[error(transparent)]
    Registry(#[from] OciError),
}

fn instead(newest: Option<&Version>) -> String {
    newest.map(|version| format!("; the newest is {version}")).unwrap_or_default()
}

impl Entry {
    /// The newest version in `range` that may be used.
    ///
    /// # Errors
    /// There is none; if the range means one version alone, why.
    pub fn choose(&self, range: &VersionReq) -> Result<&Release, FetchError> {
        if let Some(release) = self.best(range) {
            return Ok(release);
        }
        let mut fitting = self.releases.iter().rev().filter(|release| range.matches(&release.version));
        if let Some(Release { version, withdrawn: Some(withdrawn), .. }) = fitting.next() {
            return Err(FetchError::Withdrawn {
                name: self.name.clone(),
                version: version.clone(),
                kind: withdrawn.kind,
                reason: withdrawn.reason.to_string(),
            });
        }
        let newest = self.current().map(|release| release.version.clone());
        Err(FetchError::NoVersion { name: self.name.clone(), range: range.clone(), newest })
    }
}

impl Release {
    /// The package, of which every byte is as the index says. What comes of a
    /// download that is cut is kept in the folder `parts`, and gone on with.
    ///
    /// # Errors
    /// The registry does not give it, or gives something else.
    pub async fn fetch(&self, name: &Name, images: &Images, parts: &Path) -> Result<Package, FetchError> {
        let part = |blob: &vak_oci::Blob| parts.join(format!("{}.part", blob.digest.to_hex()));
        let (component, signatures) = (part(&self.component), part(&self.signatures));
        let (component, signatures) = tokio::try_join!(
            images.fetch(name, self.component, &component),
            images.fetch(name, self.signatures, &signatures),
        )?;
        // The manifest is in the index already, signed with it.
        Ok(Package {
            component: component.into(),
            manifest: self.manifest.clone().into_bytes(),
            bundle: Some(signatures.into()),
        })
    }
}
