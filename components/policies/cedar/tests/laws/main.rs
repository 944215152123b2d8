//! The policy against Cedar's own authorizer, which it does not use: on the
//! samples that Cedar publishes and on random policies and actions.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cases;
mod generate;
mod native;
mod random;
mod refusals;
mod samples;
mod strange;

use vak_policy_cedar::Cedar;
use vak_sdk::policy::{Action, ConfigError, Configure as _};

/// A configuration with these texts in it; `request` is what stands below
/// `[request]`.
fn config(policies: &str, schema: &str, entities: &str, request: &str) -> String {
    let texts = [("policies", policies), ("schema", schema), ("entities", entities)];
    let texts = texts.iter().filter(|(key, text)| *key == "policies" || !text.is_empty());
    let texts: String = texts.map(|(key, text)| format!("{key} = '''\n{text}\n'''\n")).collect();
    format!("{texts}[request]\n{request}\n")
}

fn configure(config: &str) -> Result<Cedar, ConfigError> {
    Cedar::configure(config)
}

fn configured(config: &str) -> Cedar {
    configure(config).unwrap_or_else(|error| panic!("{:?}: {}\n{config}", error.line, error.message))
}

fn action(agent: &str, operation: &str, resource: &str, arguments: &str) -> Action {
    Action {
        id: "a".into(),
        session: "s".into(),
        agent: agent.into(),
        operation: operation.into(),
        resource: resource.into(),
        arguments: arguments.into(),
        attributes: Vec::new(),
        labels: Vec::new(),
        time_ns: 0,
    }
}
