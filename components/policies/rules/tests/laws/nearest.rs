//! The permits that are nearest to an action.

use proptest::prelude::*;
use serde_json::Value;
use vak_sdk::policy::{Action, Attribute, AttributeValue, Near, Nearest as _};

use crate::earlier::Earlier;
use crate::{configure, generate, reference};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// A rule misses nothing just where it applies, and none that does is left
    /// out for one that does not.
    #[test]
    fn miss_nothing_where_they_apply(
        config in prop_oneof![generate::config(8), generate::squeezed()],
        actions in prop::collection::vec(generate::action(), 4),
    ) {
        let rules = configure(&config.to_string());
        let past = Earlier { steps: Vec::new(), known_ms: 0 };
        for action in actions {
            let nearest = rules.nearest(&action);
            let permits = config["rule"].as_array().unwrap().iter().filter(|rule| rule["effect"] == "permit");
            let permits: Vec<_> = permits.map(|rule| (rule, reference::surely_applies(rule, &action, &past))).collect();
            prop_assert_eq!(nearest.len(), permits.len().min(3));
            let of = |near: &Near| permits.iter().find(|(rule, _)| rule["id"] == near.rule).unwrap();
            for near in &nearest {
                prop_assert_eq!(near.misses.is_empty(), of(near).1, "{:?} of {} on {:?}", near, of(near).0, action);
                prop_assert!(near.misses.iter().all(|miss| !miss.is_empty()));
            }
            let applying = permits.iter().filter(|(_, applies)| *applies).count();
            prop_assert_eq!(nearest.iter().take_while(|near| near.misses.is_empty()).count(), applying.min(3));
        }
    }
}

fn action() -> Action {
    Action {
        id: "a".to_owned(),
        session: "s".to_owned(),
        agent: "ada".to_owned(),
        operation: "files/write".to_owned(),
        resource: "mcp:files/write".to_owned(),
        arguments: r#"{"path":"/etc/passwd","n":7,"l":["x"]}"#.to_owned(),
        attributes: vec![Attribute {
            name: "roles".to_owned(),
            value: AttributeValue::Texts(vec!["reader".to_owned()]),
        }],
        labels: vec!["web".to_owned()],
        // A Tuesday.
        time_ns: 1_700_000_000_000_000_000,
    }
}

fn nearest(rules: &str) -> Vec<Near> {
    configure(rules).nearest(&action())
}

/// Fields of a permit, what it misses, and the same where values are not quoted.
const MISSES: &[(&str, &str, &str)] = &[
    ("", "", ""),
    (
        "operations = ['files/read_*', 're:x+']",
        "operation is `files/write`, wanted `files/read_*` or `re:x+`",
        "operation is not as wanted: `files/read_*` or `re:x+`",
    ),
    (
        "resources = ['a', 'b', 'c', 'd']",
        "resource is `mcp:files/write`, wanted `a` or `b` or `c` or …",
        "resource is not as wanted: `a` or `b` or `c` or …",
    ),
    ("agents = ['bob']", "agent is `ada`, wanted `bob`", "agent is not as wanted: `bob`"),
    ("roles = ['editor']", "no role of the action matches `editor`", "no role of the action matches `editor`"),
    (
        "when = [{ argument = '/path', within = '/work' }, { argument = '/n', at_most = 9 }]",
        "argument `/path` is `/etc/passwd`, wanted within `/work`",
        "argument `/path` is not as wanted: within `/work`",
    ),
    (
        "when = [{ argument = '/n', more_than = 7, at_most = { attribute = 'most' } }]",
        "argument `/n` is `7`, wanted more than 7 and at most attribute `most`",
        "argument `/n` is not as wanted: more than 7 and at most attribute `most`",
    ),
    (
        "when = [{ argument = '/n', less_than = { attribute = 'most' } }]",
        "needs the attribute `most`, which is missing",
        "needs the attribute `most`, which is missing",
    ),
    (
        "when = [{ argument = '/q', equals = 1 }]",
        "needs the argument `/q`, which is missing",
        "needs the argument `/q`, which is missing",
    ),
    (
        "when = [{ argument = '/q', one_of = [1, 'a'], optional = true }]",
        "argument `/q` is missing, wanted `1` or `a`",
        "argument `/q` is missing, wanted `1` or `a`",
    ),
    ("when = [{ argument = '/q', present = true }]", "argument `/q` is missing", "argument `/q` is missing"),
    ("when = [{ argument = '/n', present = true, not = true }]", "argument `/n` is there", "argument `/n` is there"),
    (
        "when = [{ not = { all = [{ argument = '/n', equals = 7 }, { label = 'w*' }] } }]",
        "argument `/n` is `7`, wanted not `7` or a label matches `w*`",
        "argument `/n` is not as wanted: not `7` or a label matches `w*`",
    ),
    (
        "when = [{ argument = '/l', all_items = { starts_with = 'x', not = true } }]",
        "argument `/l` is `[…]`, wanted only items not starting with `x`",
        "argument `/l` is not as wanted: only items not starting with `x`",
    ),
    (
        "when = [{ argument = '/l', length_at_least = 2, length_at_most = 3 }]",
        "argument `/l` is `[…]`, wanted a length of at least 2 and at most 3",
        "argument `/l` is not as wanted: a length of at least 2 and at most 3",
    ),
    ("when = [{ label = 'ok' }]", "no label matches `ok`", "no label matches `ok`"),
    (
        "when = [{ time = { days = ['mon'] } }]",
        "time is `tue 22:13`, which is not one that it is for",
        "time is not one that it is for",
    ),
    (
        "when = [{ earlier = { operations = 'pay/*', within = '1h' }, at_least = 1 }]",
        "depends on earlier `pay/*`, which are not looked at here",
        "depends on earlier `pay/*`, which are not looked at here",
    ),
];

#[test]
fn what_they_miss_is_said() {
    for (fields, expected, unquoted) in MISSES {
        for (head, expected) in [("", expected), ("quote_values = false\n", unquoted)] {
            let near = nearest(&format!("{head}[[rule]]\nid = 'r'\neffect = 'permit'\n{fields}\n")).remove(0);
            let expected: Vec<_> = Some(*expected).filter(|text| !text.is_empty()).into_iter().collect();
            assert_eq!(near.misses, expected, "{fields}");
        }
    }
}

#[test]
fn the_nearest_come_first() {
    let rules = "
        [[rule]]
        id = 'far'
        effect = 'permit'
        operations = ['net/*']
        [[rule]]
        id = 'near'
        effect = 'permit'
        operations = ['files/read_*']
        [[rule]]
        id = 'same-operation'
        effect = 'permit'
        operations = ['files/*']
        when = [{ argument = '/path', within = '/work' }, { argument = '/n', at_most = 1 }]
        [[rule]]
        id = 'forbids'
        effect = 'forbid'
        [[rule]]
        id = 'one-part'
        effect = 'permit'
        operations = ['files/*']
        agents = ['bob']";
    let found: Vec<_> = nearest(rules).into_iter().map(|near| near.rule).collect();
    assert_eq!(found, ["one-part", "same-operation", "near"]);
    assert!(nearest("[[rule]]\nid = 'no'\neffect = 'forbid'\n").is_empty());
    let none: Value = serde_json::json!({ "rule": [] });
    assert!(nearest(&none.to_string()).is_empty());
}
