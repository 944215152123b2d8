//! `vak audit rotate-key` and `vak audit erase`

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use vak_audit::{Draft, Dropped, Log, LogReader, Signer, Tier, What};
use vak_trust::PrivateKey;
use vak_types::Digest;

use crate::{Configured, block_on, now};

#[derive(Args)]
pub(crate) struct RotateKey {
    #[command(flatten)]
    configured: Configured,
    /// The new key's file; made if it is not there. Set `audit.key` to it
    /// afterwards.
    #[arg(long, value_name = "FILE")]
    new: PathBuf,
}

impl RotateKey {
    pub(super) fn run(self) -> anyhow::Result<()> {
        if !self.new.exists() {
            PrivateKey::generate()?.write(&self.new)?;
        }
        let new = PrivateKey::read(&self.new)?;
        let config = self.configured.load()?;
        let log = open(&config)?;
        let signer = Signer::new(config.audit.origin.parse()?, &new.seed());
        let verifier = signer.verifier().to_string();
        let receipt = block_on(log.rotate_key(signer, now()?))??;
        log.close()?;
        println!("{verifier}");
        eprintln!("signs from entry {} on; now set `audit.key` to `{}`", receipt.seq(), self.new.display());
        Ok(())
    }
}

#[derive(Args)]
pub(crate) struct Erase {
    #[command(flatten)]
    configured: Configured,
    /// The entry.
    #[arg(required_unless_present = "commitment")]
    seq: Option<u64>,
    /// In place of an entry, the commitment to a payload: of one that was
    /// archived and is not on this disk any more.
    #[arg(long, value_name = "SHA256", conflicts_with = "seq")]
    commitment: Vec<Digest>,
    /// Why, for those who read the log.
    #[arg(long)]
    reason: String,
}

impl Erase {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let config = self.configured.load()?;
        let log = open(&config)?;
        let commitments = match self.seq {
            Some(seq) => not_erased(&LogReader::open(&config.log())?, seq)?,
            None => self.commitment,
        };
        let erased = commitments.len();
        for commitment in commitments {
            let dropped = Dropped { what: What::Payload { commitment }, reason: self.reason.clone() };
            block_on(log.append(Draft::dropped(now()?, dropped)?, Tier::Durable))??;
        }
        log.close()?;
        match self.seq {
            Some(seq) => println!("erased {erased} payloads of entry {seq}"),
            None => println!("erased {erased} payloads, here and, once it is uploaded, in the archive"),
        }
        Ok(())
    }
}

/// The payloads of an entry. Of those that are erased the log says so already.
fn not_erased(reader: &LogReader, seq: u64) -> anyhow::Result<Vec<Digest>> {
    let entry = reader.entry(seq).context("name the payload with `--commitment` if the entry was archived")?;
    let commitments: Vec<_> = entry.body.commitments().map(|commitment| commitment.digest).collect();
    if commitments.is_empty() {
        bail!("entry {seq} has no payload beside the log; set `audit.payloads` to `erasable` for those to come");
    }
    let there = |commitment: &Digest| reader.source().payload(commitment).map(|payload| payload.is_some());
    let mut kept = Vec::new();
    for commitment in commitments {
        if there(&commitment)? {
            kept.push(commitment);
        }
    }
    Ok(kept)
}

fn open(config: &vak::Config) -> anyhow::Result<Log> {
    let key = PrivateKey::read(&config.audit.key)?;
    let origin: vak_audit::Origin = config.audit.origin.parse()?;
    let signer = Signer::new(origin.clone(), &key.seed());
    Ok(vak::open_log(config, origin, signer)?)
}
