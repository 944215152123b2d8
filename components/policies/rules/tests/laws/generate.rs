//! Configurations and actions that have a chance to concern each other.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};
use vak_sdk::policy::{Action, Attribute, AttributeValue};

use crate::earlier::{Earlier, Step};

/// Names with shared prefixes, of several alphabets, and none.
const NAMES: &[&str] =
    &["a", "aa", "aaa", "aaaa", "a/b", "a/bc", "a/b/c", "b", "files/read", "files/reader", "é/x", "é/", "日本", ""];

const PATTERNS: &[&str] = &[
    "a",
    "aa",
    "aaa",
    "a*",
    "aa*",
    "aaa*",
    "aaaa*",
    "a/*",
    "a/**",
    "a/b",
    "a/b*",
    "**/c",
    "**",
    "*",
    "?",
    "é/*",
    "é*",
    "日?",
    "日本",
    "{a,b}",
    "a/{b,bc}",
    "files/{read,write}*",
    "[ab]",
    "[!a]*",
    "re:a+",
    "re:a/.*",
    "re:^files/(read|x)$",
    "re:a|b",
    "re:é/.?",
    r"re:a\/b",
    "re:",
    "re:.*",
];

const TEXTS: &[&str] = &[
    "",
    "a",
    "ab",
    "b",
    "é",
    "/work/a",
    "/work/../etc",
    "/workshop",
    "x\ny",
    "10.1.2.3",
    "::ffff:10.0.0.1",
    "fd00::1",
    "1.2.3",
    "2.0.0-rc.1",
    "10",
    "1",
];

const ARGUMENTS: &[&str] = &["/p", "/n", "/l", "/o/p", "/l/0", "/o", ""];

fn patterns() -> impl Strategy<Value = Value> {
    vec(select(PATTERNS), 1..4).prop_map(|patterns| json!(patterns))
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => select(TEXTS).prop_map(Value::from),
        3 => (-1_i64..4).prop_map(Value::from),
        1 => select(vec![0.0, 0.5, 1.0, 2.5]).prop_map(Value::from),
        1 => select(vec![i64::MAX, 9_007_199_254_740_993, 9_007_199_254_740_992]).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => scalar(),
        2 => vec(scalar(), 0..4).prop_map(Value::from),
        1 => scalar().prop_map(|value| json!({ "p": value })),
    ]
}

fn operand() -> impl Strategy<Value = (&'static str, &'static str)> {
    prop_oneof![
        4 => select(ARGUMENTS).prop_map(|pointer| ("argument", pointer)),
        2 => select(vec!["t", "i", "b", "roles", "none"]).prop_map(|name| ("attribute", name)),
    ]
}

fn bound() -> impl Strategy<Value = Value> {
    prop_oneof![4 => -1_i64..4, 1 => Just(9_007_199_254_740_992)].prop_map(Value::from)
}

fn number_or_operand() -> impl Strategy<Value = Value> {
    prop_oneof![4 => bound(), 1 => operand().prop_map(|(kind, name)| json!({ kind: name }))]
}

/// A test that any fact may have.
fn test() -> impl Strategy<Value = Value> {
    let text = || select(&TEXTS[1..]).prop_map(Value::from);
    let item = prop_oneof![
        scalar().prop_map(|value| json!({ "equals": value })),
        text().prop_map(|value| json!({ "starts_with": value })),
        (bound(), any::<bool>()).prop_map(|(value, not)| json!({ "at_most": value, "not": not })),
    ];
    prop_oneof![
        value().prop_map(|value| json!({ "equals": value })),
        vec(scalar(), 1..3).prop_map(|values| json!({ "one_of": values })),
        operand().prop_map(|(kind, name)| json!({ "same_as": { kind: name } })),
        select(PATTERNS).prop_map(|pattern| json!({ "matches": pattern })),
        select(vec!["a.*", ".*/.*", "[0-9.]+", "é?"]).prop_map(|expression| json!({ "regex": expression })),
        select(vec!["/work", "/", "/work/a"]).prop_map(|folder| json!({ "within": folder })),
        text().prop_map(|value| json!({ "starts_with": value })),
        text().prop_map(|value| json!({ "ends_with": value })),
        prop_oneof![text(), bound()].prop_map(|value| json!({ "contains": value })),
        number_or_operand().prop_map(|value| json!({ "at_least": value })),
        number_or_operand().prop_map(|value| json!({ "less_than": value })),
        (0_i64..2, number_or_operand()).prop_map(|(least, most)| match most.as_i64() {
            Some(most) => json!({ "more_than": least, "at_most": most.max(least + 1) }),
            None => json!({ "more_than": least, "at_most": most }),
        }),
        (0..3, 2..5).prop_map(|(least, most)| json!({ "length_at_least": least, "length_at_most": most })),
        subsequence(vec!["10.0.0.0/8", "fc00::/7", "0.0.0.0/0", "::/0", "10.1.2.3"], 1..4)
            .prop_map(|networks| json!({ "in_network": networks })),
        select(vec!["^1", ">=1.2, <2", "*", ">=2.0.0-rc.0"]).prop_map(|version| json!({ "version": version })),
        any::<bool>().prop_map(|present| json!({ "present": present })),
        (select(vec!["any_item", "all_items"]), item).prop_map(|(name, item)| json!({ name: item })),
    ]
}

fn merged(one: Value, other: Value) -> Value {
    let (Value::Object(mut one), Value::Object(other)) = (one, other) else { unreachable!() };
    one.extend(other);
    Value::Object(one)
}

fn compared() -> impl Strategy<Value = Value> {
    compared_on(operand())
}

fn compared_on(operand: impl Strategy<Value = (&'static str, &'static str)>) -> impl Strategy<Value = Value> {
    (operand, test(), proptest::option::of(any::<bool>()), any::<bool>()).prop_map(
        |((kind, name), test, not, optional)| {
            let mut condition = merged(json!({ kind: name }), test);
            if let Some(not) = not {
                condition["not"] = not.into();
            }
            if optional && condition.get("present").is_none() {
                condition["optional"] = true.into();
            }
            condition
        },
    )
}

fn condition() -> impl Strategy<Value = Value> {
    let of_action = (select(vec!["agent", "session", "operation", "resource"]), select(PATTERNS))
        .prop_map(|(field, pattern)| json!({ "action": field, "matches": pattern }));
    let label = (patterns(), any::<bool>()).prop_map(|(patterns, not)| json!({ "label": patterns, "not": not }));
    let labels = prop_oneof![
        select(PATTERNS).prop_map(|pattern| json!({ "action": "labels", "any_item": { "matches": pattern } })),
        select(&NAMES[..NAMES.len() - 1]).prop_map(|name| json!({ "action": "labels", "contains": name })),
        Just(json!({ "action": "labels", "length_at_most": 1 })),
    ];
    let times = select(vec![("00:00", "12:00"), ("12:00", "24:00"), ("22:00", "06:00"), ("13:37", "13:36")]);
    let days = subsequence(vec!["mon", "tue", "wed", "thu", "fri", "sat", "sun"], 1..7);
    let time = (times, days, select(vec!["Z", "+02:00", "-05:30", "+23:59"]))
        .prop_map(|((from, until), days, offset)| json!({ "time": { "from": from, "until": until, "days": days, "offset": offset } }));
    let within = || select(vec!["1s", "5s", "1m", "24h"]);
    let earlier = (select(vec!["a", "a*", "*", "files/*"]), within(), any::<[bool; 2]>(), bound()).prop_map(
        |(operations, within, [refused, not], least)| {
            let earlier = json!({ "operations": operations, "within": within, "refused": refused });
            json!({ "earlier": earlier, "at_least": least, "not": not })
        },
    );
    let earlier_label = (patterns(), within(), any::<bool>())
        .prop_map(|(patterns, within, not)| json!({ "earlier": { "label": patterns, "within": within }, "not": not }));
    let leaf = prop_oneof![
        6 => compared(),
        1 => of_action,
        1 => label,
        1 => labels,
        1 => time,
        1 => earlier,
        1 => earlier_label,
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..3).prop_map(|all| json!({ "all": all })),
            vec(inner.clone(), 1..3).prop_map(|any| json!({ "any": any })),
            inner.prop_map(|not| json!({ "not": not })),
        ]
    })
}

fn obligation() -> impl Strategy<Value = Value> {
    prop_oneof![
        select(vec!["*", "-"]).prop_map(|with| json!({ "redact": { "argument": "/p", "with": with } })),
        (0..3).prop_map(|most| json!({ "cap": { "argument": "/n", "at_most": most } })),
        select(vec!["1", "2"]).prop_map(|value| json!({ "header": { "name": "x-a", "value": value } })),
        select(vec!["finance", "legal"]).prop_map(|group| json!({ "approval": group })),
    ]
}

/// A rule without an id. `eager` rules concern most actions.
fn rule(eager: bool) -> impl Strategy<Value = Value> {
    let sometimes = if eager { 0.1 } else { 0.7 };
    let list = move || proptest::option::weighted(sometimes, patterns());
    let lists = (list(), list(), list(), proptest::option::weighted(0.1, patterns()));
    let when = proptest::option::weighted(0.6, vec(condition(), 1..3).prop_map(Value::from));
    let obligations = proptest::option::weighted(0.3, vec(obligation(), 1..3).prop_map(Value::from));
    let effect = prop_oneof![3 => Just("permit"), 1 => Just("escalate"), 1 => Just("forbid")];
    (effect, lists, when, obligations).prop_map(
        |(effect, (agents, operations, resources, roles), when, obligations)| {
            let mut rule = Map::new();
            rule.insert("effect".to_owned(), effect.into());
            let obligations = obligations.filter(|_| effect == "permit");
            let fields = [
                ("agents", agents),
                ("operations", operations),
                ("resources", resources),
                ("roles", roles),
                ("when", when),
                ("obligations", obligations),
            ];
            rule.extend(fields.into_iter().filter_map(|(name, field)| Some((name.to_owned(), field?))));
            Value::Object(rule)
        },
    )
}

/// A configuration of up to `most` rules.
pub(crate) fn config(most: usize) -> impl Strategy<Value = Value> {
    let rules = any::<bool>().prop_flat_map(move |eager| vec(rule(eager), 0..most));
    rules.prop_map(numbered)
}

/// Rules whose conditions are on few facts, so that they are likely to exclude
/// each other.
pub(crate) fn squeezed() -> impl Strategy<Value = Value> {
    let on_one = select(vec![("argument", "/p"), ("argument", "/n"), ("attribute", "t"), ("attribute", "i")])
        .prop_flat_map(|operand| vec(compared_on(Just(operand)), 1..4));
    let named = || select(&NAMES[..NAMES.len() - 1]);
    let test = prop_oneof![
        named().prop_map(|name| json!({ "equals": name })),
        select(PATTERNS).prop_map(|pattern| json!({ "matches": pattern })),
        named().prop_map(|name| json!({ "starts_with": name })),
    ];
    let of_action = (select(vec!["agent", "operation", "resource"]), test, any::<bool>())
        .prop_map(|(field, test, not)| merged(json!({ "action": field, "not": not }), test));
    let of_action = vec(of_action, 1..3);
    let others = vec(condition(), 1..3);
    let conditions = prop_oneof![3 => on_one, 2 => of_action, 1 => others];
    let conditions = prop_oneof![
        4 => conditions.clone(),
        1 => (conditions.clone(), conditions).prop_map(|(mut one, other)| {
            one.push(json!({ "any": other }));
            one
        }),
    ];
    let when = conditions.prop_map(Value::from);
    let rule = (rule(true), proptest::option::weighted(0.8, when)).prop_map(|(rule, when)| match when {
        Some(when) => merged(rule, json!({ "when": when })),
        None => rule,
    });
    vec(rule, 1..8).prop_map(numbered)
}

/// Rules that the index has to tell apart at every level, with lists so long
/// that their entries would multiply.
pub(crate) fn crowd() -> impl Strategy<Value = Value> {
    let list = |most: usize| vec(select(PATTERNS), 1..most).prop_map(|patterns| json!(patterns));
    let rule = (list(3), list(12), list(12), select(vec!["*", "-", "#"]), 0..20).prop_map(
        |(operations, resources, agents, with, effect)| {
            let lists = json!({ "operations": operations, "resources": resources, "agents": agents });
            match effect {
                0 => merged(lists, json!({ "effect": "forbid" })),
                1 => merged(lists, json!({ "effect": "escalate" })),
                _ => {
                    let redact = json!({ "redact": { "argument": "/p", "with": with } });
                    merged(lists, json!({ "effect": "permit", "obligations": [redact] }))
                }
            }
        },
    );
    vec(rule, 20..60).prop_map(numbered)
}

fn numbered(mut rules: Vec<Value>) -> Value {
    for (number, rule) in rules.iter_mut().enumerate() {
        rule["id"] = format!("rule-{number}").into();
    }
    json!({ "rule": rules })
}

fn arguments() -> impl Strategy<Value = String> {
    let member = || proptest::option::weighted(0.8, value());
    let object = (member(), member(), member(), member()).prop_map(|(p, n, l, o)| {
        let members = [("l", l), ("n", n), ("o", o), ("p", p)];
        let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(members.collect()).to_string()
    });
    prop_oneof![20 => object, 1 => Just("{".to_owned()), 1 => Just("null".to_owned())]
}

fn attributes() -> impl Strategy<Value = Vec<Attribute>> {
    let value = prop_oneof![
        any::<bool>().prop_map(AttributeValue::Boolean),
        (-1_i64..4).prop_map(AttributeValue::Integer),
        select(TEXTS).prop_map(|text| AttributeValue::Text(text.to_owned())),
        vec(select(NAMES).prop_map(str::to_owned), 0..3).prop_map(AttributeValue::Texts),
    ];
    vec(value, 4).prop_map(|values| {
        let named = ["b", "i", "roles", "t"].into_iter().zip(values);
        named.map(|(name, value)| Attribute { name: name.to_owned(), value }).collect()
    })
}

/// What a session did before, and how far back that is remembered.
pub(crate) fn past() -> impl Strategy<Value = Earlier> {
    let step = (select(NAMES), select(NAMES), any::<bool>(), 0_u64..8_000);
    let step = step.prop_map(|(operation, label, allowed, ms_ago)| Step { operation, label, allowed, ms_ago });
    let known = select(vec![0, 4_000, 60_000, u64::MAX]);
    (vec(step, 0..5), known).prop_map(|(steps, known_ms)| Earlier { steps, known_ms })
}

/// An action.
pub(crate) fn action() -> impl Strategy<Value = Action> {
    let name = || select(NAMES).prop_map(str::to_owned);
    let attributes = (attributes(), any::<[bool; 4]>()).prop_map(|(attributes, kept)| {
        attributes.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(attribute, _)| attribute).collect()
    });
    let time = prop_oneof![0_u64..2_000_000_000_000_000_000, Just(0), Just(u64::MAX)];
    let names = (name(), name(), name(), name());
    (names, arguments(), attributes, vec(name(), 0..3), time).prop_map(
        |((session, agent, operation, resource), arguments, attributes, labels, time_ns)| Action {
            id: "a".to_owned(),
            session,
            agent,
            operation,
            resource,
            arguments,
            attributes,
            labels,
            time_ns,
        },
    )
}
