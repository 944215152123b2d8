//! `vak policy test`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use clap::Args;
use serde::Deserialize;
use vak::Host;
use vak_plugin::Policy;
use vak_types::{ActionRequest, Decision, Past, Source, Timestamp, Told, Verdict};

use super::judge;
use super::junit::{self, Ran};
use crate::Configured;

/// Judge the actions in a folder by the configured policies, and compare. Says
/// which rules no case was decided by. Exit codes: 0 each is judged as expected,
/// 1 one is not, 2 not tried.
///
/// A case is a file: `{"action": {…}, "decision": "deny", "policy": "files",
/// "rule": "no-secrets"}`; `policy` and `rule` may be left out. `time_ns` is when
/// the action is asked, and `session` is what its session did before: a list of
/// `{"operation": …, "resource": …, "labels": […], "allowed": true,
/// "seconds_ago": 60}`, first things first.
#[derive(Args)]
pub(crate) struct Test {
    #[command(flatten)]
    configured: Configured,
    /// The folder with the cases, `*.json`.
    folder: PathBuf,
    /// Write what came of it here, as JUnit's XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// An action and what is expected of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    action: ActionRequest,
    #[serde(default)]
    time_ns: u64,
    #[serde(default)]
    session: Vec<Told>,
    decision: Decision,
    policy: Option<String>,
    rule: Option<String>,
}

/// A rule and whose it is.
type Rule = (String, String);

impl Test {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let policies = Host::builder(self.configured.load()?).check()?.policies;
        let mut uncovered = rules(&policies)?;
        let (total, mut ran) = (uncovered.len(), Vec::new());
        for path in cases(&self.folder)? {
            let case = read(&path)?;
            let now = Timestamp::from_nanos(case.time_ns);
            let (action, past) = (case.action.clone().at("case".parse()?, now), Past::told(&case.session, now));
            let verdict = judge(&policies, &action, &Arc::new(past), None);
            for rule in spoke(&verdict) {
                uncovered.remove(&rule);
            }
            let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let failure = case.differs(&verdict);
            match &failure {
                None => println!("ok      {name}"),
                Some(failure) => println!("FAILED  {name}: {failure}"),
            }
            ran.push(Ran { name, failure });
        }
        let failed = ran.iter().filter(|ran| ran.failure.is_some()).count();
        println!(
            "{} passed, {failed} failed; {} of {total} rules had a say",
            ran.len() - failed,
            total - uncovered.len()
        );
        for (policy, rule) in &uncovered {
            println!("no case  policy `{policy}`, rule `{rule}`");
        }
        if let Some(path) = &self.junit {
            std::fs::write(path, junit::report(&ran)).with_context(|| format!("writing `{}`", path.display()))?;
        }
        Ok(ExitCode::from(u8::from(failed > 0)))
    }
}

impl Case {
    fn differs(&self, verdict: &Verdict) -> Option<String> {
        let deciding = verdict.deciding();
        let found = deciding.map(ToString::to_string).unwrap_or_default();
        let policy = deciding.and_then(|reason| match &reason.source {
            Source::Component(component) => Some(component.name.as_str()),
            _ => None,
        });
        let rule = deciding.and_then(|reason| reason.rule.as_deref());
        let same = self.decision == verdict.decision
            && self.policy.as_deref().is_none_or(|expected| policy == Some(expected))
            && self.rule.as_deref().is_none_or(|expected| rule == Some(expected));
        let expected = [("policy", &self.policy), ("rule", &self.rule)];
        let expected = expected.iter().filter_map(|(what, name)| Some(format!(" {what} `{}`", name.as_deref()?)));
        (!same).then(|| {
            format!("expected {}{}, found {} by {found}", self.decision, expected.collect::<String>(), verdict.decision)
        })
    }
}

/// The rules that a verdict names.
fn spoke(verdict: &Verdict) -> impl Iterator<Item = Rule> {
    verdict.reasons.iter().filter_map(|reason| match (&reason.source, &reason.rule) {
        (Source::Component(component), Some(rule)) => Some((component.name.to_string(), rule.clone())),
        _ => None,
    })
}

fn rules(policies: &[Policy]) -> anyhow::Result<BTreeSet<Rule>> {
    use vak_pipeline::Guard as _;

    let mut rules = BTreeSet::new();
    for policy in policies {
        let name = policy.component().name.to_string();
        rules.extend(policy.describe()?.rules.into_iter().map(|rule| (name.clone(), rule.id)));
    }
    Ok(rules)
}

fn cases(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = folder.read_dir().with_context(|| format!("reading `{}`", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort_by(|one, other| one.file_stem().cmp(&other.file_stem()));
    ensure!(!paths.is_empty(), "`{}` has no cases; a case is a file `NAME.json`", folder.display());
    Ok(paths)
}

fn read(path: &Path) -> anyhow::Result<Case> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading `{}`", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("`{}`", path.display()))
}
