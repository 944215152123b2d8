//! Where a component comes from.

use std::fmt;
use std::path::Path;

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};
use vak_types::Name;

use super::ConfigError;

/// Where a component comes from: `component` or `package` in its section.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// A `.wasm` file; manifest and signature lie beside it.
    File(&'a Path),
    /// A package in the store.
    Package {
        /// Its name there.
        name: &'a Name,
        /// Which versions will do; any if there is none.
        versions: Option<&'a Versions>,
    },
}

/// Versions that will do, such as `^1.2`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Versions(VersionReq);

impl Versions {
    /// Whether `version` will do.
    pub fn include(&self, version: &Version) -> bool {
        self.0.matches(version)
    }
}

impl TryFrom<String> for Versions {
    type Error = semver::Error;

    fn try_from(text: String) -> Result<Self, semver::Error> {
        text.parse().map(Self)
    }
}

impl From<Versions> for String {
    fn from(versions: Versions) -> String {
        versions.to_string()
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'a> Source<'a> {
    /// What the section of the component `of` says.
    pub(crate) fn of(
        of: &Name,
        component: Option<&'a Path>,
        package: Option<&'a Name>,
        versions: Option<&'a Versions>,
    ) -> Result<Self, ConfigError> {
        match (component, package, versions) {
            (Some(path), None, None) => Ok(Self::File(path)),
            (None, Some(name), versions) => Ok(Self::Package { name, versions }),
            (Some(_), None, Some(_)) => Err(ConfigError::VersionOfFile(of.clone())),
            _ => Err(ConfigError::Source(of.clone())),
        }
    }
}
