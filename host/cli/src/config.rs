//! `vak config`

use std::process::ExitCode;

use clap::Subcommand;
use vak::Host;
use vak_pipeline::{Guard as _, Standing};
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
}

impl ConfigCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let Self::Check { configured } = self;
        let host = Host::builder(configured.load()?).build()?;
        let mut permits = false;
        for policy in host.policies() {
            let description = policy.describe()?;
            let may_permit = policy.standing() == Standing::MayPermit;
            permits |= may_permit;
            println!(
                "policy {}: {} rules ({} permit, {} escalate, {} forbid), {}",
                policy.component().name,
                description.rules.len(),
                count(&description.rules, Effect::Permit),
                count(&description.rules, Effect::Escalate),
                count(&description.rules, Effect::Forbid),
                if may_permit { "may permit" } else { "may only restrict" },
            );
        }
        for (name, skill) in host.skills() {
            println!("skill {name}: {}", skill.tool().description);
        }
        for limit in &host.config().limits {
            println!("limit {}: {} at once, {} every {} s", limit.name, limit.burst, limit.actions, limit.period_s);
        }
        println!("log {}: verifies with {}", host.log().display(), host.verifier_key());
        let unsigned = host.policies().iter().map(|policy| &**policy.component());
        let unsigned = unsigned.chain(host.skills().map(|(_, skill)| skill.component()));
        let unsigned: Vec<_> =
            unsigned.filter(|component| component.signer.is_none()).map(|it| it.name.to_string()).collect();
        let mut warnings = Vec::new();
        if !permits {
            warnings
                .push("no policy may permit, so everything will be denied; set `may_permit = true` for one".to_owned());
        }
        if !unsigned.is_empty() {
            warnings.push(format!("loaded without a signature: {}; every verdict says so", unsigned.join(", ")));
        }
        host.close()?;
        for warning in &warnings {
            eprintln!("warning: {warning}");
        }
        Ok(ExitCode::from(u8::from(!warnings.is_empty())))
    }
}

fn count(rules: &[vak_plugin::Rule], effect: Effect) -> usize {
    rules.iter().filter(|rule| rule.effect == effect).count()
}
