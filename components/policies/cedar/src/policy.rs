//! Asking Cedar, and its answer as a finding.

use vak_sdk::policy::{Action, ConfigError, Configure, Description, Effect, Finding, JudgeError, Policy};

use crate::config::{self, Config, Unknown};
use crate::request::Refused;
use crate::rules::{Outcome, Rule};

/// How the ids of our own rules start.
pub(crate) const BUILT_IN: &str = "request/";

/// The schema does not know the action.
const UNKNOWN_ACTION: &str = "request/unknown-action";

/// The action does not fit the schema.
const UNFIT: &str = "request/unfit";

/// The policy.
pub struct Cedar(Config);

impl Configure for Cedar {
    fn configure(text: &str) -> Result<Self, ConfigError> {
        config::parse(text).map(Self)
    }
}

impl Policy for Cedar {
    fn evaluate(&self, action: &Action) -> Result<Finding, JudgeError> {
        let Config { rules, schema, entities, mapping, unknown_action, .. } = &self.0;
        Ok(match mapping.ask(action, schema, entities) {
            Ok(asked) => finding(rules.judge(&asked.request, &asked.entities)),
            Err(Refused::UnknownAction) => match unknown_action {
                Unknown::Forbid => {
                    let reason = format!("the schema has no action for `{}`", action.operation);
                    Finding::forbid(UNKNOWN_ACTION, reason)
                }
                Unknown::Abstain => Finding::abstain(),
            },
            Err(Refused::Unfit(why)) => Finding::forbid(UNFIT, format!("it does not fit the schema: {why}")),
        })
    }

    fn describe(&self) -> Description {
        let description = Description::of(self.0.summary.clone());
        let description = match self.0.unknown_action {
            Unknown::Forbid => {
                description.rule(UNKNOWN_ACTION, Effect::Forbid, "An action that the schema does not know.")
            }
            Unknown::Abstain => description,
        };
        let description = description.rule(UNFIT, Effect::Forbid, "An action that does not fit the schema.");
        self.0.rules.iter().fold(description, |description, rule| {
            let summary = match &rule.summary {
                Some(summary) => format!("{summary} (line {})", rule.line),
                None => format!("line {}", rule.line),
            };
            description.rule(&rule.id, rule.effect, summary)
        })
    }
}

fn finding(outcome: Outcome<'_>) -> Finding {
    match outcome {
        Outcome::Holds(rule) => match rule.effect {
            Effect::Permit => Finding::permit(&rule.id, reason(rule, "permitted")),
            Effect::Escalate => Finding::escalate(&rule.id, reason(rule, "held back until a person agrees")),
            _ => Finding::forbid(&rule.id, reason(rule, "forbidden")),
        },
        Outcome::Fails(rule, why) => Finding::forbid(&rule.id, format!("it cannot be evaluated: {why}")),
        Outcome::Nothing(None) => Finding::abstain(),
        Outcome::Nothing(Some((rule, why))) => {
            let reason = format!("the permit `{}` cannot be evaluated: {why}", rule.id);
            Finding { reason, ..Finding::abstain() }
        }
    }
}

fn reason(rule: &Rule, what: &str) -> String {
    rule.summary.clone().unwrap_or_else(|| format!("{what} by the policy in line {}", rule.line))
}
