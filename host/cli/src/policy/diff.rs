//! `vak policy diff`

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use vak::{Config, Host, Override};
use vak_audit::{Body, LogReader, ReadError};
use vak_pipeline::Approval;
use vak_pipeline::Guard as _;
use vak_plugin::Policy;
use vak_session::Replay;
use vak_types::{Action, Past, Source, Step, Timestamp, Verdict, printable};

use super::judge;

/// Longest line that is printed, in bytes: two reasons and their names.
const LINE_BYTES_MAX: usize = 8_192;

/// Judge the actions in a log by the policies of two configurations, and show
/// where the verdicts differ. Policies see of a session what they saw then, and
/// what a person agreed to then is agreed to. Limits are left out, and actions of
/// which something was erased, or whose session's past, or what a person was
/// asked, is not all in the log. Exit codes: 0 no verdict differs, 1 one
/// does, 2 not tried.
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
        let end = self.from.saturating_add(self.entries);
        let mut pasts = Replay::new(Timestamp::default());
        // What sessions did before the first action that is judged counts too.
        for entry in reader.entries(0, end) {
            let entry = entry?;
            let Body::Decision(about, decision) = &entry.body else { continue };
            let (verdict, action) = (&decision.verdict, reader.action(&entry)?);
            let past = pasts.past(&about.agent, &about.session, verdict.past);
            if verdict.is_judged() {
                match &action {
                    Some(action) => pasts.add(&about.agent, &about.session, Step::of(action, verdict.is_allow())),
                    None => pasts.forget(&about.agent, &about.session, entry.time),
                }
            }
            if entry.seq < self.from {
                continue;
            }
            let approval = verdict.approval.map(|answer| approval(&reader, answer)).transpose()?;
            let (Some(action), Ok(past), None | Some(Some(_))) = (action, past, &approval) else {
                unknown += 1;
                continue;
            };
            judged += 1;
            if let Some(difference) = difference(&old, &new, &action, &Arc::new(past), approval.flatten().as_ref()) {
                differ += 1;
                let line = format!("{:>6}  {}  {}  {difference}", entry.seq, action.agent, action.operation);
                println!("{}", printable(&line, LINE_BYTES_MAX));
            }
        }
        println!(
            "{judged} actions, {differ} differ{}",
            match unknown {
                0 => String::new(),
                unknown => format!("; {unknown} left out, of which something is not in the log"),
            }
        );
        Ok(ExitCode::from(u8::from(differ > 0)))
    }
}

/// As if the person had been asked by these policies: each stands for the one of
/// its name and signer that asked.
fn asked_by(policies: &[Policy], approval: &Approval) -> Approval {
    let mut approval = approval.clone();
    for reason in &mut approval.answered {
        let Source::Component(asked) = &mut reason.source else { continue };
        let same =
            |policy: &&Policy| (&policy.component().name, policy.component().signer) == (&asked.name, asked.signer);
        if let Some(policy) = policies.iter().find(same) {
            *asked = Arc::clone(policy.component());
        }
    }
    approval
}

/// What a person agreed to; `None` if its words are not in the log.
fn approval(reader: &LogReader, answer: u64) -> Result<Option<Approval>, ReadError> {
    let answered = reader.answered(answer)?;
    let told = answered.iter().all(|reason| !reason.message.is_empty());
    Ok(told.then_some(Approval { seq: answer, answered }))
}

fn difference(
    old: &[Policy],
    new: &[Policy],
    action: &Action,
    past: &Arc<Past>,
    approval: Option<&Approval>,
) -> Option<String> {
    let by = |policies: &[Policy]| {
        let approval = approval.map(|approval| asked_by(policies, approval));
        judge(policies, action, past, approval.as_ref())
    };
    let (old, new) = (by(old), by(new));
    let differ = old.decision != new.decision || old.obligations != new.obligations;
    differ.then(|| format!("{}; now {}", told(&old), told(&new)))
}

fn told(verdict: &Verdict) -> String {
    let reason = verdict.deciding().map(ToString::to_string).unwrap_or_default();
    let with: Vec<_> = verdict.obligations.iter().map(ToString::to_string).collect();
    let with = if with.is_empty() { String::new() } else { format!(", with {}", with.join(" and ")) };
    format!("{} by {reason}{with}", verdict.decision)
}
