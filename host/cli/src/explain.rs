//! `vak explain`

use std::process::ExitCode;

use clap::Args;
use vak_audit::{Approval, Body, LogReader, ReadError};
use vak_pipeline::{Guard as _, Standing};
use vak_plugin::{Near, Policy};
use vak_types::{Action, Effect, Name, Reason, Source, Verdict, printable};

use crate::Configured;
use crate::words::quoted;

/// Longest line that is printed, in bytes: the longest reason and its names.
const LINE_BYTES_MAX: usize = 4_096;

/// How many entries later what policies in shadow said is looked for, and what a
/// person answered: shadows can be behind by their queue, and each of those has
/// an entry or several.
const LATER: u64 = 16_384;

/// Say why a past action was allowed or not: every voice, and who it was. Exit
/// codes: 0 it was a decision, 2 it was not, or can't be read.
#[derive(Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    configured: Configured,
    /// The entry's number in the log, as in the receipt.
    seq: u64,
}

impl Explain {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let log = self.configured.load()?.log();
        let reader = LogReader::open(&log)?;
        let entry = reader.entry(self.seq)?;
        let Body::Decision(about, decision) = &entry.body else {
            anyhow::bail!("entry {} is not a decision but of the kind `{}`", self.seq, entry.body.kind());
        };
        let head = format!(
            "{}  {} in session {} asked for {} on {}",
            entry.time, about.agent, about.session, decision.operation, decision.resource
        );
        println!("{}", quoted(&head));
        print(&decision.verdict);
        if let Some(seq) = decision.verdict.approval
            && let Body::Approval(_, approval) = reader.entry(seq)?.body
        {
            print_answer(&reader, seq, &approval)?;
            println!("         to what entry {} asked", approval.decision);
        }
        let mut answer = None;
        for later in reader.entries(self.seq + 1, LATER) {
            let later = later?;
            match later.body {
                Body::Approval(_, approval) if approval.decision == self.seq => {
                    answer = Some(later.seq);
                    print_answer(&reader, later.seq, &approval)?;
                }
                Body::Decision(_, decision) if answer.is_some() && decision.verdict.approval == answer => {
                    println!("again    {} in entry {}", decision.verdict.decision, later.seq);
                }
                Body::Shadow(_, shadow) if shadow.decision == self.seq => {
                    println!("shadow   {}", printable(&voice(&shadow.reason), LINE_BYTES_MAX));
                }
                _ => {}
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What a person said, and who.
fn print_answer(reader: &LogReader, seq: u64, approval: &Approval) -> Result<(), ReadError> {
    let note = match reader.note(approval)? {
        Some(note) if note.is_empty() => String::new(),
        Some(note) => format!(": {note}"),
        None => ", with a note that was erased".to_owned(),
    };
    println!("{}", printable(&format!("{} by {} in entry {seq}{note}", approval.answer, approval.by), LINE_BYTES_MAX));
    Ok(())
}

/// A verdict that was just given by these policies. Where it is no allow, also
/// which of their rules would have permitted the action, had what been otherwise.
pub(crate) fn decided(action: &Action, verdict: &Verdict, policies: &[Policy]) {
    println!("{}", quoted(&format!("{} asked for {} on {}", action.agent, action.operation, action.resource)));
    print(verdict);
    if verdict.is_allow() || !verdict.is_judged() {
        return;
    }
    let may_permit = |policy: &&Policy| policy.standing() == Standing::MayPermit && policy.covers(action);
    for policy in policies.iter().filter(may_permit) {
        let name = &policy.component().name;
        match policy.nearest(action) {
            Ok(found) => found.into_iter().flatten().for_each(|near| print_near(name, &near)),
            Err(failure) => println!("nearest  {}", printable(&format!("policy `{name}`: {failure}"), LINE_BYTES_MAX)),
        }
    }
}

fn print_near(policy: &Name, near: &Near) {
    println!("nearest  {}", printable(&format!("policy `{policy}`, rule `{}`", near.rule), LINE_BYTES_MAX));
    for miss in &near.misses {
        println!("         {}", printable(miss, LINE_BYTES_MAX));
    }
    if near.misses.is_empty() {
        println!("         permits it, and something stricter outweighs it");
    }
}

fn print(verdict: &Verdict) {
    println!("verdict  {}{}", verdict.decision, if verdict.unsigned { ", UNSIGNED" } else { "" });
    let deciding = verdict.deciding();
    for reason in &verdict.reasons {
        let mark = if deciding.is_some_and(|deciding| std::ptr::eq(deciding, reason)) { "decides" } else { "" };
        println!("{mark:<7}  {}", printable(&voice(reason), LINE_BYTES_MAX));
        if let Source::Component(component) = &reason.source {
            let signer = component.signer.map_or_else(|| "nobody".to_owned(), |signer| signer.to_string());
            let config = component.config.map(|config| format!(", configured by {config}")).unwrap_or_default();
            println!("         {}{config}, signed by {signer}", component.digest);
        }
    }
    for obligation in &verdict.obligations {
        println!("with     {}", printable(&obligation.to_string(), LINE_BYTES_MAX));
    }
    if let Some(past) = verdict.past {
        println!("session  {} earlier actions known, since {}", past.steps, past.since);
    }
    if let Some(wait) = verdict.retry_after_ms {
        println!("retry    after {wait} ms");
    }
}

fn voice(reason: &Reason) -> String {
    let said = match reason.effect {
        Effect::Abstain => "has nothing to say",
        Effect::Permit => "permits",
        Effect::Backtrack => "wants another way",
        Effect::Escalate => "asks a person",
        Effect::Forbid => "forbids",
    };
    format!("{said}: {reason}")
}
