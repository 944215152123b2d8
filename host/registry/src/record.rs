//! What is installed under a name, in a file of its own.

use semver::Version;
use serde::{Deserialize, Serialize};
use vak_types::{Digest, KeyId, Name};

use crate::error::Damage;

/// The format of records. Another one is refused, never guessed at.
const FORMAT: u32 = 1;

/// A record takes 450 bytes; the rest is a long version.
pub(crate) const BYTES_MAX: u64 = 4_096;

/// What is installed under a name. One way to write it: compact JSON, fields in
/// this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) name: Name,
    pub(crate) version: Version,
    /// Who signed it when it was installed, the publisher if there is one.
    pub(crate) signer: KeyId,
    pub(crate) component: Digest,
    pub(crate) manifest: Digest,
    pub(crate) bundle: Digest,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    format: u32,
    name: Name,
    version: String,
    signer: KeyId,
    component: Digest,
    manifest: Digest,
    bundle: Digest,
}

/// All that every format has.
#[derive(Deserialize)]
struct AnyFormat {
    format: u32,
}

impl Record {
    /// Reads the record that is stored as that of `name`.
    pub(crate) fn parse(bytes: &[u8], name: &Name) -> Result<Self, Damage> {
        match serde_json::from_slice(bytes)? {
            AnyFormat { format: FORMAT } => {}
            AnyFormat { format } => return Err(Damage::Format(format)),
        }
        let Text { format: _, name: found, version, signer, component, manifest, bundle } =
            serde_json::from_slice(bytes)?;
        let version = version.parse().map_err(|_| Damage::NotCanonical)?;
        let record = Self { name: found, version, signer, component, manifest, bundle };
        match record {
            _ if record.to_bytes() != bytes => Err(Damage::NotCanonical),
            _ if record.name != *name => Err(Damage::OtherName(record.name)),
            _ => Ok(record),
        }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let Self { name, version, signer, component, manifest, bundle } = self;
        let text = Text {
            format: FORMAT,
            name: name.clone(),
            version: version.to_string(),
            signer: *signer,
            component: *component,
            manifest: *manifest,
            bundle: *bundle,
        };
        // Texts and a number always have a JSON form.
        serde_json::to_vec(&text).unwrap_or_default()
    }

    /// The blobs that it needs.
    pub(crate) fn blobs(&self) -> [Digest; 3] {
        [self.component, self.manifest, self.bundle]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_one_form() {
        let name: Name = "rules".parse().unwrap();
        let digest = |text: &str| Digest::of(text.as_bytes());
        let record = Record {
            name: name.clone(),
            version: Version::new(1, 2, 3),
            signer: KeyId::from_digest(digest("key")),
            component: digest("component"),
            manifest: digest("manifest"),
            bundle: digest("bundle"),
        };
        let bytes = record.to_bytes();
        assert_eq!(Record::parse(&bytes, &name).unwrap(), record);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with(r#"{"format":1,"name":"rules","version":"1.2.3","signer":"sha256:"#), "{text}");
        let cases = [
            (text.replace("\"format\":1", "\"format\":2"), "has the format 2, which this version does not know"),
            (text.replace("{\"format\":1,", "{"), "missing field `format`"),
            (text.replace("\"version\"", "\"extra\":1,\"version\""), "unknown field `extra`"),
            (text.replace("\"version\":\"1.2.3\",", ""), "missing field `version`"),
            (text.replace("1.2.3", "1.2"), "not in canonical form"),
            (text.replace("1.2.3", "01.2.3"), "not in canonical form"),
            (text.replace(':', ": "), "a digest is written `sha256:`"),
            (text.replace("\":", "\": "), "not in canonical form"),
            (format!("{text}\n"), "not in canonical form"),
            (text.replace("\"rules\"", "\"ru1es\""), "its record is of `ru1es`"),
            (text.replace("\"rules\"", "\"../rules\""), "character '/'"),
            (text[..40].to_owned(), "EOF while parsing"),
            (String::new(), "EOF while parsing"),
            ("[]".to_owned(), "invalid length 0"),
        ];
        for (text, part) in cases {
            let error = Record::parse(text.as_bytes(), &name).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn reading_never_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            assert!(Record::parse(&bytes, &"a".parse().unwrap()).is_err());
        }
    }
}
