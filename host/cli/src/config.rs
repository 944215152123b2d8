//! `vak config`

mod surprises;

use std::process::ExitCode;

use clap::Subcommand;
use vak::Host;
use vak::config::{Limit, LimitKind, LimitMode};
use vak_pipeline::{Guard as _, Standing};
use vak_plugin::{Policy, Rule};
use vak_types::Effect;

use crate::Configured;

/// Check configurations.
#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read the configuration, verify and load everything it names, and say
    /// what would surprise. Exit codes: 0 fine, 1 warnings, 2 it does not load.
    Check {
        #[command(flatten)]
        configured: Configured,
        /// Print what would surprise, and nothing else, as JSON: a list of objects
        /// with `code`, `about` and `message`.
        #[arg(long)]
        json: bool,
    },
    /// Print all settings as they count, in TOML: the file, what the environment
    /// and flags replace in it, and the defaults. Its SHA-256 is what the log
    /// calls the configuration.
    Show {
        #[command(flatten)]
        configured: Configured,
    },
}

impl ConfigCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let (configured, json) = match self {
            Self::Check { configured, json } => (configured, json),
            Self::Show { configured } => {
                print!("{}", configured.load()?.effective()?);
                return Ok(ExitCode::SUCCESS);
            }
        };
        let config = configured.load()?;
        let checked = Host::builder(config.clone()).check()?;
        if json {
            let surprises = surprises::of(&config, &checked)?;
            println!("{}", serde_json::to_string_pretty(&surprises)?);
            return Ok(ExitCode::from(u8::from(!surprises.is_empty())));
        }
        for policy in &checked.policies {
            println!("{}", describe(policy)?);
        }
        for (name, skill) in &checked.skills {
            println!("skill {name}: {}", skill.tool().description);
        }
        for (name, framework) in &checked.frameworks {
            let info = framework.info();
            println!("adapter {name}: {} {}", info.framework, info.versions.join(", "));
        }
        for limit in &config.limits {
            println!("limit {}: {}", limit.name, limited(limit));
        }
        println!("log {}: verifies with {}", config.log().display(), checked.verifier);
        let surprises = surprises::of(&config, &checked)?;
        for surprise in &surprises {
            eprintln!("warning: {surprise}");
        }
        Ok(ExitCode::from(u8::from(!surprises.is_empty())))
    }
}

fn describe(policy: &Policy) -> anyhow::Result<String> {
    let rules = policy.describe()?.rules;
    Ok(format!(
        "policy {}: {} rules ({} permit, {} escalate, {} forbid), {}",
        policy.component().name,
        rules.len(),
        count(&rules, Effect::Permit),
        count(&rules, Effect::Escalate),
        count(&rules, Effect::Forbid),
        match policy.standing() {
            Standing::MayPermit => "may permit",
            Standing::RestrictOnly => "may only restrict",
        },
    ))
}

fn limited(limit: &Limit) -> String {
    let kind = match &limit.kind {
        LimitKind::Rate { burst, actions, period_s, cost } => {
            let cost = cost.as_ref().map(|cost| format!(" of `{cost}`")).unwrap_or_default();
            format!("{burst} at once, {actions} every {period_s} s{cost}")
        }
        LimitKind::Quota { actions, window_s, .. } => format!("{actions} in {window_s} s"),
        LimitKind::Concurrency { at_once } => format!("{at_once} at a time"),
        LimitKind::Budget { amount, window_s: Some(window_s), cost, .. } => {
            format!("{amount} of `{cost}` in {window_s} s")
        }
        LimitKind::Budget { amount, window_s: None, cost, .. } => format!("{amount} of `{cost}`"),
    };
    match limit.mode {
        LimitMode::Enforce if limit.shared => format!("{kind}, over all hosts that share"),
        LimitMode::Enforce => kind,
        LimitMode::Shadow => format!("{kind}, in shadow mode"),
    }
}

fn count(rules: &[Rule], effect: Effect) -> usize {
    rules.iter().filter(|rule| rule.effect == effect).count()
}
