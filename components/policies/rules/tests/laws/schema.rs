//! The schema for editors takes what the policy takes.

use jsonschema::Validator;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use vak_policy_rules::Rules;
use vak_sdk::policy::Configure as _;

use crate::generate;
use crate::refusals::refused;
use crate::samples::TAKEN;

fn schema() -> Validator {
    let schema = serde_json::from_str(include_str!("../../rules.schema.json")).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

fn document(text: &str) -> Option<Value> {
    match text.trim_start().starts_with('{') {
        true => serde_json::from_str(text).ok(),
        false => toml::from_str(text).ok(),
    }
}

#[test]
fn takes_all_samples() {
    let schema = schema();
    let cases = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests")).unwrap();
    let cases =
        cases.map(|case| case.unwrap().path()).flat_map(|case| [case.join("config.toml"), case.join("config.json")]);
    let cases: Vec<_> = cases.filter_map(|config| std::fs::read_to_string(config).ok()).collect();
    assert!(cases.len() > 1);
    for text in TAKEN.iter().copied().chain(cases.iter().map(String::as_str)) {
        Rules::configure(text).unwrap_or_else(|error| panic!("{} in {text}", error.message));
        let document = document(text).unwrap();
        let errors: Vec<_> = schema.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?} in {text}");
    }
}

/// What it refuses is among what the policy refuses; a policy also understands
/// what a schema cannot, such as expressions. This many it sees itself.
#[test]
fn refuses_most_of_what_is_refused() {
    let schema = schema();
    let documents: Vec<_> = refused().filter_map(|(text, _)| document(&text.replace('«', ""))).collect();
    let refused = documents.iter().filter(|document| !schema.is_valid(document)).count();
    assert!(refused * 4 > documents.len() * 3, "{refused} of {}", documents.len());
}

/// Every place in a document.
fn places(value: &Value, at: &str, places: &mut Vec<String>) {
    places.push(at.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| self::places(item, &format!("{at}/{n}"), places))
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| self::places(member, &format!("{at}/{name}"), places))
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Also of configurations with one thing replaced.
    #[test]
    fn takes_what_the_policy_takes(
        config in generate::config(4),
        place in any::<Index>(),
        put in prop::sample::select(vec![json!(1), json!(-1), json!(true), json!("a"), json!(""), json!("/a"), json!([]), json!(["a"]),
            json!({}), json!({ "equals": "a" }), json!({ "argument": "/a" }), json!({ "label": "a" }), json!(null)]),
        renamed in prop::option::of(prop::sample::select(vec!["equals", "at_most", "argument", "label", "not", "present", "optional", "any_item"])),
    ) {
        thread_local!(static SCHEMA: Validator = schema());
        let mut all = Vec::new();
        places(&config, "", &mut all);
        let mut config = config;
        let place = place.get(&all);
        let target = config.pointer_mut(place).unwrap();
        match (target, renamed) {
            (Value::Object(members), Some(name)) => drop(members.insert(name.to_owned(), put)),
            (target, _) => *target = put,
        }
        if Rules::configure(&config.to_string()).is_ok() {
            prop_assert!(SCHEMA.with(|schema| schema.is_valid(&config)), "{}", config);
        }
    }
}
