//! What is ruled out for all actions with certain names.

use proptest::prelude::*;
use vak_sdk::policy::{Effect, Nearest as _, Prospect};

use crate::earlier::Earlier;
use crate::{configure, generate};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// No action gets an answer that was ruled out for its names.
    #[test]
    fn no_action_contradicts_it(
        config in prop_oneof![generate::config(8), generate::squeezed()],
        actions in prop::collection::vec(generate::action(), 4),
    ) {
        let rules = configure(&config.to_string());
        let past = Earlier { steps: Vec::new(), known_ms: 0 };
        for action in actions {
            let effect = rules.judge(&action, &past).effect;
            match rules.prospects(&action.agent, &action.operation, &action.resource) {
                Prospect::Open => {}
                Prospect::NeverPermits => {
                    prop_assert!(matches!(effect, Effect::Abstain | Effect::Forbid), "{effect:?} for {action:?}");
                }
                Prospect::AlwaysForbids => prop_assert_eq!(effect, Effect::Forbid, "{:?}", action),
            }
        }
    }
}
