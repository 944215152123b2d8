//! The guards against labelled cases: `corpus/GUARD/bad.txt` and `good.txt`.
//!
//! A line is a case: what it says if it is a JSON text, else itself; `## ` is a
//! remark. `{+}` stands for nothing and keeps made-up tokens from looking like
//! somebody's. Each is judged by its guard alone with its defaults.

use std::path::Path;

use vak_sdk::policy::{Action, Configure as _, Effect, Finding, Obligation, Policy as _};

use crate::Patterns;

/// Guards, the argument their cases stand in, and the least recall. Parsers
/// and addresses leave no room; formats and phrases have borderline cases.
const GUARDS: [(&str, &str, f64); 7] = [
    ("secrets", "text", 0.95),
    ("personal-data", "text", 0.95),
    ("shell", "command", 1.0),
    ("sql", "sql", 1.0),
    ("paths", "path", 1.0),
    ("ssrf", "text", 1.0),
    ("prompt-injection", "text", 0.95),
];

/// Of what is found, the share that should be.
const PRECISION_MIN: f64 = 0.95;

/// Fewer cases say little.
const CASES_MIN: usize = 40;

fn read(guard: &str, file: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(guard).join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with("## "));
    let cases = lines.map(|line| serde_json::from_str(line).unwrap_or_else(|_| line.to_owned()));
    cases.map(|case: String| case.replace("{+}", "")).collect()
}

/// A configuration with this guard alone and `more` in its table.
fn only(guard: &str, more: &str) -> Patterns {
    let table = |(name, ..): &(&str, &str, f64)| match *name == guard {
        true => format!("[{name}]\n{more}\n"),
        false => format!("[{name}]\nenabled = false\n"),
    };
    let text: String = GUARDS.iter().map(table).collect();
    Patterns::configure(&text).unwrap_or_else(|error| panic!("{}", error.message))
}

fn action(arguments: String) -> Action {
    Action {
        id: "a".into(),
        session: "s".into(),
        agent: "ada".into(),
        operation: "tools/use".into(),
        resource: "r".into(),
        arguments,
        attributes: Vec::new(),
        labels: vec!["untrusted-input".into()],
        time_ns: 0,
    }
}

fn ask(patterns: &Patterns, argument: &str, text: &str) -> Finding {
    patterns.evaluate(&action(serde_json::json!({ argument: text }).to_string())).unwrap()
}

#[test]
fn precision_and_recall() {
    let mut failed = Vec::new();
    println!("| guard | bad | good | precision | recall |\n| --- | --- | --- | --- | --- |");
    for (guard, argument, recall_min) in GUARDS {
        let patterns = only(guard, "");
        let (bad, good) = (read(guard, "bad.txt"), read(guard, "good.txt"));
        assert!(bad.len() >= CASES_MIN && good.len() >= CASES_MIN, "{guard}: {} and {}", bad.len(), good.len());
        let finds = |text: &&String| ask(&patterns, argument, text).effect != Effect::Abstain;
        let missed: Vec<_> = bad.iter().filter(|text| !finds(text)).collect();
        let wrong: Vec<_> = good.iter().filter(finds).collect();
        let found = (bad.len() - missed.len()) as f64;
        let (precision, recall) = (found / (found + wrong.len() as f64), found / bad.len() as f64);
        println!("| {guard} | {} | {} | {precision:.3} | {recall:.3} |", bad.len(), good.len());
        missed.iter().for_each(|text| println!("missed: {text:?}"));
        wrong.iter().for_each(|text| println!("wrong: {text:?}: {:?}", ask(&patterns, argument, text).rule));
        if precision < PRECISION_MIN || recall < recall_min {
            failed.push(guard);
        }
    }
    assert!(failed.is_empty(), "below the thresholds: {failed:?}");
}

/// The host judges redacted arguments again and denies if there is more.
#[test]
fn what_is_redacted_is_found_no_more() {
    for guard in ["secrets", "personal-data", "prompt-injection"] {
        let patterns = only(guard, "effect = 'redact'");
        for text in read(guard, "bad.txt") {
            let finding = ask(&patterns, "text", &text);
            for obligation in finding.obligations {
                let Obligation::Redact(redaction) = obligation else { panic!("{guard} obliges to something else") };
                let again = ask(&patterns, "text", &redaction.replacement);
                assert_eq!(again.obligations.len(), 0, "{guard}: {text:?} became {:?}", redaction.replacement);
            }
        }
    }
}

/// Every rule that a finding names is described.
#[test]
fn rules_are_described() {
    let patterns = Patterns::configure("").ok().unwrap();
    let described: Vec<_> = patterns.describe().rules.into_iter().map(|rule| rule.id).collect();
    for (guard, argument, _) in GUARDS {
        for text in read(guard, "bad.txt") {
            let rule = ask(&patterns, argument, &text).rule;
            assert!(rule.as_ref().is_none_or(|rule| described.contains(rule)), "{rule:?}");
        }
    }
}

/// The cases of `vak test`, natively: the same files through the same policy.
#[test]
fn cases_of_the_component() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut count = 0;
    for case in std::fs::read_dir(folder).unwrap() {
        let case = case.unwrap().path();
        let read = |name: &str| std::fs::read_to_string(case.join(name)).unwrap();
        let json = |name: &str| serde_json::from_str::<serde_json::Value>(&read(name)).unwrap();
        let (input, expected) = (json("input.json"), json("expected.json"));
        let patterns = Patterns::configure(&read("config.toml")).unwrap_or_else(|error| panic!("{}", error.message));
        let labels = input["labels"].as_array().into_iter().flatten().filter_map(|label| label.as_str());
        let mut action = action(input["arguments"].to_string());
        action.labels = labels.map(str::to_owned).collect();
        action.operation = input["operation"].as_str().unwrap().to_owned();
        let finding = patterns.evaluate(&action).unwrap();
        let answer = serde_json::json!({
            "effect": format!("{:?}", finding.effect).rsplit("::").next().unwrap().to_lowercase(),
            "rule": finding.rule,
            "reason": finding.reason,
            "obligations": finding.obligations.into_iter().map(told).collect::<Vec<_>>(),
        });
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&answer[field], value, "{}: {answer}", case.display());
        }
        count += 1;
    }
    assert!(count > 0, "no cases");
}

/// An obligation as the host writes it.
fn told(obligation: Obligation) -> serde_json::Value {
    let Obligation::Redact(redaction) = obligation else { panic!("only redactions are wanted") };
    serde_json::json!({ "redact": { "argument": redaction.argument, "replacement": redaction.replacement } })
}
