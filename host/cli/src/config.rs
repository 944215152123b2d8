//! `vak config`

use std::process::ExitCode;

use clap::Subcommand;
use vak::{Checked, Host};
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
        let configured = match self {
            Self::Check { configured } => configured,
            Self::Show { configured } => {
                print!("{}", configured.load()?.effective()?);
                return Ok(ExitCode::SUCCESS);
            }
        };
        let config = configured.load()?;
        let checked = Host::builder(config.clone()).check()?;
        for policy in &checked.policies {
            println!("{}", describe(policy)?);
        }
        for (name, skill) in &checked.skills {
            println!("skill {name}: {}", skill.tool().description);
        }
        for limit in &config.limits {
            println!("limit {}: {} at once, {} every {} s", limit.name, limit.burst, limit.actions, limit.period_s);
        }
        println!("log {}: verifies with {}", config.log().display(), checked.verifier);
        let warnings = warnings(&checked);
        for warning in &warnings {
            eprintln!("warning: {warning}");
        }
        Ok(ExitCode::from(u8::from(!warnings.is_empty())))
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

fn warnings(checked: &Checked) -> Vec<String> {
    let mut warnings = Vec::new();
    if !checked.policies.iter().any(|policy| policy.standing() == Standing::MayPermit) {
        warnings.push("no policy may permit, so everything will be denied; set `may_permit = true` for one".to_owned());
    }
    let policies = checked.policies.iter().map(|policy| &**policy.component());
    let components = policies.chain(checked.skills.values().map(|skill| skill.component()));
    let unsigned: Vec<_> =
        components.filter(|component| component.signer.is_none()).map(|component| component.name.as_str()).collect();
    if !unsigned.is_empty() {
        warnings.push(format!("loaded without a signature: {}; every verdict says so", unsigned.join(", ")));
    }
    warnings
}

fn count(rules: &[Rule], effect: Effect) -> usize {
    rules.iter().filter(|rule| rule.effect == effect).count()
}
