//! What is said of rules that do nothing is true, and what is plain is said.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;
use vak_policy_rules::Rules;
use vak_sdk::policy::{Action, Policy as _};

use crate::earlier::Earlier;
use crate::{actions, configure, generate, reference, said};

/// What was said of each rule, without what it is because of.
fn told(rules: &Rules) -> BTreeMap<String, String> {
    let warnings = rules.describe().warnings;
    let parts = warnings.iter().map(|warning| {
        let (id, rest) = warning.strip_prefix("rule `").unwrap().split_once("` (line 1) ").unwrap();
        (id.to_owned(), rest.split(':').next().unwrap().to_owned())
    });
    parts.collect()
}

fn without(config: &Value, out: impl Fn(&str) -> bool) -> Rules {
    let mut config = config.clone();
    config["rule"].as_array_mut().unwrap().retain(|rule| !out(rule["id"].as_str().unwrap()));
    configure(&config.to_string())
}

fn holds(config: &Value, actions: &[(Action, Earlier)]) {
    let rules = configure(&config.to_string());
    let told = told(&rules);
    let of = |rule: &Value| told.get(rule["id"].as_str().unwrap()).map(String::as_str);
    let idle = |id: &str| matches!(told.get(id).map(String::as_str), Some("never applies" | "changes no verdict"));
    let fewer: Vec<_> = told.keys().filter(|id| idle(id)).map(|id| without(config, |other| other == id)).collect();
    let fewest = without(config, idle);
    for (action, past) in actions {
        for rule in config["rule"].as_array().unwrap() {
            let applies = reference::surely_applies(rule, action, past);
            match of(rule) {
                Some("never applies" | "only forbids what it cannot be evaluated for") => {
                    assert!(!applies, "{rule} on {action:?} after {past:?}");
                }
                Some("permits everything") => assert!(applies, "{rule} on {action:?}"),
                Some("changes no verdict") | None => {}
                Some(other) => panic!("{other}"),
            }
        }
        let verdict = |rules: &Rules| {
            let said = said(&rules.judge(action, past));
            (said.effect, said.obligations)
        };
        let expected = verdict(&rules);
        for fewer in fewer.iter().chain([&fewest]) {
            assert_eq!(verdict(fewer), expected, "{told:?} of {config} on {action:?} after {past:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn hold_of_any_rules(config in generate::config(12), actions in actions(6)) {
        holds(&config, &actions);
    }

    #[test]
    fn hold_where_conditions_exclude_each_other(config in generate::squeezed(), actions in actions(8)) {
        holds(&config, &actions);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn hold_in_a_crowd(config in generate::crowd(), actions in actions(15)) {
        holds(&config, &actions);
    }
}

/// Conditions of a rule on the operations `a/b` and `c`, and what of it is never
/// as it should be.
const EXCLUDING: &[(&str, &str)] = &[
    ("{ argument = '/n', equals = 1 }, { argument = '/n', one_of = [2, '1'] }", "argument `/n`"),
    ("{ argument = '/n', equals = 1.0 }, { argument = '/n', one_of = [2, 1] }", ""),
    ("{ argument = '/n', equals = 1 }, { argument = '/m', equals = 2 }", ""),
    ("{ argument = '/n', equals = 1, optional = true }, { argument = '/n', at_least = 2 }", "argument `/n`"),
    ("{ argument = '/n', equals = 1 }, { argument = '/n', at_least = { attribute = 'm' } }", ""),
    ("{ argument = '/n', equals = 1 }, { argument = '/n', same_as = { argument = '/m' } }", ""),
    ("{ argument = '/n', equals = 'a' }, { argument = '/n', matches = 'b*' }", "argument `/n`"),
    ("{ argument = '/n', equals = 'a' }, { argument = '/n', matches = 'a*', not = true }", "argument `/n`"),
    ("{ argument = '/n', equals = 'a' }, { argument = '/n', length_at_least = 2 }", "argument `/n`"),
    ("{ argument = '/n', equals = 1 }, { argument = '/n', present = false }", "argument `/n`"),
    ("{ argument = '/n', equals = 1 }, { argument = '/n', present = true, not = true }", "argument `/n`"),
    ("{ argument = '/n', equals = 1 }, { argument = '/n', present = true }", ""),
    // A missing one passes.
    ("{ argument = '/n', equals = 1 }, { not = { argument = '/n', equals = 1, optional = true } }", ""),
    ("{ argument = '/n', equals = 1 }, { not = { argument = '/n', equals = 1 } }", "argument `/n`"),
    ("{ argument = '/n', at_most = 1 }, { argument = '/n', more_than = 1 }", "argument `/n`"),
    ("{ argument = '/n', at_most = 1 }, { argument = '/n', at_least = 1.0 }", ""),
    ("{ argument = '/n', at_most = 1 }, { argument = '/n', less_than = 5, not = true }", "argument `/n`"),
    ("{ argument = '/n', at_least = 1, at_most = 2 }, { argument = '/n', at_least = 0, at_most = 3, not = true }", ""),
    ("{ argument = '/n', at_most = 1 }, { argument = '/n', starts_with = 'a' }", "argument `/n`"),
    ("{ argument = '/n', length_at_most = 1 }, { argument = '/n', length_at_least = 2 }", "argument `/n`"),
    ("{ argument = '/n', length_at_least = 0, not = true }", "argument `/n`"),
    ("{ argument = '/n', contains = 1 }, { argument = '/n', contains = 1, not = true }", "argument `/n`"),
    ("{ argument = '/n', contains = 'ab' }, { argument = '/n', contains = 'a', not = true }", ""),
    ("{ argument = '/n', within = '/work' }, { argument = '/n', within = '/etc' }", "argument `/n`"),
    ("{ argument = '/n', within = '/work' }, { argument = '/n', within = '/work/a' }", ""),
    ("{ argument = '/n', within = '/work/a' }, { argument = '/n', within = '/work', not = true }", "argument `/n`"),
    ("{ argument = '/n', starts_with = 'ab' }, { argument = '/n', matches = 'b*' }", "argument `/n`"),
    ("{ argument = '/n', matches = 'a/*' }, { argument = '/n', matches = 'a/**', not = true }", "argument `/n`"),
    ("{ attribute = 'tenant', equals = 'a' }, { attribute = 'tenant', equals = 'b' }", "attribute `tenant`"),
    ("{ action = 'operation', equals = 'a/c' }", "operation"),
    ("{ action = 'operation', equals = 'c' }", ""),
    ("{ action = 'operation', starts_with = 'b' }", "operation"),
    ("{ action = 'operation', matches = '{a/b,c}', not = true }", "operation"),
    ("{ label = 'a*' }, { label = '**', not = true }", "labels"),
    ("{ label = ['a', 'b'] }, { label = 'a', not = true }", ""),
    ("{ action = 'labels', length_at_most = 1 }, { action = 'labels', length_at_least = 2 }", "labels"),
    ("{ time = { until = '06:00' } }, { time = { from = '06:00' } }", "time"),
    ("{ time = { until = '06:00' } }, { time = { from = '05:00', until = '23:00', offset = '-01:00' } }", "time"),
    ("{ time = { until = '06:00' } }, { time = { from = '05:00' }, not = true }, { time = { days = ['sun'] } }", ""),
    ("{ time = { days = ['sat', 'sun'] } }, { time = { days = ['mon'], offset = '+23:59' } }", ""),
    ("{ time = { days = ['sat'] } }, { time = { days = ['mon'], offset = '+23:59' } }", "time"),
    ("{ time = { from = '00:00' }, not = true }", "time"),
    ("{ earlier = { operations = 'a', within = '1h' }, less_than = 0 }", "earlier actions"),
    (
        "{ earlier = { operations = 'a', within = '1h' }, at_least = 3 }, \
         { earlier = { operations = 'a', within = '60m' }, at_least = 2, not = true }",
        "earlier actions",
    ),
    (
        "{ earlier = { operations = 'a', within = '1h' }, at_least = 3 }, \
         { earlier = { operations = 'a', within = '2h' }, at_least = 2, not = true }",
        "",
    ),
    (
        "{ earlier = { label = 'a', within = '1h' } }, { earlier = { label = '*', within = '2h' }, not = true }",
        "earlier actions",
    ),
    ("{ earlier = { label = 'a', within = '2h' } }, { earlier = { label = '*', within = '1h' }, not = true }", ""),
    (
        "{ any = [{ argument = '/n', equals = 1 }, { argument = '/n', equals = 2 }] }, { argument = '/n', at_least = 3 }",
        "argument `/n`",
    ),
    (
        "{ any = [{ argument = '/n', equals = 1 }, { argument = '/n', equals = 4 }] }, { argument = '/n', at_least = 3 }",
        "",
    ),
    ("{ not = { any = [{ label = 'a' }, { label = '*', not = true }] } }, { label = 'b*' }", ""),
    ("{ not = { any = [{ label = 'a*' }, { label = '*', not = true }] } }, { label = 'a' }", "labels"),
];

#[test]
fn parts_that_exclude_each_other_are_named() {
    for (conditions, about) in EXCLUDING {
        for (effect, does) in [("permit", "never applies"), ("forbid", "")] {
            let rule =
                format!("[[rule]]\nid = 'r'\neffect = '{effect}'\noperations = ['a/b', 'c']\nwhen = [{conditions}]\n");
            let warnings = configure(&rule).describe().warnings;
            let decided = ["operation", "labels", "time"].contains(about);
            let does = match does {
                "" if decided => "never applies",
                "" => "only forbids what it cannot be evaluated for",
                does => does,
            };
            let expected = format!("rule `r` (line 1) {does}: nothing meets all that it wants of the {about}");
            let expected: Vec<_> = (!about.is_empty()).then_some(expected).into_iter().collect();
            assert_eq!(warnings, expected, "{conditions}");
        }
    }
}

/// Two rules, and what is said of one because of the other.
const OUTWEIGHED: &[(&str, &str, &str)] = &[
    (
        "effect = 'forbid'",
        "effect = 'permit'\noperations = ['a']",
        "`b` (line 4) changes no verdict: rule `a` (line 1) forbids",
    ),
    (
        "effect = 'permit'\noperations = ['a']",
        "effect = 'forbid'",
        "`a` (line 1) changes no verdict: rule `b` (line 5) forbids",
    ),
    (
        "effect = 'forbid'\noperations = ['a/*']",
        "effect = 'escalate'\noperations = ['a/b', 'a/c*']\nroles = ['x']\nwhen = [{ argument = '/n', equals = 1 }]",
        "`b` (line 5) changes no verdict: rule `a` (line 1) forbids",
    ),
    ("effect = 'forbid'\noperations = ['a/*']", "effect = 'permit'\noperations = ['a/b', 'b']", ""),
    ("effect = 'forbid'\nagents = ['a']", "effect = 'permit'\noperations = ['a']", ""),
    ("effect = 'forbid'\nroles = ['a']", "effect = 'permit'\noperations = ['a']", ""),
    ("effect = 'forbid'\nwhen = [{ label = 'a' }]", "effect = 'permit'\noperations = ['a']", ""),
    (
        "effect = 'escalate'\nresources = ['**']",
        "effect = 'permit'\noperations = ['a']",
        "`b` (line 5) changes no verdict: rule `a` (line 1) escalates",
    ),
    ("effect = 'escalate'", "effect = 'permit'\noperations = ['a']\nobligations = [{ approval = 'x' }]", ""),
    (
        "effect = 'forbid'",
        "effect = 'permit'\noperations = ['a']\nobligations = [{ approval = 'x' }]",
        "`b` (line 4) changes no verdict: rule `a` (line 1) forbids",
    ),
    // An escalation that can't be evaluated forbids.
    ("effect = 'escalate'", "effect = 'escalate'\nwhen = [{ argument = '/n', equals = 1 }]", ""),
    (
        "effect = 'escalate'",
        "effect = 'escalate'\nwhen = [{ label = 'a' }]",
        "`b` (line 4) changes no verdict: rule `a` (line 1) escalates",
    ),
    ("effect = 'escalate'", "effect = 'forbid'\noperations = ['a']", ""),
    (
        "effect = 'permit'\noperations = ['*']",
        "effect = 'permit'\noperations = ['a']",
        "`b` (line 5) changes no verdict: rule `a` (line 1) permits",
    ),
    (
        "effect = 'permit'\noperations = ['a']",
        "effect = 'permit'\noperations = ['*']",
        "`a` (line 1) changes no verdict: rule `b` (line 5) permits",
    ),
    // What it says may be what it is there for.
    ("effect = 'forbid'\noperations = ['a']\nreason = 'x'", "effect = 'forbid'\noperations = ['*']", ""),
    (
        "effect = 'forbid'\noperations = ['*']",
        "effect = 'forbid'\noperations = ['a']\nreason = 'x'",
        "`b` (line 5) changes no verdict: rule `a` (line 1) forbids",
    ),
    (
        "effect = 'forbid'\noperations = ['a']",
        "effect = 'forbid'\noperations = ['a']",
        "`b` (line 5) changes no verdict: rule `a` (line 1) forbids",
    ),
    ("effect = 'permit'", "effect = 'forbid'\nwhen = [{ label = 'a' }]", "`a` (line 1) permits everything"),
    (
        "effect = 'permit'\nagents = ['re:.*', 'a']",
        "effect = 'forbid'\nagents = ['a']",
        "`a` (line 1) permits everything",
    ),
    ("effect = 'permit'\nagents = ['*']", "effect = 'forbid'\nagents = ['a']", ""),
];

#[test]
fn rules_without_an_effect_are_named() {
    for (one, other, expected) in OUTWEIGHED {
        let rules = format!("[[rule]]\nid = 'a'\n{one}\n[[rule]]\nid = 'b'\n{other}\n");
        let expected: Vec<_> = match *expected {
            "" => Vec::new(),
            expected if expected.ends_with('s') && expected.contains(':') => {
                vec![format!("rule {expected} all that it is for")]
            }
            expected => vec![format!("rule {expected}")],
        };
        assert_eq!(configure(&rules).describe().warnings, expected, "{rules}");
    }
}

fn many(count: usize, fields: impl Fn(usize) -> String) -> Vec<String> {
    let rule = |number| format!("[[rule]]\nid = '{number}'\neffect = 'permit'\n{}\n", fields(number));
    configure(&(0..count).map(rule).collect::<String>()).describe().warnings
}

#[test]
fn there_are_not_too_many() {
    let warnings = many(100, |_| "operations = ['a']".to_owned());
    assert_eq!(warnings.len(), 65);
    assert_eq!(warnings[64], "35 more rules have warnings like these");
    let long = many(2, |number| format!("agents = ['a']\n#{number}")).concat();
    assert!(long.len() < 1_000);
}

/// What no index tells apart is not compared for ever.
#[test]
fn comparing_ends() {
    let warnings = many(4_000, |number| format!("operations = ['a/*']\nresources = ['*{number}']"));
    assert_eq!(warnings, ["there are more rules like each other than can be compared, so there may be more warnings"]);
}
