//! Checkpoints: signed statements about the whole of a log.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vak_types::{Digest, printable};

use crate::note::{self, Note, NoteError};
use crate::{Origin, Signer, VerifierKey};

/// Longest name that is quoted of a checkpoint of another log, in bytes.
const FOUND_BYTES_MAX: usize = 255;

/// Why a note is not a checkpoint of the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note is not signed by the log's key.
    #[error("checkpoint: {0}")]
    Note(#[from] NoteError),
    /// The note is signed, but does not say what a checkpoint says.
    #[error("checkpoint: {what}")]
    Syntax {
        /// What is wrong.
        what: &'static str,
    },
    /// A checkpoint of another log.
    #[error(
        "checkpoint of the log `{}`, not of `{expected}`; use the file or the name that belongs to it",
        printable(found, FOUND_BYTES_MAX)
    )]
    Origin {
        /// The log it is of.
        found: String,
        /// The log that was expected.
        expected: Origin,
    },
}

/// A statement that a log has exactly these entries: its name, how many there
/// are and the root of the Merkle tree over them. Whoever holds one has checked
/// the signature or made it.
///
/// Written as [C2SP tlog-checkpoint](https://c2sp.org/tlog-checkpoint) says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: Origin,
    size: u64,
    root: Digest,
    note: Arc<str>,
}

impl Checkpoint {
    /// Reads the note of a checkpoint of the log `origin` that `key` signed.
    /// Signatures by other keys are passed over.
    ///
    /// # Errors
    /// The signature is not there or does not fit, the note is not a
    /// checkpoint, or it is one of another log.
    pub fn open(note: &str, origin: &Origin, key: &VerifierKey) -> Result<Self, CheckpointError> {
        let checkpoint = Self::parse(note, origin)?;
        checkpoint.check(key)?;
        Ok(checkpoint)
    }

    /// Reads the note of a checkpoint of the log `origin` and believes it: for
    /// those who compare it with what they know to be signed.
    ///
    /// # Errors
    /// The note is not a checkpoint, or it is one of another log.
    pub fn parse(note: &str, origin: &Origin) -> Result<Self, CheckpointError> {
        let syntax = |what| CheckpointError::Syntax { what };
        let mut lines = Note::parse(note)?.text.split_terminator('\n');
        let (Some(name), Some(size), Some(root), None) = (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(syntax("the text is not three lines: name, size and root"));
        };
        if name != origin.as_str() {
            return Err(CheckpointError::Origin { found: name.to_owned(), expected: origin.clone() });
        }
        let parsed: u64 = size.parse().map_err(|_| syntax("the size is not a number"))?;
        if parsed.to_string() != size {
            return Err(syntax("the size is not in its shortest form"));
        }
        let root = STANDARD.decode(root).ok().and_then(|root| root.try_into().ok());
        let root = Digest::from_bytes(root.ok_or_else(|| syntax("the root is not 32 bytes in base64"))?);
        Ok(Self { origin: origin.clone(), size: parsed, root, note: note.into() })
    }

    /// Checks that `key` signed.
    pub(crate) fn check(&self, key: &VerifierKey) -> Result<(), CheckpointError> {
        Ok(Note::parse(&self.note)?.check(key)?)
    }

    pub(crate) fn sign(origin: &Origin, size: u64, root: Digest, signer: &Signer) -> Self {
        let text = format!("{origin}\n{size}\n{}\n", STANDARD.encode(root.as_bytes()));
        Self { origin: origin.clone(), size, root, note: note::sign(&text, signer).into() }
    }

    /// The log it is of.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// How many entries the log had.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the Merkle tree over them.
    pub fn root(&self) -> Digest {
        self.root
    }

    /// The signed note.
    pub fn note(&self) -> &Arc<str> {
        &self.note
    }
}

/// The size that a checkpoint's note says, for those who don't have to believe
/// it.
pub(crate) fn size_in(note: &str) -> Option<u64> {
    note.split('\n').nth(1)?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn says_what_it_was_made_from_and_nothing_else_passes() {
        let origin: Origin = "example.org/audit".parse().unwrap();
        let signer = Signer::new(origin.clone(), &[1; 32]);
        let checkpoint = Checkpoint::sign(&origin, 0, Digest::of(b""), &signer);
        assert!(
            checkpoint.note().starts_with(
                "example.org/audit\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— example.org/audit "
            )
        );
        assert_eq!(Checkpoint::open(checkpoint.note(), &origin, signer.verifier()), Ok(checkpoint));
        let root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        for text in [
            format!("example.org/other\n0\n{root}\n"),
            format!("example.org/audit\n+0\n{root}\n"),
            format!("example.org/audit\n00\n{root}\n"),
            format!("example.org/audit\n-1\n{root}\n"),
            format!("example.org/audit\n0\n{}\n", &root[1..]),
            format!("example.org/audit\n0\n{root}\nextension\n"),
            "example.org/audit\n0\n".to_owned(),
        ] {
            assert!(Checkpoint::open(&note::sign(&text, &signer), &origin, signer.verifier()).is_err(), "{text}");
        }
    }
}
