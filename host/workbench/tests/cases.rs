//! The first-party components against their own cases, and what a workbench
//! says of cases and components that are wrong.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use vak_test_support::components;
use vak_trust::Package;
use vak_workbench::{Case, Workbench};

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn workbench(name: &str) -> Workbench {
    let package = Package::read(&components().join(format!("{name}.wasm"))).unwrap();
    Workbench::new(package, Some(&components().join(".vak-compiled"))).unwrap()
}

#[test]
fn first_party_components_answer_as_expected() {
    for (name, folder) in [
        ("cedar", "components/policies/cedar"),
        ("autogpt", "components/adapters/autogpt"),
        ("claude-code", "components/adapters/claude-code"),
        ("json", "components/adapters/json"),
        ("langchain", "components/adapters/langchain"),
        ("mcp", "components/adapters/mcp"),
        ("openai-agents", "components/adapters/openai-agents"),
        ("no-shell", "components/policies/no-shell"),
        ("patterns", "components/policies/patterns"),
        ("rules", "components/policies/rules"),
        ("calculator", "components/skills/calculator"),
        ("csv-query", "components/skills/csv-query"),
        ("hash", "components/skills/hash"),
        ("http-fetch", "components/skills/http-fetch"),
        ("json-query", "components/skills/json-query"),
        ("json-schema", "components/skills/json-schema"),
        ("notes", "components/skills/notes"),
        ("regex", "components/skills/regex"),
        ("text-stats", "components/skills/text-stats"),
    ] {
        let workbench = workbench(name);
        for case in Case::read_all(&checkout().join(folder).join("tests")).unwrap() {
            let answer = workbench.answer(&case).unwrap();
            let differences = case.compare(&answer).unwrap();
            let told: Vec<_> = differences.iter().map(ToString::to_string).collect();
            assert!(told.is_empty(), "{name}, {}: {told:?} in {answer}", case.name);
        }
    }
}

/// A case with these files, and its folder.
fn case(files: Files<'_>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let case = folder.path().join("one");
    fs::create_dir(&case).unwrap();
    for (name, text) in files {
        fs::write(case.join(name), text).unwrap();
    }
    (folder, case)
}

/// Names and contents.
type Files<'a> = &'a [(&'a str, &'a str)];

const ACTION: &str = r#"{"agent": "a", "session": "s", "operation": "host/shell", "resource": "r"}"#;

#[test]
fn a_wrong_answer_is_told_and_a_right_one_recorded() {
    let (folder, path) =
        case(&[("input.json", ACTION), ("expected.json", r#"{"effect": "permit", "rule": "no-shell"}"#)]);
    let workbench = workbench("no-shell");
    let wrong = Case::read(&path).unwrap();
    let answer = workbench.answer(&wrong).unwrap();
    let told: Vec<_> = wrong.compare(&answer).unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(told, [r#"/effect: expected "permit", found "forbid""#]);

    wrong.record(&answer).unwrap();
    let [recorded] = &Case::read_all(folder.path()).unwrap()[..] else { panic!("one case") };
    assert_eq!(recorded.compare(&answer), Some(Vec::new()));
    assert!(workbench.pace(recorded, 20).unwrap().percentile(50) > std::time::Duration::ZERO);
}

#[test]
fn what_is_wrong_with_a_case_is_said() {
    let cases: &[(Files<'_>, &str)] = &[
        (&[("input.json", "{")], "input.json`: not acceptable as JSON"),
        (&[("input.json", r#"{"a": 1, "a": 2}"#)], "the key `a` stands twice"),
        (&[("input.json", ACTION), ("expected.json", "[")], "expected.json`: EOF"),
        (&[("input.json", ACTION), ("host.json", r#"{"files": {}}"#)], "host.json`: unknown field `files`"),
        (&[("input.json", ACTION), ("config.toml", ""), ("config.json", "")], "has two files named `config.…`"),
    ];
    for (files, part) in cases {
        let (_folder, path) = case(files);
        let error = Case::read(&path).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let empty = tempfile::tempdir().unwrap();
    assert!(Case::read_all(empty.path()).unwrap_err().to_string().contains("has no cases"));

    let answers: &[(&str, Files<'_>, &str)] = &[
        ("no-shell", &[("input.json", r#"{"agent": "a"}"#)], "missing field `session`"),
        ("no-shell", &[("input.json", ACTION), ("config.toml", "x")], "takes no configuration"),
        ("rules", &[("input.json", ACTION)], "needs a configuration"),
        (
            "rules",
            &[("input.json", ACTION), ("config.toml", "[[rule]]\nid = 1")],
            "refuses its configuration at line 2",
        ),
    ];
    for (name, files, part) in answers {
        let (_folder, path) = case(files);
        let error = workbench(name).answer(&Case::read(&path).unwrap()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}
