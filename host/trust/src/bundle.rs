//! The signature file: Sigstore bundles v0.3, each with a DSSE envelope around
//! an in-toto statement.
//!
//! A file holds one bundle a line. With one signature, which is the usual case,
//! it is an ordinary bundle that other tools read; who signs after others adds
//! a line and changes none.
//!
//! Sources: <https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md>,
//! <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>,
//! <https://github.com/sigstore/protobuf-specs> (`sigstore_bundle.proto`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use vak_types::{Digest, KeyId};

use crate::key::{PrivateKey, PublicKey};
use crate::validity::Validity;

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE: &str = "urn:vak:component:v1";
const COMPONENT: &str = "component.wasm";
const MANIFEST: &str = "manifest.json";

/// Signatures of one package: a publisher, a marketplace and some reviewers.
const SIGNATURES_MAX: usize = 16;

/// A bundle takes under 2 KiB.
pub(crate) const BYTES_MAX: usize = SIGNATURES_MAX * 4 * 1024;

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

/// Why a signature file was refused before its signature was looked at.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Longer than any bundle.
    #[error("the signature file has {bytes} bytes; the most is {BYTES_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not the JSON of a bundle, or with parts that are not known here.
    #[error("the signature file is not a bundle: {0}")]
    Json(#[from] serde_json::Error),
    /// A part that is another than the one expected.
    #[error("the signature file has the {field} `{found}`, expected `{expected}`")]
    Unexpected {
        /// Which part.
        field: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A part that is not base64.
    #[error("the signature file's {0} is not base64")]
    Base64(&'static str),
    /// Not exactly one signature in a bundle.
    #[error("a bundle of the signature file has {0} signatures, expected one")]
    Signatures(usize),
    /// More bundles than anybody needs, or none.
    #[error("the signature file has {0} bundles; there are 1 to {SIGNATURES_MAX}")]
    Bundles(usize),
    /// The times of the statement contradict each other.
    #[error("the signed statement expires before it was made")]
    Validity,
    /// The subjects are not the component and its manifest, in this order.
    #[error("the signed statement is not about one `{COMPONENT}` and one `{MANIFEST}`")]
    Subjects,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BundleText {
    media_type: String,
    verification_material: VerificationMaterial,
    dsse_envelope: Envelope,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct VerificationMaterial {
    public_key: KeyHint,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyHint {
    hint: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<SignatureText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureText {
    sig: String,
    #[serde(default)]
    keyid: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Statement {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: Predicate,
}

/// When the signature was made, as its maker says, and when it ends.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Predicate {
    signed_at: jiff::Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<jiff::Timestamp>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    name: String,
    digest: DigestSet,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DigestSet {
    sha256: String,
}

/// A well-formed signature file whose signature is not yet checked.
#[derive(Debug)]
pub(crate) struct Bundle {
    payload: Vec<u8>,
    signature: Vec<u8>,
    pub(crate) hint: String,
}

impl Bundle {
    /// Reads a signature file.
    pub(crate) fn parse_all(bytes: &[u8]) -> Result<Vec<Self>, BundleError> {
        if bytes.len() > BYTES_MAX {
            return Err(BundleError::TooLong { bytes: bytes.len() });
        }
        let texts = serde_json::Deserializer::from_slice(bytes).into_iter::<BundleText>();
        // One too many is enough to know.
        let bundles = texts.take(SIGNATURES_MAX + 1).map(|text| Self::read(text?));
        let bundles = bundles.collect::<Result<Vec<_>, BundleError>>()?;
        match bundles.len() {
            1..=SIGNATURES_MAX => Ok(bundles),
            count => Err(BundleError::Bundles(count)),
        }
    }

    fn read(bundle: BundleText) -> Result<Self, BundleError> {
        expect("media type", bundle.media_type, MEDIA_TYPE)?;
        let envelope = bundle.dsse_envelope;
        expect("payload type", envelope.payload_type, PAYLOAD_TYPE)?;
        let [signature] = &envelope.signatures[..] else {
            return Err(BundleError::Signatures(envelope.signatures.len()));
        };
        Ok(Self {
            payload: decode("payload", &envelope.payload)?,
            signature: decode("signature", &signature.sig)?,
            hint: bundle.verification_material.public_key.hint,
        })
    }

    /// What was signed, if `key` signed it: nothing of the payload is read
    /// before its signature holds.
    pub(crate) fn signed_by(&self, key: &PublicKey) -> Option<Result<Signed, BundleError>> {
        key.verifies(&pre_authentication_encoding(&self.payload), &self.signature).then(|| statement(&self.payload))
    }
}

fn statement(payload: &[u8]) -> Result<Signed, BundleError> {
    let statement: Statement = serde_json::from_slice(payload)?;
    expect("statement type", statement.statement_type, STATEMENT_TYPE)?;
    expect("predicate type", statement.predicate_type, PREDICATE_TYPE)?;
    let Predicate { signed_at, expires_at } = statement.predicate;
    let validity = Validity::new(signed_at, expires_at).ok_or(BundleError::Validity)?;
    let digest = |subject: &Subject| format!("sha256:{}", subject.digest.sha256).parse();
    match &statement.subject[..] {
        [component, manifest] if component.name == COMPONENT && manifest.name == MANIFEST => {
            match (digest(component), digest(manifest)) {
                (Ok(component), Ok(manifest)) => Ok(Signed { subjects: Subjects { component, manifest }, validity }),
                _ => Err(BundleError::Subjects),
            }
        }
        _ => Err(BundleError::Subjects),
    }
}

/// Signs `subjects`: one line of a signature file. The same key, subjects and
/// times give the same bytes.
pub(crate) fn sign(key: &PrivateKey, subjects: Subjects, validity: Validity) -> Vec<u8> {
    let subject =
        |name: &str, digest: Digest| Subject { name: name.to_owned(), digest: DigestSet { sha256: digest.to_hex() } };
    let statement = Statement {
        statement_type: STATEMENT_TYPE.to_owned(),
        subject: vec![subject(COMPONENT, subjects.component), subject(MANIFEST, subjects.manifest)],
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate: Predicate { signed_at: validity.signed_at(), expires_at: validity.expires_at() },
    };
    // Strings in structs always have a JSON form.
    let payload = serde_json::to_vec(&statement).unwrap_or_default();
    let keyid = KeyId::to_string(&key.public().id());
    let bundle = BundleText {
        media_type: MEDIA_TYPE.to_owned(),
        verification_material: VerificationMaterial { public_key: KeyHint { hint: keyid.clone() } },
        dsse_envelope: Envelope {
            signatures: vec![SignatureText {
                sig: BASE64.encode(key.sign(&pre_authentication_encoding(&payload))),
                keyid,
            }],
            payload: BASE64.encode(payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
        },
    };
    let mut line = serde_json::to_vec(&bundle).unwrap_or_default();
    line.push(b'\n');
    line
}

/// DSSE's PAE: lengths in front, so that type and payload cannot be shifted
/// into each other.
fn pre_authentication_encoding(payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

fn decode(field: &'static str, text: &str) -> Result<Vec<u8>, BundleError> {
    BASE64.decode(text).map_err(|_| BundleError::Base64(field))
}

fn expect(field: &'static str, found: String, expected: &'static str) -> Result<(), BundleError> {
    match found == expected {
        true => Ok(()),
        false => Err(BundleError::Unexpected { field, found, expected }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_as_dsse_says() {
        // The shape of the specification's own example, with our payload type.
        let encoded = pre_authentication_encoding(b"hello world");
        assert_eq!(encoded, b"DSSEv1 28 application/vnd.in-toto+json 11 hello world");
    }

    proptest::proptest! {
        #[test]
        fn parsing_never_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            assert!(Bundle::parse_all(&bytes).is_err());
        }

        #[test]
        fn no_flipped_byte_verifies(at in 0_usize..2_000, bit in 0_u8..8) {
            let key = PrivateKey::generate().unwrap();
            let subjects = Subjects { component: Digest::of(b"c"), manifest: Digest::of(b"m") };
            let validity = Validity::new(jiff::Timestamp::UNIX_EPOCH, None).unwrap();
            let mut bytes = sign(&key, subjects, validity);
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            // Flips in spaces, in the key id's text or of a letter's case in
            // an escape may leave the same signed statement; never another.
            for bundle in Bundle::parse_all(&bytes).unwrap_or_default() {
                if let Some(found) = bundle.signed_by(&key.public()) {
                    assert_eq!(found.unwrap(), Signed { subjects, validity });
                }
            }
        }
    }
}
