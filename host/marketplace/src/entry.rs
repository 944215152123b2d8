//! What the index says of a package.

use std::collections::BTreeSet;

use jiff::Timestamp;
use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};
use vak_oci::Blob;
use vak_registry::WithdrawalKind;
use vak_trust::{Manifest, ManifestError, Package};
use vak_types::{AdvisoryId, Grounds, KeyId, Kind, Name, printable};

/// Longest title, in bytes: a sentence.
const SENTENCE_BYTES_MAX: usize = 500;

/// Longest text of an advisory, in bytes: a page.
const ADVISORY_BYTES_MAX: usize = 8_192;

/// Most versions of a package, and most advisories about it.
const VERSIONS_MAX: usize = 1_024;

/// A package and all its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its name, which belongs to its publisher.
    pub name: Name,
    /// Who publishes it.
    pub publisher: Name,
    /// What all its versions are.
    pub kind: Kind,
    /// From the oldest to the newest.
    pub releases: Vec<Release>,
    /// What is known to be wrong with some of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advisories: Vec<Advisory>,
}

/// A version of a package. Its bytes never change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Which.
    pub version: Version,
    /// When it was published.
    pub published: Timestamp,
    /// The component.
    pub component: Blob,
    /// The packed manifest, whole: what is asked for can be read without
    /// fetching anything.
    pub manifest: String,
    /// The signatures of the publisher and the marketplace.
    pub signatures: Blob,
    /// The manifest of the image that has all three in a registry.
    pub image: Blob,
    /// Whose signatures the marketplace has verified, its own included.
    pub signers: BTreeSet<KeyId>,
    /// Why it must not be used any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Withdrawn>,
}

/// That a version must not be used any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    /// Whether that can be taken back: a revocation stands.
    pub kind: WithdrawalKind,
    /// Why, in a sentence.
    pub reason: Grounds,
    /// Since when.
    pub since: Timestamp,
    /// Where there is more about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advisory: Option<AdvisoryId>,
}

/// What is wrong with some versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advisory {
    /// Such as `VAK-2026-0001`.
    pub id: AdvisoryId,
    /// How bad it is.
    pub severity: Severity,
    /// Which versions have it.
    pub affected: VersionReq,
    /// In a sentence.
    pub title: String,
    /// In a paragraph.
    pub text: String,
    /// Since when it is known.
    pub published: Timestamp,
}

/// How bad something is, as CVSS has it in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// 0.1 to 3.9.
    Low,
    /// 4.0 to 6.9.
    Medium,
    /// 7.0 to 8.9.
    High,
    /// 9.0 to 10.
    Critical,
}

/// Why something is no entry of an index, whoever signed it.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// A manifest that is none.
    #[error("`{name}` {version}: {source}")]
    Manifest {
        /// Of which package.
        name: Name,
        /// Of which version.
        version: Version,
        /// What is wrong.
        source: Box<ManifestError>,
    },
    /// A manifest of something else.
    #[error("`{name}` {version} has the manifest of another package or version")]
    OtherManifest {
        /// Of which package.
        name: Name,
        /// Of which version.
        version: Version,
    },
    /// A blob that could not be a part of a package.
    #[error("`{name}` {version}: its {part} is said to have {bytes} bytes")]
    Size {
        /// Of which package.
        name: Name,
        /// Of which version.
        version: Version,
        /// Which part.
        part: &'static str,
        /// How many.
        bytes: u64,
    },
    /// Versions that are none, too many, out of order, or there twice.
    #[error("the versions of `{0}` are not 1 to {VERSIONS_MAX}, each once and in order")]
    Versions(Name),
    /// A text that is too long, or could deceive whoever reads it.
    #[error("`{name}`: the {field} is longer than {bytes_max} bytes, or has characters that nobody sees")]
    Text {
        /// Of which package.
        name: Name,
        /// Which text.
        field: &'static str,
        /// The longest allowed.
        bytes_max: usize,
    },
}

impl Entry {
    /// The version that is meant when none is named: the newest that may be used,
    /// and no pre-release where there is something else.
    pub fn current(&self) -> Option<&Release> {
        self.best(&VersionReq::STAR).or_else(|| self.usable().max_by(|one, other| one.version.cmp(&other.version)))
    }

    /// The newest version in `range` that may be used.
    pub fn best(&self, range: &VersionReq) -> Option<&Release> {
        let fitting = self.usable().filter(|release| range.matches(&release.version));
        fitting.max_by(|one, other| one.version.cmp(&other.version))
    }

    /// One version.
    pub fn release(&self, version: &Version) -> Option<&Release> {
        self.releases.iter().find(|release| release.version == *version)
    }

    /// What is known of a version.
    pub fn advisories_of<'a>(&'a self, version: &'a Version) -> impl Iterator<Item = &'a Advisory> {
        self.advisories.iter().filter(|advisory| affects(&advisory.affected, version))
    }

    fn usable(&self) -> impl Iterator<Item = &Release> {
        self.releases.iter().filter(|release| release.withdrawn.is_none())
    }

    /// Whether it can be what it says.
    ///
    /// # Errors
    /// It can't.
    pub fn check(&self) -> Result<(), EntryError> {
        let ordered = self.releases.is_sorted_by(|one, other| one.version < other.version);
        if !ordered || self.releases.is_empty() || self.releases.len().max(self.advisories.len()) > VERSIONS_MAX {
            return Err(EntryError::Versions(self.name.clone()));
        }
        for release in &self.releases {
            self.check_release(release)?;
        }
        for advisory in &self.advisories {
            self.text("title of an advisory", &advisory.title, SENTENCE_BYTES_MAX)?;
            self.text("text of an advisory", &advisory.text, ADVISORY_BYTES_MAX)?;
        }
        Ok(())
    }

    fn check_release(&self, release: &Release) -> Result<(), EntryError> {
        let (name, version) = (self.name.clone(), release.version.clone());
        let manifest = match release.manifest() {
            Ok(manifest) => manifest,
            Err(source) => return Err(EntryError::Manifest { name, version, source: source.into() }),
        };
        if manifest.name != name || manifest.version != version || manifest.kind != self.kind {
            return Err(EntryError::OtherManifest { name, version });
        }
        let parts = [
            ("component", release.component.size, Package::COMPONENT_BYTES_MAX),
            ("signature file", release.signatures.size, Package::BUNDLE_BYTES_MAX),
        ];
        for (part, bytes, bytes_max) in parts {
            if bytes > bytes_max {
                return Err(EntryError::Size { name, version, part, bytes });
            }
        }
        Ok(())
    }

    fn text(&self, field: &'static str, text: &str, bytes_max: usize) -> Result<(), EntryError> {
        let lines = text.replace('\n', " ");
        match text.len() <= bytes_max && printable(&lines, usize::MAX) == lines {
            true => Ok(()),
            false => Err(EntryError::Text { name: self.name.clone(), field, bytes_max }),
        }
    }
}

impl Release {
    /// What it says of itself.
    ///
    /// # Errors
    /// The text is no manifest; an entry that was checked has one.
    pub fn manifest(&self) -> Result<Manifest, ManifestError> {
        Manifest::from_packed(self.manifest.as_bytes())
    }

    /// The manifest as bytes that are kept elsewhere.
    pub fn manifest_blob(&self) -> Blob {
        Blob::of(self.manifest.as_bytes())
    }
}

/// Whether a version is in a range of affected ones. `<1.2.0` means its
/// pre-releases too: for what is safe to be told of a danger, semver's rule, by
/// which only a pre-release's own range matches it, errs on the wrong side.
fn affects(range: &VersionReq, version: &Version) -> bool {
    let release = Version::new(version.major, version.minor, version.patch);
    range.matches(version) || range.matches(&release) || !version.pre.is_empty() && below(range, &release)
}

/// Whether what comes just before `release` is in the range.
fn below(range: &VersionReq, release: &Version) -> bool {
    let before = match (release.major, release.minor, release.patch) {
        (major, minor, patch @ 1..) => Version::new(major, minor, patch - 1),
        (major, minor @ 1.., 0) => Version::new(major, minor - 1, u64::from(u32::MAX)),
        (major @ 1.., 0, 0) => Version::new(major - 1, u64::from(u32::MAX), 0),
        _ => return range.matches(release),
    };
    range.matches(&before)
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        })
    }
}
