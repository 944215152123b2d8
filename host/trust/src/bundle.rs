//! The signature file: Sigstore bundles v0.3, each with a DSSE envelope around
//! an in-toto statement.
//!
//! A file holds one bundle a line. With one signature, which is the usual case,
//! it is an ordinary bundle that other tools read; who signs after others adds
//! a line and changes none.
//!
//! Sources: <https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md>,
//! <https://github.com/sigstore/protobuf-specs> (`sigstore_bundle.proto`), and
//! for its JSON <https://protobuf.dev/programming-guides/json/>.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use vak_types::{KeyId, printable};

use crate::key::{PrivateKey, PublicKey};
use crate::object::Object;
use crate::statement::{COMPONENT, MANIFEST, Signed};

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Signatures of one package: a publisher, a marketplace and some reviewers.
const SIGNATURES_MAX: usize = 16;

/// A bundle takes under 2 KiB.
pub(crate) const BYTES_MAX: usize = SIGNATURES_MAX * 4 * 1024;

/// Longest text that is quoted of a file that nobody vouches for, in bytes.
pub(crate) const QUOTE_BYTES_MAX: usize = 200;

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
    #[error("the signature file is not a bundle: {}", printable(&.0.to_string(), QUOTE_BYTES_MAX))]
    Json(#[from] serde_json::Error),
    /// The same of the statement in it.
    #[error("the signed statement is not one about a component: {}", printable(&.0.to_string(), QUOTE_BYTES_MAX))]
    Statement(serde_json::Error),
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
    verification_material: Object<VerificationMaterial>,
    dsse_envelope: Object<Envelope>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct VerificationMaterial {
    public_key: Object<KeyHint>,
    /// Entries of transparency logs, which nothing here checks: there are none.
    /// Some readers miss the field when it is left out.
    #[serde(default)]
    tlog_entries: [(); 0],
}

/// Texts that are left out are empty.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyHint {
    #[serde(default)]
    hint: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Object<SignatureText>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureText {
    sig: String,
    #[serde(default)]
    keyid: String,
}

/// A well-formed signature file whose signature is not yet checked.
#[derive(Debug)]
pub(crate) struct Bundle {
    payload: Vec<u8>,
    signature: Vec<u8>,
    /// Whose key it is, as the file says outside of what is signed.
    pub(crate) hint: String,
}

impl Bundle {
    /// Reads a signature file.
    pub(crate) fn parse_all(bytes: &[u8]) -> Result<Vec<Self>, BundleError> {
        Ok(Self::located(bytes)?.into_iter().map(|(_, bundle)| bundle).collect())
    }

    /// The same with where in the file each is.
    fn located(bytes: &[u8]) -> Result<Vec<(Range<usize>, Self)>, BundleError> {
        if bytes.len() > BYTES_MAX {
            return Err(BundleError::TooLong { bytes: bytes.len() });
        }
        let mut texts = serde_json::Deserializer::from_slice(bytes).into_iter::<Object<BundleText>>();
        let (mut bundles, mut start) = (Vec::new(), 0);
        while let Some(text) = texts.next() {
            let end = texts.byte_offset();
            bundles.push((start..end, Self::read(text?.0)?));
            start = end;
        }
        match bundles.len() {
            1..=SIGNATURES_MAX => Ok(bundles),
            count => Err(BundleError::Bundles(count)),
        }
    }

    fn read(bundle: BundleText) -> Result<Self, BundleError> {
        expect("media type", &bundle.media_type, MEDIA_TYPE)?;
        let Object(envelope) = bundle.dsse_envelope;
        expect("payload type", &envelope.payload_type, PAYLOAD_TYPE)?;
        let [Object(signature)] = &envelope.signatures[..] else {
            return Err(BundleError::Signatures(envelope.signatures.len()));
        };
        let Object(VerificationMaterial { public_key: Object(KeyHint { hint }), .. }) = bundle.verification_material;
        Ok(Self {
            payload: decode("payload", &envelope.payload)?,
            signature: decode("signature", &signature.sig)?,
            hint,
        })
    }

    /// What was signed, if `key` signed it: nothing of the payload is read
    /// before its signature holds.
    pub(crate) fn signed_by(&self, key: &PublicKey) -> Option<Result<Signed, BundleError>> {
        let signed = pre_authentication_encoding(&self.payload);
        key.verifies(&signed, &self.signature).then(|| Signed::from_payload(&self.payload))
    }

    /// What it says was signed, whoever signed it.
    pub(crate) fn claimed(&self) -> Result<Signed, BundleError> {
        Signed::from_payload(&self.payload)
    }
}

/// Signs: one line of a signature file. The same key, subjects and times give
/// the same bytes.
pub(crate) fn sign(key: &PrivateKey, signed: Signed) -> Vec<u8> {
    let payload = signed.to_payload();
    let keyid = KeyId::to_string(&key.public().id());
    let sig = BASE64.encode(key.sign(&pre_authentication_encoding(&payload)));
    let bundle = BundleText {
        media_type: MEDIA_TYPE.to_owned(),
        verification_material: Object(VerificationMaterial {
            public_key: Object(KeyHint { hint: keyid.clone() }),
            tlog_entries: [],
        }),
        dsse_envelope: Object(Envelope {
            payload: BASE64.encode(payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![Object(SignatureText { sig, keyid })],
        }),
    };
    // Strings in structs always have a JSON form.
    let mut line = serde_json::to_vec(&bundle).unwrap_or_default();
    line.push(b'\n');
    line
}

/// The same file with a signature by `key` in place of those it made before.
/// What others signed is kept as it is.
pub(crate) fn countersign(bytes: &[u8], key: &PrivateKey, signed: Signed) -> Result<Vec<u8>, BundleError> {
    let public = key.public();
    let mut file = Vec::with_capacity(2 * bytes.len());
    for (place, bundle) in Bundle::located(bytes)? {
        if bundle.signed_by(&public).is_none() {
            file.extend(bytes[place].trim_ascii());
            file.push(b'\n');
        }
    }
    file.extend(sign(key, signed));
    Bundle::parse_all(&file).map(|_| file)
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

pub(crate) fn expect(field: &'static str, found: &str, expected: &'static str) -> Result<(), BundleError> {
    match found == expected {
        true => Ok(()),
        false => Err(BundleError::Unexpected { field, found: printable(found, QUOTE_BYTES_MAX), expected }),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use vak_types::Digest;

    use super::*;
    use crate::statement::Subjects;
    use crate::validity::Validity;

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
            let validity = Validity::new(Timestamp::UNIX_EPOCH, None).unwrap();
            let mut bytes = sign(&key, Signed { subjects, validity });
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
