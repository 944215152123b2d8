//! `vak policy diff`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use vak::{Config, Host, Override};
use vak_audit::{Body, Entry, LogReader};
use vak_plugin::Policy;
use vak_types::{Action, ActionRequest, Json, Verdict, printable};

use super::judge;

/// Longest line that is printed, in bytes: two reasons and their names.
const LINE_BYTES_MAX: usize = 8_192;

/// Judge the actions in a log by the policies of two configurations, and show
/// where the verdicts differ. Limits are left out, and actions whose arguments,
/// attributes or labels do not stand in the log. Exit codes: 0 no verdict
/// differs, 1 one does, 2 not tried.
#[derive(Args)]
pub(crate) struct Diff {
    /// The configuration as it is.
    old: PathBuf,
    /// The configuration as it would be.
    new: PathBuf,
    /// The log, if it is not the one of the old configuration.
    #[arg(long)]
    log: Option<PathBuf>,
    /// From this entry on.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// As many entries at the most.
    #[arg(long, default_value_t = u64::MAX)]
    entries: u64,
}

impl Diff {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let overrides = Override::from_environment();
        let [old, new] = [&self.old, &self.new].map(|path| Config::load(path, &overrides));
        let (old, new) = (old?, new?);
        let log = self.log.unwrap_or_else(|| old.log());
        let (old, new) = (Host::builder(old).check()?.policies, Host::builder(new).check()?.policies);
        let reader = LogReader::open(&log)?;
        let (mut judged, mut unknown, mut differ) = (0_u64, 0_u64, 0_u64);
        for entry in reader.entries(self.from, self.entries) {
            let entry = entry?;
            if !matches!(entry.body, Body::Decision(..)) {
                continue;
            }
            let Some(action) = action(&entry) else {
                unknown += 1;
                continue;
            };
            judged += 1;
            if let Some(difference) = difference(&old, &new, &action) {
                differ += 1;
                let line = format!("{:>6}  {}  {}  {difference}", entry.seq, action.agent, action.operation);
                println!("{}", printable(&line, LINE_BYTES_MAX));
            }
        }
        println!(
            "{judged} actions, {differ} differ{}",
            match unknown {
                0 => String::new(),
                unknown => format!("; {unknown} left out, which do not stand in the log"),
            }
        );
        Ok(ExitCode::from(u8::from(differ > 0)))
    }
}

/// The action that a decision was about, if all of it stands in the entry.
fn action(entry: &Entry) -> Option<Action> {
    let Body::Decision(about, decision) = &entry.body else { return None };
    let request = ActionRequest {
        session: about.session.clone(),
        agent: about.agent.clone(),
        operation: decision.operation.clone(),
        resource: decision.resource.clone(),
        arguments: Json::parse(decision.arguments.value()?).ok()?,
        attributes: decision.attributes.value()?.clone(),
        labels: decision.labels.value()?.clone(),
    };
    Some(request.at(about.action.clone(), entry.time))
}

fn difference(old: &[Policy], new: &[Policy], action: &Action) -> Option<String> {
    let (old, new) = (judge(old, action), judge(new, action));
    let differ = old.decision != new.decision || old.obligations != new.obligations;
    differ.then(|| format!("{}; now {}", told(&old), told(&new)))
}

fn told(verdict: &Verdict) -> String {
    let reason = verdict.deciding().map(ToString::to_string).unwrap_or_default();
    let with: Vec<_> = verdict.obligations.iter().map(ToString::to_string).collect();
    let with = if with.is_empty() { String::new() } else { format!(", with {}", with.join(" and ")) };
    format!("{} by {reason}{with}", verdict.decision)
}
