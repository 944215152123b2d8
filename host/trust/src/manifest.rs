//! What a component says of itself.

use semver::Version;
use vak_types::{Grant, Kind, Name};

/// A manifest is a page of text at the most.
const BYTES_MAX: usize = 64 * 1024;

/// Longest description, in bytes: a paragraph.
const DESCRIPTION_BYTES_MAX: usize = 2_048;

/// Longest licence expression, in bytes.
const LICENSE_BYTES_MAX: usize = 256;

/// Why a manifest was refused.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not the TOML that a manifest is written in.
    #[error("the manifest is not valid: {0}")]
    Toml(#[from] toml::de::Error),
    /// Not the JSON that a packed manifest is.
    #[error("the packed manifest is not valid: {0}")]
    Json(#[from] serde_json::Error),
    /// A field or the whole is too long.
    #[error("the manifest's {field} has {bytes} bytes; the most is {bytes_max}")]
    TooLong {
        /// Which part.
        field: &'static str,
        /// Its length.
        bytes: usize,
        /// The longest allowed.
        bytes_max: usize,
    },
    /// The packed bytes are not the one way to write this manifest.
    #[error("the packed manifest is not in canonical form; pack it again")]
    NotCanonical,
}

/// What a component says of itself. Written as `vak-component.toml`, packed as
/// canonical JSON. What it asks for is a request: the operator decides.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// What it is called.
    pub name: Name,
    /// Its semantic version.
    #[serde(with = "version_text")]
    pub version: Version,
    /// What it is. Must agree with the interface that it exports.
    pub kind: Kind,
    /// What it does.
    pub description: String,
    /// An SPDX licence expression.
    pub license: String,
    /// Rights it asks for. An import that is not covered by one is refused.
    #[serde(default)]
    pub grants: Vec<Grant>,
}

impl Manifest {
    /// Reads the form that people write.
    ///
    /// # Errors
    /// The text is not a manifest.
    pub fn from_toml(text: &str) -> Result<Self, ManifestError> {
        at_most("text", text.len(), BYTES_MAX)?;
        let mut manifest: Self = toml::from_str(text)?;
        manifest.grants.sort();
        manifest.grants.dedup();
        manifest.check()
    }

    /// Reads the packed form.
    ///
    /// # Errors
    /// The bytes are not a manifest, or not the one way to write it.
    pub fn from_packed(bytes: &[u8]) -> Result<Self, ManifestError> {
        at_most("text", bytes.len(), BYTES_MAX)?;
        let manifest: Self = serde_json::from_slice(bytes)?;
        match manifest.to_packed() == bytes {
            true => manifest.check(),
            false => Err(ManifestError::NotCanonical),
        }
    }

    /// The packed form: compact JSON, fields in the order of this type.
    pub fn to_packed(&self) -> Vec<u8> {
        // Strings, a list of names and nothing else: it always has a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn check(self) -> Result<Self, ManifestError> {
        at_most("description", self.description.len(), DESCRIPTION_BYTES_MAX)?;
        at_most("license", self.license.len(), LICENSE_BYTES_MAX)?;
        Ok(self)
    }
}

fn at_most(field: &'static str, bytes: usize, bytes_max: usize) -> Result<(), ManifestError> {
    match bytes > bytes_max {
        true => Err(ManifestError::TooLong { field, bytes, bytes_max }),
        false => Ok(()),
    }
}

mod version_text {
    use semver::Version;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(version: &Version, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(version)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "name = 'rules'\nversion = '0.1.0'\nkind = 'policy'\ndescription = 'd'\nlicense = 'MIT'\n";

    #[test]
    fn refuses_what_it_does_not_know() {
        let cases = [
            (format!("{TEXT}grant = ['log']"), "unknown field `grant`"),
            (format!("{TEXT}grants = ['root']"), "unknown variant `root`"),
            (TEXT.replace("'rules'", "'../rules'"), "character '/'"),
            (TEXT.replace("'0.1.0'", "'1'"), "unexpected end of input"),
            (TEXT.replace("'policy'", "'plugin'"), "unknown variant `plugin`"),
            (TEXT.replace("'d'", &format!("'{}'", "d".repeat(3_000))), "description has 3000 bytes"),
        ];
        for (text, part) in cases {
            let error = Manifest::from_toml(&text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn has_one_packed_form() {
        let manifest = Manifest::from_toml(&format!("{TEXT}grants = ['log', 'log']")).unwrap();
        let packed = manifest.to_packed();
        assert_eq!(Manifest::from_packed(&packed).unwrap(), manifest);
        let spaced = String::from_utf8(packed).unwrap().replace(':', ": ");
        assert!(matches!(Manifest::from_packed(spaced.as_bytes()), Err(ManifestError::NotCanonical)));
    }
}
