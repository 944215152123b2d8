//! `[[marketplaces]]`: where packages come from, and who says what is withdrawn.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vak_types::Name;

/// A marketplace.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Marketplace {
    /// What it is called, as its index says too.
    pub name: Name,
    /// Where its index is: an `https` address, or a folder such as a mirror.
    pub index: String,
    /// Its root metadata, which says whose signatures of the index count. Get it
    /// from somewhere else than the index.
    pub root: PathBuf,
    /// Where its images are, if not where the index says: an `https` address, or
    /// a folder with an OCI image layout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// The file with a token for `registry`, or with `USER:PASSWORD`. Nobody else
    /// is sent it: where the index says its images are is the marketplace's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<PathBuf>,
    /// The authorities that certify the registry, in PEM; Mozilla's if it is left
    /// out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// How often a running host asks what was withdrawn, in seconds; never if it
    /// is 0.
    #[serde(default = "hourly")]
    pub refresh_s: u32,
}

fn hourly() -> u32 {
    3_600
}

impl Marketplace {
    /// Whether a token could go wherever the index says.
    pub(super) fn strays(&self) -> bool {
        self.token.is_some() && self.registry.is_none()
    }

    pub(super) fn resolve(&mut self, folder: &Path) {
        for place in [Some(&mut self.index), self.registry.as_mut()].into_iter().flatten() {
            if !place.contains("://") {
                // What is no UTF-8 is in no TOML file.
                *place = folder.join(&*place).to_string_lossy().into_owned();
            }
        }
        let paths = [Some(&mut self.root), self.token.as_mut(), self.ca.as_mut()];
        paths.into_iter().flatten().for_each(|path| *path = folder.join(&*path));
    }
}
