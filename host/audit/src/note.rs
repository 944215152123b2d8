//! Signed notes: text with signatures under it, as
//! [C2SP signed-note](https://c2sp.org/signed-note) describes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::key::NoteKey;
use crate::{Origin, Signer, VerifierKey};

/// The most signature lines of a note that are read: a log's and its
/// witnesses', of which there are a handful.
const SIGNATURES_MAX: usize = 64;

/// A signature begins with this much of its key's hash.
const KEY_HASH_BYTES: usize = 4;

/// Why a note is not to be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a signed note.
    #[error("not a signed note: {what}")]
    Syntax {
        /// What is wrong.
        what: &'static str,
    },
    /// No signature by the key. It was removed, or another key signed.
    #[error("no signature by the key `{key}` stands under the note; check that this is the log's key")]
    Unsigned {
        /// The name of the key.
        key: Origin,
    },
    /// A signature that says it is by the key and is not.
    #[error("the signature by the key `{key}` doesn't fit the note: one of them was altered")]
    Signature {
        /// The name of the key.
        key: Origin,
    },
}

/// The note for `text`, which has to end with an end of line.
pub(crate) fn sign(text: &str, signer: &Signer) -> String {
    format!("{text}\n{}", signer.sign_line(text))
}

/// A note that was read and not yet believed.
#[derive(Debug)]
pub(crate) struct Note<'n> {
    /// What was signed, with the end of its last line.
    pub(crate) text: &'n str,
    signatures: Vec<Line<'n>>,
}

/// A line under a note.
#[derive(Debug)]
struct Line<'n> {
    name: &'n str,
    /// The key's hash and the signature.
    signature: Vec<u8>,
}

impl<'n> Note<'n> {
    /// Takes a note apart.
    pub(crate) fn parse(note: &'n str) -> Result<Self, NoteError> {
        let syntax = |what| NoteError::Syntax { what };
        if note.chars().any(|character| character < ' ' && character != '\n') {
            return Err(syntax("it has control characters"));
        }
        // The last empty line, because the text may hold others.
        let split = note.rfind("\n\n").ok_or_else(|| syntax("no empty line before the signatures"))?;
        let (text, lines) = (&note[..split + 1], &note[split + 2..]);
        let lines = lines.strip_suffix('\n').ok_or_else(|| syntax("the last line has no end"))?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == SIGNATURES_MAX {
                return Err(syntax("more than 64 signatures"));
            }
            let (name, signature) = line
                .strip_prefix("— ")
                .and_then(|line| line.split_once(' '))
                .filter(|(name, _)| {
                    !name.is_empty() && !name.contains(|part: char| part.is_whitespace() || part == '+')
                })
                .ok_or_else(|| syntax("a signature line is not written `— name signature`"))?;
            let signature = STANDARD.decode(signature).map_err(|_| syntax("a signature is not base64"))?;
            if signature.len() < KEY_HASH_BYTES {
                return Err(syntax("a signature is shorter than its key's hash"));
            }
            signatures.push(Line { name, signature });
        }
        Ok(Self { text, signatures })
    }

    /// The signatures that say they are by `key`.
    pub(crate) fn signatures_by<const KIND: u8>(&self, key: &NoteKey<KIND>) -> impl Iterator<Item = &[u8]> {
        let parts = self.signatures.iter().map(|line| (line.name, line.signature.split_at(KEY_HASH_BYTES)));
        parts.filter(|(name, (hash, _))| key.is_named(name, hash)).map(|(_, (_, signature))| signature)
    }

    /// Checks that `key` signed. Signatures by other keys are passed over:
    /// witnesses sign notes too.
    pub(crate) fn check(&self, key: &VerifierKey) -> Result<(), NoteError> {
        let mut signed = false;
        for signature in self.signatures_by(key) {
            if !key.verifies(self.text.as_bytes(), signature) {
                return Err(NoteError::Signature { key: key.name().clone() });
            }
            signed = true;
        }
        if signed { Ok(()) } else { Err(NoteError::Unsigned { key: key.name().clone() }) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    // From the documentation of Go's golang.org/x/mod/sumdb/note, where the
    // format comes from.
    const VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const SKEY: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\
        \n\
        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn verify<'n>(note: &'n str, key: &VerifierKey) -> Result<&'n str, NoteError> {
        let note = Note::parse(note)?;
        note.check(key)?;
        Ok(note.text)
    }

    fn signer() -> Signer {
        let seed = STANDARD.decode(SKEY).unwrap()[1..].try_into().unwrap();
        Signer::new("PeterNeumann".parse().unwrap(), &seed)
    }

    #[test]
    fn signs_and_verifies_as_go_does() {
        let key: VerifierKey = VKEY.parse().unwrap();
        assert_eq!(key.to_string(), VKEY);
        assert_eq!(&key, signer().verifier());
        let text = verify(NOTE, &key).unwrap();
        assert_eq!(sign(text, &signer()), NOTE);
    }

    #[test]
    fn every_altered_byte_is_noticed() {
        let key = VKEY.parse().unwrap();
        for at in 0..NOTE.len() {
            for flip in [0x01, 0x20, 0x80] {
                let mut bytes = NOTE.as_bytes().to_vec();
                bytes[at] ^= flip;
                if let Ok(note) = String::from_utf8(bytes) {
                    assert!(verify(&note, &key).is_err(), "{note}");
                }
            }
        }
    }

    #[test]
    fn signatures_by_others_are_passed_over() {
        let key = VKEY.parse().unwrap();
        let other = Signer::new("witness.example".parse().unwrap(), &[7; 32]);
        let text = verify(NOTE, &key).unwrap();
        assert_eq!(verify(&format!("{NOTE}{}", other.sign_line(text)), &key), Ok(text));
        assert_eq!(verify(&sign(text, &other), &key), Err(NoteError::Unsigned { key: key.name().clone() }));
        // The same name does not make it the same key.
        let namesake = Signer::new("PeterNeumann".parse().unwrap(), &[7; 32]);
        assert_eq!(verify(&sign(text, &namesake), &key), Err(NoteError::Unsigned { key: key.name().clone() }));
        let contradiction = format!("{NOTE}{}", signer().sign_line("something else\n"));
        assert_eq!(verify(&contradiction, &key), Err(NoteError::Signature { key: key.name().clone() }));
    }

    /// They could write over a verifier's answer on a terminal.
    #[test]
    fn notes_have_no_control_characters() {
        let key = VKEY.parse().unwrap();
        for bad in ["\r", "\u{1b}[2K", "\t", "\0"] {
            let note = sign(&format!("{bad}text\n"), &signer());
            assert!(matches!(verify(&note, &key), Err(NoteError::Syntax { .. })), "{bad:?}");
            let note = NOTE.replace("Neumann x08", &format!("Neumann{bad} x08"));
            assert!(matches!(verify(&note, &key), Err(NoteError::Syntax { .. })), "{bad:?}");
        }
        let note = format!("{NOTE}— a+b x08go/ZJ\n");
        assert!(matches!(verify(&note, &key), Err(NoteError::Syntax { .. })));
    }

    #[test]
    fn altered_keys_are_refused() {
        for bad in [
            "",
            "PeterNeumann",
            "PeterNeumann+c74f20a3",
            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumanm+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            // The neutral point: a signature can be made without a private key.
            "weak+00000000+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert!(bad.parse::<VerifierKey>().is_err(), "{bad}");
        }
    }
}
