//! `vak audit query`

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use vak_audit::{Cursor, EntryKind, Index, LogReader, Query};
use vak_audit_verify::{Times, bar, progress};
use vak_types::Decision;

use super::print;

#[derive(Args)]
pub(crate) struct QueryArgs {
    /// The log.
    log: PathBuf,
    /// Of this agent.
    #[arg(long)]
    agent: Option<String>,
    /// In this session.
    #[arg(long)]
    session: Option<String>,
    /// Decisions on this operation.
    #[arg(long)]
    operation: Option<String>,
    /// With this verdict: allow, backtrack, escalate or deny.
    #[arg(long, value_parser = decision)]
    verdict: Option<Decision>,
    /// Decisions in which this component had a say.
    #[arg(long)]
    component: Option<String>,
    /// Of this kind: decision, outcome, key-rotation, configuration, drop, shadow,
    /// approval or acceptance.
    #[arg(long)]
    kind: Option<EntryKind>,
    #[command(flatten)]
    times: Times,
    /// How many, the newest first.
    #[arg(long, short = 'n', default_value_t = 20)]
    lines: usize,
    /// Where the page before ended.
    #[arg(long, value_name = "CURSOR")]
    after: Option<Cursor>,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

impl QueryArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let reader = LogReader::open(&self.log)?;
        let mut index = Index::open(&self.log)?;
        let bar = bar()?;
        index.catch_up(&reader, progress(&bar))?;
        bar.finish_and_clear();
        let query = Query {
            agent: self.agent,
            session: self.session,
            operation: self.operation,
            decision: self.verdict,
            component: self.component,
            kind: self.kind,
            from: self.times.since,
            to: self.times.until,
        };
        let page = index.find(&query, self.after, self.lines)?;
        for seq in page.seqs {
            let entry = reader.entry(seq)?;
            ensure!(query.matches(&entry), "the index is not of this log; delete `{}.index`", self.log.display());
            print::entry(&entry, self.json)?;
        }
        if let Some(next) = page.next {
            eprintln!("more: --after {next}");
        }
        Ok(())
    }
}

fn decision(text: &str) -> Result<Decision, String> {
    serde_json::from_value(text.into()).map_err(|_| "write allow, backtrack, escalate or deny".to_owned())
}
