//! `vak audit export`

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use vak_audit::{Body, Entry, LogReader, export_tiles, open_source};
use vak_audit_verify::{bar, progress};

use super::print::{entry_json, status};

#[derive(Args)]
pub(crate) struct Export {
    /// The log.
    log: PathBuf,
    /// The form.
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// Where to: a new file, or a folder for tiles, which is brought up to date.
    #[arg(long, short)]
    output: PathBuf,
    /// From this entry on. Tiles are of the whole log.
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    from: u64,
    /// To the entry before this one.
    #[arg(long, value_name = "SEQ", default_value_t = u64::MAX)]
    to: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// JSON Lines: an object an entry, with everything in it.
    Jsonl,
    /// CSV: a line an entry, with what fits into columns.
    Csv,
    /// A folder that any web server can offer to those who check the log.
    Tiles,
}

impl Export {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let bar = bar()?;
        let mut progress = progress(&bar);
        if self.format == Format::Tiles {
            export_tiles(&*open_source(&self.log)?, &self.output, progress)?;
            bar.finish_and_clear();
            return Ok(());
        }
        let reader = LogReader::open(&self.log)?;
        let end = reader.size()?.min(self.to);
        let file = std::fs::OpenOptions::new().write(true).create_new(true).open(&self.output);
        let mut output = BufWriter::new(file.with_context(|| format!("making `{}`", self.output.display()))?);
        if self.format == Format::Csv {
            row(&mut output, &COLUMNS.map(str::to_owned))?;
        }
        for entry in reader.entries(self.from, end.saturating_sub(self.from)) {
            let entry = entry?;
            match self.format {
                Format::Csv => row(&mut output, &columns(&entry))?,
                _ => writeln!(output, "{}", entry_json(&entry))?,
            }
            progress(entry.seq + 1 - self.from, end - self.from);
        }
        output.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
        bar.finish_and_clear();
        Ok(())
    }
}

const COLUMNS: [&str; 12] = [
    "seq",
    "time",
    "kind",
    "agent",
    "session",
    "action",
    "operation",
    "resource",
    "verdict",
    "rule",
    "decision",
    "status",
];

fn columns(entry: &Entry) -> [String; 12] {
    let about = entry.body.about();
    let about = |word: fn(&vak_audit::About) -> &str| about.map(word).unwrap_or_default().to_owned();
    let mut columns = [
        entry.seq.to_string(),
        entry.time.to_string(),
        entry.body.kind().to_string(),
        about(|about| about.agent.as_str()),
        about(|about| about.session.as_str()),
        about(|about| about.action.as_str()),
        String::new(),
        String::new(),
        String::new(),
        String::new(),
        String::new(),
        String::new(),
    ];
    match &entry.body {
        Body::Decision(_, decision) => {
            columns[6] = decision.operation.to_string();
            columns[7] = decision.resource.to_string();
            columns[8] = decision.verdict.decision.to_string();
            columns[9] = decision.verdict.deciding().and_then(|reason| reason.rule.clone()).unwrap_or_default();
        }
        Body::Outcome(_, outcome) => {
            columns[10] = outcome.decision.to_string();
            columns[11] = status(outcome.status).to_owned();
        }
        Body::Shadow(_, shadow) => {
            columns[9] = shadow.reason.rule.clone().unwrap_or_default();
            columns[10] = shadow.decision.to_string();
        }
        Body::Approval(_, approval) => {
            columns[10] = approval.decision.to_string();
            columns[11] = approval.answer.to_string();
        }
        Body::KeyRotation(_) | Body::Configuration(_) | Body::Drop(_) | Body::Acceptance(_) => {}
    }
    columns
}

/// A line of RFC 4180. What a spreadsheet would take for a formula gets an
/// apostrophe in front: agents choose these texts.
fn row(output: &mut impl Write, columns: &[String]) -> std::io::Result<()> {
    for (index, column) in columns.iter().enumerate() {
        let guard = if column.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
        let comma = if index == 0 { "" } else { "," };
        write!(output, "{comma}\"{guard}{}\"", column.replace('"', "\"\""))?;
    }
    output.write_all(b"\r\n")
}
