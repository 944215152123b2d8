//! `vak audit prove` and `vak audit verify-proof`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use vak_audit::{EntryProof, LogReader};
use vak_audit_verify::{verifier_key, witness_policy};

use super::print;

#[derive(Args)]
pub(crate) struct Prove {
    /// The log.
    log: PathBuf,
    /// The entry.
    seq: u64,
    /// The log's verifier key, as `vak audit key` prints it, or a file with it.
    #[arg(long)]
    key: String,
    /// Where to; standard output if it is left out.
    #[arg(long, short)]
    output: Option<PathBuf>,
}

impl Prove {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let key = verifier_key(&self.key)?;
        let proof = LogReader::open(&self.log)?.prove(self.seq, key.name(), &key)?.to_string();
        match self.output {
            Some(path) => std::fs::write(&path, proof).with_context(|| format!("writing `{}`", path.display())),
            None => {
                print!("{proof}");
                Ok(())
            }
        }
    }
}

#[derive(Args)]
pub(crate) struct VerifyProof {
    /// The proof.
    proof: PathBuf,
    /// The log's verifier key, as `vak audit key` prints it, or a file with it.
    #[arg(long)]
    key: String,
    /// Who has to have witnessed the checkpoint: a policy as in C2SP
    /// tlog-policy.
    #[arg(long, value_name = "FILE")]
    witness_policy: Option<PathBuf>,
    /// Print the entry as a JSON object.
    #[arg(long)]
    json: bool,
}

impl VerifyProof {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let key = verifier_key(&self.key)?;
        let policy = self.witness_policy.as_deref().map(witness_policy).transpose()?;
        let text =
            std::fs::read_to_string(&self.proof).with_context(|| format!("reading `{}`", self.proof.display()))?;
        let verified = text.parse::<EntryProof>().and_then(|proof| proof.verify(key.name(), &key, policy.as_ref()));
        match verified {
            Ok((entry, cosigned)) => {
                print::entry(&entry, self.json)?;
                eprintln!("is entry {} of {}", entry.seq, entry.origin);
                for one in cosigned {
                    eprintln!("witnessed by {}", one.witness);
                }
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => {
                eprintln!("NOT VERIFIED: {error}");
                Ok(ExitCode::from(1))
            }
        }
    }
}
