//! What loads, and does something else than was meant.

use std::fmt;

use serde::Serialize;
use vak::config::Mcp;
use vak::{Checked, Config};
use vak_pipeline::{Guard as _, Standing};
use vak_types::{AgentId, Effect, Operation, Pattern, printable};

/// Bytes of what a policy says of itself.
const WARNING_BYTES_MAX: usize = 1_024;

/// Something that would surprise whoever wrote the configuration.
#[derive(Debug, Serialize)]
pub(super) struct Surprise {
    /// What kind it is, for programs.
    code: &'static str,
    /// The policy, skill or limit; nothing where it is the whole.
    about: Option<String>,
    /// What it is and what to do.
    message: String,
}

/// All of them.
pub(super) fn of(config: &Config, checked: &Checked) -> anyhow::Result<Vec<Surprise>> {
    let mut surprises = Vec::new();
    let mut tell = |code, about: Option<&str>, message: String| {
        surprises.push(Surprise { code, about: about.map(str::to_owned), message });
    };
    if checked.policies.is_empty() {
        tell("no-policies", None, "there are no policies, so everything will be denied".to_owned());
    } else if !checked.policies.iter().any(|policy| policy.standing() == Standing::MayPermit) {
        let message = "no policy may permit, so everything will be denied; set `may_permit = true` for one";
        tell("nothing-permits", None, message.to_owned());
    }
    let mut permits = false;
    for policy in &checked.policies {
        let rules = policy.describe()?.rules;
        let may = policy.standing() == Standing::MayPermit;
        permits |= may && rules.iter().any(|rule| rule.effect == Effect::Permit);
        if !may && !rules.is_empty() && rules.iter().all(|rule| rule.effect == Effect::Permit) {
            let message = "all its rules permit, and it may not; set `may_permit = true` or leave it out";
            tell("permits-in-vain", Some(policy.component().name.as_str()), message.to_owned());
        }
    }
    if !permits && checked.policies.iter().any(|policy| policy.standing() == Standing::MayPermit) {
        let message = "no rule of a policy that may permit is a permit, so everything may be denied";
        tell("no-permit-rule", None, message.to_owned());
    }
    for policy in checked.policies.iter().chain(&checked.shadows) {
        for warning in policy.describe()?.warnings {
            let warning = printable(&warning, WARNING_BYTES_MAX);
            tell("policy-warning", Some(policy.component().name.as_str()), warning);
        }
    }
    let known = Known::of(config);
    for policy in &config.policies {
        for pattern in &policy.operations {
            if let Some(message) = known.operation(pattern) {
                tell("unknown-operation", Some(policy.name.as_str()), message);
            }
        }
        for pattern in &policy.agents {
            if let Some(message) = known.agent(pattern) {
                tell("unknown-agent", Some(policy.name.as_str()), message);
            }
        }
    }
    let policies = checked.policies.iter().map(|policy| &**policy.component());
    let components = policies.chain(checked.skills.values().map(|skill| skill.component()));
    for component in components.filter(|component| component.signer.is_none()) {
        tell("unsigned", Some(component.name.as_str()), "loaded without a signature; every verdict says so".to_owned());
    }
    Ok(surprises)
}

/// What the gateway makes of its configuration. A program that embeds a host can
/// have other operations and agents, and then it has no `[mcp]`.
struct Known<'a> {
    agent: Option<&'a AgentId>,
    /// How operations begin.
    operations: Vec<String>,
}

impl<'a> Known<'a> {
    fn of(config: &'a Config) -> Self {
        let upstreams = config.mcp.iter().flat_map(Mcp::names).map(|name| format!("{name}/"));
        let skills = config.skills.iter().map(|skill| format!("skill/{}", skill.name));
        Self {
            agent: config.mcp.as_ref().and_then(|mcp| mcp.agent.as_ref()),
            operations: upstreams.chain(skills).collect(),
        }
    }

    fn operation(&self, pattern: &Pattern<Operation>) -> Option<String> {
        self.agent?;
        let text = pattern.to_string();
        let start = text.trim_end_matches('*');
        let known = |begin: &String| begin.starts_with(start) || start.starts_with(begin.as_str());
        let all = self.operations.join("`, `");
        (!self.operations.iter().any(known))
            .then(|| format!("is asked about `{text}`, and the operations there are begin with `{all}`"))
    }

    fn agent(&self, pattern: &Pattern<AgentId>) -> Option<String> {
        let agent = self.agent?;
        (!pattern.matches(agent))
            .then(|| format!("is asked about the agent `{pattern}`, and the only one is `{agent}`"))
    }
}

impl fmt::Display for Surprise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.about {
            Some(about) => write!(f, "`{about}`: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}
