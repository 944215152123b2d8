//! The log as a table.

use std::path::Path;

use anyhow::Result;
use vak_audit::{Body, LogReader, Status};

/// Prints the decisions and outcomes of the log at `path`.
pub(crate) fn print(path: &Path) -> Result<()> {
    let reader = LogReader::open(path)?;
    println!("   {:>3}  {:<8}  {:<22}  why", "seq", "verdict", "operation");
    println!("   {:->3}  {:-<8}  {:-<22}  {:-<40}", "", "", "", "");
    for entry in reader.entries(0, u64::MAX) {
        let entry = entry?;
        match &entry.body {
            Body::Decision(_, decision) => {
                let why = decision.verdict.deciding().map(ToString::to_string).unwrap_or_default();
                let word = decision.verdict.decision.to_string();
                println!("   {:>3}  {word:<8}  {:<22}  {why}", entry.seq, decision.operation.as_str());
            }
            Body::Outcome(_, outcome) => {
                let word = match outcome.status {
                    Status::Succeeded => "succeeded",
                    Status::Failed => "failed",
                    Status::Unknown => "unknown",
                };
                let of = format!("  of entry {}", outcome.decision);
                println!("   {:>3}  {:<8}  {of:<22}  {word} {}", entry.seq, "", outcome.detail);
            }
            other => println!("   {:>3}  {:<8}  {}", entry.seq, "", other.kind()),
        }
    }
    Ok(())
}
