//! What somebody should look at in a configuration that is valid: rules that
//! never apply, that change nothing, and that permit everything.
//!
//! Only what is certain is said. It is looked for once, when the configuration
//! is read; a call knows nothing of it.

mod budget;
mod cover;
mod decided;
mod narrow;
mod never;
mod shadow;

use vak_sdk::policy::Effect;

use self::budget::Budget;
use self::cover::takes_anything;
use self::never::Never;
use self::shadow::Sweeping;
use crate::config::Rule;
use crate::pattern::Pattern;

/// More sentences than anybody reads at once.
const WARNINGS_MAX: usize = 64;

/// Bytes of a name in a sentence. The host bounds what a policy says of itself.
const NAME_BYTES_MAX: usize = 128;

/// The sentences, in the order of the rules.
pub(crate) fn warnings(rules: &[Rule]) -> Vec<String> {
    let (mut budget, sweeping) = (Budget::new(), Sweeping::of(rules));
    let (mut warnings, mut more) = (Vec::new(), 0_usize);
    for rule in (0..).zip(rules) {
        if let Some(warning) = warning(rule, &sweeping, &mut budget) {
            match warnings.len() < WARNINGS_MAX {
                true => warnings.push(warning),
                false => more += 1,
            }
        }
    }
    if more > 0 {
        warnings.push(format!("{more} more rules have warnings like these"));
    }
    if budget.is_spent() {
        warnings
            .push("there are more rules like each other than can be compared, so there may be more warnings".into());
    }
    warnings.shrink_to_fit();
    warnings
}

fn warning((place, rule): (u32, &Rule), sweeping: &Sweeping<'_>, budget: &mut Budget) -> Option<String> {
    if let Some(Never { about, decided }) = never::applies(rule, budget) {
        let what = match decided || rule.effect == Effect::Permit {
            true => "never applies",
            false => "only forbids what it cannot be evaluated for",
        };
        return Some(format!("{} {what}: nothing meets all that it wants of the {about}", name(rule)));
    }
    if let Some(other) = sweeping.over(place, rule, budget) {
        let does = match other.effect {
            Effect::Forbid => "forbids",
            Effect::Escalate => "escalates",
            Effect::Permit | Effect::Abstain => "permits",
        };
        return Some(format!("{} changes no verdict: {} {does} all that it is for", name(rule), name(other)));
    }
    let everything = rule.effect == Effect::Permit && is_sweeping(rule) && names(rule).into_iter().all(takes_anything);
    everything.then(|| format!("{} permits everything", name(rule)))
}

/// Which rule is meant, and where it stands.
fn name(rule: &Rule) -> String {
    format!("rule {} (line {})", quoted(rule.id()), rule.line)
}

fn quoted(name: &str) -> String {
    match name.len() <= NAME_BYTES_MAX {
        true => format!("`{name}`"),
        false => format!("`{}…`", &name[..name.floor_char_boundary(NAME_BYTES_MAX)]),
    }
}

/// Whether it applies to all that its names match.
fn is_sweeping(rule: &Rule) -> bool {
    rule.when.is_empty() && rule.roles().is_empty()
}

fn names(rule: &Rule) -> [&[Pattern]; 3] {
    [&rule.operations, &rule.resources, &rule.agents]
}
