//! The proof of a single entry, in a file of its own.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vak_types::Digest;

use crate::chain::LinkError;
use crate::checkpoint::CheckpointError;
use crate::merkle::leaf_hash;
use crate::proof::{ProofError, verify_inclusion};
use crate::{Checkpoint, Cosigned, Entry, Origin, VerifierKey, WitnessError, WitnessPolicy};

/// The first line of a proof.
const MAGIC: &str = "c2sp.org/tlog-proof@v1";

/// A tree has at most 64 levels.
const HASHES_MAX: usize = 64;

/// Why a proof of an entry shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryProofError {
    /// Not a proof as C2SP tlog-proof describes it.
    #[error("not a proof of an entry: {what}")]
    Syntax {
        /// What is wrong.
        what: &'static str,
    },
    /// The proof does not carry the entry.
    #[error("the proof does not carry its entry in the `extra` line")]
    NoEntry,
    /// The checkpoint is not to be believed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Too few witnesses.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// The hashes do not lead to the checkpoint's root.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// What is proven to be in the log is not an entry in its place.
    #[error(transparent)]
    Entry(#[from] LinkError),
}

/// That an entry is in a log: the entry, the way to the root, and a checkpoint
/// with that root. Written as [C2SP tlog-proof](https://c2sp.org/tlog-proof)
/// says, with the entry's bytes as `extra`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryProof {
    entry: Vec<u8>,
    index: u64,
    hashes: Vec<Digest>,
    note: String,
}

impl EntryProof {
    pub(crate) fn new(entry: Vec<u8>, index: u64, hashes: Vec<Digest>, note: &str) -> Self {
        Self { entry, index, hashes, note: note.to_owned() }
    }

    /// Checks that the entry is in the log `origin`, whose checkpoints `key`
    /// signs, and that the checkpoint has the witnesses that `policy` asks for.
    /// Gives the entry and who witnessed it.
    ///
    /// # Errors
    /// It is not, or the proof does not show it.
    pub fn verify(
        &self,
        origin: &Origin,
        key: &VerifierKey,
        policy: Option<&WitnessPolicy>,
    ) -> Result<(Entry, Vec<Cosigned>), EntryProofError> {
        let checkpoint = Checkpoint::open(&self.note, origin, key)?;
        let cosigned = policy.map(|policy| policy.check(&checkpoint)).transpose()?.unwrap_or_default();
        let leaf = leaf_hash(&self.entry);
        verify_inclusion(&leaf, self.index, checkpoint.size(), &checkpoint.root(), &self.hashes)?;
        let entry = Entry::decode(&self.entry).map_err(LinkError::Decode)?;
        if entry.seq != self.index {
            return Err(LinkError::Seq { written: entry.seq }.into());
        }
        if entry.origin != *origin {
            return Err(LinkError::Origin { written: entry.origin }.into());
        }
        Ok((entry, cosigned))
    }
}

impl fmt::Display for EntryProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{MAGIC}\nextra {}\nindex {}", STANDARD.encode(&self.entry), self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", STANDARD.encode(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.note)
    }
}

impl FromStr for EntryProof {
    type Err = EntryProofError;

    fn from_str(text: &str) -> Result<Self, EntryProofError> {
        let syntax = |what| EntryProofError::Syntax { what };
        let (proof, note) = text.split_once("\n\n").ok_or_else(|| syntax("no empty line before the checkpoint"))?;
        let mut lines = proof.split('\n');
        if lines.next() != Some(MAGIC) {
            return Err(syntax("the first line is not `c2sp.org/tlog-proof@v1`"));
        }
        let entry = lines.next().and_then(|line| line.strip_prefix("extra ")).ok_or(EntryProofError::NoEntry)?;
        let entry = STANDARD.decode(entry).map_err(|_| syntax("the `extra` line is not base64"))?;
        let digits = lines.next().and_then(|line| line.strip_prefix("index ")).ok_or_else(|| syntax("no index"))?;
        let index: u64 = digits.parse().map_err(|_| syntax("the index is not a number"))?;
        if index.to_string() != digits {
            return Err(syntax("the index is not in its shortest form"));
        }
        let mut hashes = Vec::new();
        for line in lines {
            let hash = STANDARD.decode(line).ok().and_then(|hash| hash.try_into().ok());
            hashes.push(Digest::from_bytes(hash.ok_or_else(|| syntax("a hash is not 32 bytes in base64"))?));
            if hashes.len() > HASHES_MAX {
                return Err(syntax("more hashes than a tree has levels"));
            }
        }
        Ok(Self { entry, index, hashes, note: note.to_owned() })
    }
}
