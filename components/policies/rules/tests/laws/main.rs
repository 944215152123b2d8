//! What holds for every configuration and every action.
#![allow(clippy::unwrap_used, clippy::panic)]

mod cases;
mod earlier;
mod generate;
mod lints;
mod nearest;
mod outlook;
mod reference;
mod refusals;
mod samples;
mod schema;
mod strange;

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;
use vak_policy_rules::Rules;
use vak_sdk::policy::{Action, Configure as _, Finding, Obligation};

use crate::earlier::Earlier;
use crate::reference::Expected;

fn configure(text: &str) -> Rules {
    Rules::configure(text)
        .unwrap_or_else(|error| panic!("{:?}:{:?} {} in {text}", error.line, error.column, error.message))
}

fn said(finding: &Finding) -> Expected {
    let obligations: Vec<_> = finding.obligations.iter().map(obligation).collect();
    let distinct: BTreeSet<_> = obligations.iter().cloned().collect();
    assert_eq!(obligations.len(), distinct.len(), "{obligations:?}");
    Expected {
        effect: finding.effect,
        rule: finding.rule.clone(),
        unknown: finding.reason.starts_with("needs the "),
        obligations: distinct,
    }
}

fn obligation(obligation: &Obligation) -> String {
    match obligation {
        Obligation::Redact(redaction) => format!("redact {} {}", redaction.argument, redaction.replacement),
        Obligation::Cap(cap) => format!("cap {} {}", cap.argument, cap.at_most),
        Obligation::Header(header) => format!("header {} {}", header.name, header.value),
        Obligation::Approval(group) => format!("approval {group}"),
    }
}

/// Both texts of a configuration say of each action what the reference says.
fn agree(config: &Value, actions: &[(Action, Earlier)]) {
    let json = configure(&config.to_string());
    let toml = configure(&toml::to_string(config).unwrap());
    for (action, past) in actions {
        let finding = json.judge(action, past);
        assert_eq!(
            said(&finding),
            reference::evaluate(config, action, past),
            "{action:?} after {past:?} under {config}"
        );
        for other in [&json, &toml] {
            assert_eq!(format!("{:?}", other.judge(action, past)), format!("{finding:?}"));
        }
    }
}

/// Actions, and what their sessions did before.
fn actions(count: usize) -> impl Strategy<Value = Vec<(Action, Earlier)>> {
    prop::collection::vec((generate::action(), generate::past()), count)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn says_what_the_reference_says(config in generate::config(12), actions in actions(4)) {
        agree(&config, &actions);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Enough rules for every level of the index.
    #[test]
    fn says_so_of_many_rules(config in generate::config(200), actions in actions(20)) {
        agree(&config, &actions);
    }

    #[test]
    fn says_so_in_a_crowd(config in generate::crowd(), actions in actions(15)) {
        agree(&config, &actions);
    }

    /// Which effect there is does not depend on the order of the rules.
    #[test]
    fn order_does_not_matter(config in generate::config(12), actions in actions(8)) {
        let mut turned = config.clone();
        turned["rule"].as_array_mut().unwrap().reverse();
        let (one, other) = (configure(&config.to_string()), configure(&turned.to_string()));
        for (action, past) in actions {
            prop_assert_eq!(one.judge(&action, &past).effect, other.judge(&action, &past).effect);
        }
    }
}
