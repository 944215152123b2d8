//! What is signed: an in-toto statement about a component and its manifest.
//!
//! Source: <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use vak_types::Digest;

use crate::bundle::{BundleError, expect};
use crate::object::Object;
use crate::validity::Validity;

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE: &str = "urn:vak:component:v1";
pub(crate) const COMPONENT: &str = "component.wasm";
pub(crate) const MANIFEST: &str = "manifest.json";

/// What a signature vouches for: this component with this manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subjects {
    pub(crate) component: Digest,
    pub(crate) manifest: Digest,
}

/// What was signed: the subjects, and from when to when that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) subjects: Subjects,
    pub(crate) validity: Validity,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Statement {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<Object<Subject>>,
    predicate_type: String,
    predicate: Object<Predicate>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    name: String,
    digest: Object<DigestSet>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DigestSet {
    sha256: String,
}

/// When the signature was made, as its maker says, and when it ends.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Predicate {
    signed_at: Second,
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    expires_at: Option<Second>,
}

/// What is there is a time: `null` is not the same as nothing.
fn there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Second>, D::Error> {
    Second::deserialize(deserializer).map(Some)
}

/// A time to the second, in the one way it is written here.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Second(Timestamp);

impl TryFrom<String> for Second {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let time = text.parse().ok().filter(Validity::covers).map(Self);
        time.filter(|time| String::from(*time) == text).ok_or("a time is written `2026-11-25T08:00:00Z`")
    }
}

impl From<Second> for String {
    fn from(Second(time): Second) -> String {
        time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}

impl Signed {
    /// The payload of an envelope.
    pub(crate) fn to_payload(self) -> Vec<u8> {
        let subject = |name: &str, digest: Digest| {
            Object(Subject { name: name.to_owned(), digest: Object(DigestSet { sha256: digest.to_hex() }) })
        };
        let Self { subjects, validity } = self;
        let statement = Statement {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject: vec![subject(COMPONENT, subjects.component), subject(MANIFEST, subjects.manifest)],
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate: Object(Predicate {
                signed_at: Second(validity.signed_at()),
                expires_at: validity.expires_at().map(Second),
            }),
        };
        // Strings in structs always have a JSON form.
        serde_json::to_vec(&statement).unwrap_or_default()
    }

    /// Reads such a payload.
    pub(crate) fn from_payload(payload: &[u8]) -> Result<Self, BundleError> {
        let Object(statement): Object<Statement> = serde_json::from_slice(payload).map_err(BundleError::Statement)?;
        expect("statement type", &statement.statement_type, STATEMENT_TYPE)?;
        expect("predicate type", &statement.predicate_type, PREDICATE_TYPE)?;
        let Object(Predicate { signed_at, expires_at }) = statement.predicate;
        let validity = Validity::new(signed_at.0, expires_at.map(|time| time.0)).ok_or(BundleError::Validity)?;
        let digest = |subject: &Subject| format!("sha256:{}", subject.digest.0.sha256).parse();
        match &statement.subject[..] {
            [Object(component), Object(manifest)] if component.name == COMPONENT && manifest.name == MANIFEST => {
                match (digest(component), digest(manifest)) {
                    (Ok(component), Ok(manifest)) => Ok(Self { subjects: Subjects { component, manifest }, validity }),
                    _ => Err(BundleError::Subjects),
                }
            }
            _ => Err(BundleError::Subjects),
        }
    }
}
