//! The algorithms.

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac, SimpleHmac};
use sha2::Digest;

/// A family of digests and its length in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
pub(crate) enum Algorithm {
    #[serde(rename = "sha2-256")]
    Sha2_256,
    #[serde(rename = "sha2-384")]
    Sha2_384,
    #[serde(rename = "sha2-512")]
    Sha2_512,
    #[serde(rename = "sha3-256")]
    Sha3_256,
    #[serde(rename = "sha3-512")]
    Sha3_512,
    #[serde(rename = "blake3")]
    Blake3,
}

/// A key that the algorithm does not take.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum KeyError {
    /// Nothing is authenticated by an empty key.
    Empty,
    /// BLAKE3 takes 32 bytes; these were so many.
    NotThirtyTwo(usize),
}

impl std::fmt::Display for KeyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("`key` is empty; leave it out for a plain digest"),
            Self::NotThirtyTwo(bytes) => write!(f, "`key` has {bytes} bytes, and keyed BLAKE3 takes 32"),
        }
    }
}

impl Algorithm {
    /// The digest of `bytes`; with a key their HMAC, or keyed BLAKE3.
    pub(crate) fn digest(self, bytes: &[u8], key: Option<&[u8]>) -> Result<Vec<u8>, KeyError> {
        if key.is_some_and(<[u8]>::is_empty) {
            return Err(KeyError::Empty);
        }
        Ok(match (self, key) {
            (Self::Sha2_256, None) => sha2::Sha256::digest(bytes).to_vec(),
            (Self::Sha2_384, None) => sha2::Sha384::digest(bytes).to_vec(),
            (Self::Sha2_512, None) => sha2::Sha512::digest(bytes).to_vec(),
            (Self::Sha3_256, None) => sha3::Sha3_256::digest(bytes).to_vec(),
            (Self::Sha3_512, None) => sha3::Sha3_512::digest(bytes).to_vec(),
            (Self::Blake3, None) => blake3::hash(bytes).as_bytes().to_vec(),
            (Self::Sha2_256, Some(key)) => code::<Hmac<sha2::Sha256>>(key, bytes),
            (Self::Sha2_384, Some(key)) => code::<Hmac<sha2::Sha384>>(key, bytes),
            (Self::Sha2_512, Some(key)) => code::<Hmac<sha2::Sha512>>(key, bytes),
            (Self::Sha3_256, Some(key)) => code::<SimpleHmac<sha3::Sha3_256>>(key, bytes),
            (Self::Sha3_512, Some(key)) => code::<SimpleHmac<sha3::Sha3_512>>(key, bytes),
            (Self::Blake3, Some(key)) => {
                let key = key.try_into().map_err(|_| KeyError::NotThirtyTwo(key.len()))?;
                blake3::keyed_hash(key, bytes).as_bytes().to_vec()
            }
        })
    }
}

fn code<M: Mac + KeyInit>(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    // HMAC takes keys of every length.
    <M as KeyInit>::new_from_slice(key)
        .map(|code| code.chain_update(bytes).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn digests_are_those_of_the_standards() {
        // FIPS 180-4, FIPS 202 and BLAKE3's own vectors begin so.
        let cases = [
            (Algorithm::Sha2_256, "abc", "ba7816bf8f01cfea"),
            (Algorithm::Sha2_384, "abc", "cb00753f45a35e8b"),
            (Algorithm::Sha2_512, "abc", "ddaf35a193617aba"),
            (Algorithm::Sha3_256, "abc", "3a985da74fe225b2"),
            (Algorithm::Sha3_512, "abc", "b751850b1a57168a"),
            (Algorithm::Blake3, "", "af1349b9f5f9a1a6"),
        ];
        for (algorithm, text, start) in cases {
            let digest = hex(&algorithm.digest(text.as_bytes(), None).unwrap());
            assert!(digest.starts_with(start), "{algorithm:?}: {digest}");
        }
    }

    #[test]
    fn codes_are_those_of_rfc_4231() {
        let code =
            |algorithm: Algorithm| hex(&algorithm.digest(b"what do ya want for nothing?", Some(b"Jefe")).unwrap());
        assert!(code(Algorithm::Sha2_256).starts_with("5bdcc146bf60754e"));
        assert!(code(Algorithm::Sha2_384).starts_with("af45d2e376484031"));
        assert!(code(Algorithm::Sha2_512).starts_with("164b7a7bfcf819e2"));
        assert!(code(Algorithm::Sha3_256).starts_with("c7d4072e788877ae"));
        // A key longer than a block is hashed first.
        let long =
            Algorithm::Sha2_256.digest(b"Test Using Larger Than Block-Size Key - Hash Key First", Some(&[0xaa; 131]));
        assert!(hex(&long.unwrap()).starts_with("60e431591ee0b67f"));
        assert_eq!(Algorithm::Blake3.digest(b"", Some(b"short")), Err(KeyError::NotThirtyTwo(5)));
        assert_eq!(Algorithm::Sha2_256.digest(b"", Some(b"")), Err(KeyError::Empty));
    }
}
