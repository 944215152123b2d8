//! The signature file: a Sigstore bundle v0.3 with a DSSE envelope around an
//! in-toto statement.
//!
//! Sources: <https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md>,
//! <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>,
//! <https://github.com/sigstore/protobuf-specs> (`sigstore_bundle.proto`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use vak_types::{Digest, KeyId};

use crate::key::{PrivateKey, PublicKey};

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE: &str = "urn:vak:component:v1";
const COMPONENT: &str = "component.wasm";
const MANIFEST: &str = "manifest.json";

/// A bundle with one signature takes under 2 KiB.
pub(crate) const BYTES_MAX: usize = 64 * 1024;

/// What a signature vouches for: this component with this manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subjects {
    pub(crate) component: Digest,
    pub(crate) manifest: Digest,
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
    /// Not exactly one signature.
    #[error("the signature file has {0} signatures, expected one")]
    Signatures(usize),
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

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Predicate {}

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
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > BYTES_MAX {
            return Err(BundleError::TooLong { bytes: bytes.len() });
        }
        let bundle: BundleText = serde_json::from_slice(bytes)?;
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

    /// The subjects, if `key` signed them: nothing of the payload is read
    /// before its signature holds.
    pub(crate) fn subjects(&self, key: &PublicKey) -> Option<Result<Subjects, BundleError>> {
        key.verifies(&pre_authentication_encoding(&self.payload), &self.signature).then(|| statement(&self.payload))
    }
}

fn statement(payload: &[u8]) -> Result<Subjects, BundleError> {
    let statement: Statement = serde_json::from_slice(payload)?;
    expect("statement type", statement.statement_type, STATEMENT_TYPE)?;
    expect("predicate type", statement.predicate_type, PREDICATE_TYPE)?;
    let digest = |subject: &Subject| format!("sha256:{}", subject.digest.sha256).parse();
    match &statement.subject[..] {
        [component, manifest] if component.name == COMPONENT && manifest.name == MANIFEST => {
            match (digest(component), digest(manifest)) {
                (Ok(component), Ok(manifest)) => Ok(Subjects { component, manifest }),
                _ => Err(BundleError::Subjects),
            }
        }
        _ => Err(BundleError::Subjects),
    }
}

/// Signs `subjects`. The same key and subjects give the same bytes.
pub(crate) fn sign(key: &PrivateKey, subjects: Subjects) -> Vec<u8> {
    let subject =
        |name: &str, digest: Digest| Subject { name: name.to_owned(), digest: DigestSet { sha256: digest.to_hex() } };
    let statement = Statement {
        statement_type: STATEMENT_TYPE.to_owned(),
        subject: vec![subject(COMPONENT, subjects.component), subject(MANIFEST, subjects.manifest)],
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate: Predicate {},
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
    serde_json::to_vec_pretty(&bundle).unwrap_or_default()
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
            assert!(Bundle::parse(&bytes).is_err());
        }

        #[test]
        fn no_flipped_byte_verifies(at in 0_usize..2_000, bit in 0_u8..8) {
            let key = PrivateKey::generate().unwrap();
            let subjects = Subjects { component: Digest::of(b"c"), manifest: Digest::of(b"m") };
            let mut bytes = sign(&key, subjects);
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            // Flips in spaces, in the key id's text or of a letter's case in
            // an escape may leave the same signed statement; never another.
            if let Ok(bundle) = Bundle::parse(&bytes) && let Some(found) = bundle.subjects(&key.public()) {
                assert_eq!(found.unwrap(), subjects);
            }
        }
    }
}
