//! A policy made with `std`, which is granted nothing: it loads, it decides, and
//! always the same.

use serde_json::json;
use vak::{Action, ActionRequest};
use vak_engine::{CallLimits, LoadError, Problem, Request};
use vak_pipeline::{Finding, Guard as _, Standing};
use vak_plugin::{Loaded, Policy, load};
use vak_test_support::{components, publisher_key};
use vak_trust::{Manifest, Package, TrustPolicy, Unsigned, Validity};
use vak_types::FailureKind::{self, HostCalls, Trap};
use vak_types::{Effect, Failure, Granted, Kind, Requested};

use crate::log;
use crate::skill::{Grants, NOW, engine, reach};

fn try_load(name: &str, config: &str, log: bool) -> Result<Policy, LoadError> {
    let text = format!("name = '{name}'\nversion = '0.1.0'\nkind = 'policy'\ndescription = ''\nlicense = 'MIT'");
    let mut manifest = Manifest::from_toml(&text).unwrap();
    manifest.grants = Requested { log, ..Requested::default() };
    let component = std::fs::read(components().join("hostile-still.wasm")).unwrap();
    let key = publisher_key();
    let package = Package::unsigned(component, &manifest).sign(&key, Validity::since(NOW));
    let component = &TrustPolicy::of_publishers([key.public()]).verify(package, Unsigned::Refuse, NOW).unwrap();
    let request = Request {
        name: &name.parse().unwrap(),
        kind: Kind::Policy,
        component,
        config: Some(config),
        grants: &Granted { log: true, ..Granted::default() },
        limits: CallLimits { wall_ms_max: 10_000, ..CallLimits::POLICY },
    };
    match load(engine(), &request, None)? {
        Loaded::Policy(policy) => Ok(policy.with_standing(Standing::MayPermit)),
        other => panic!("{other:?}"),
    }
}

fn action(operation: &str) -> Action {
    let request = ActionRequest {
        session: "s".parse().unwrap(),
        agent: "a".parse().unwrap(),
        operation: operation.parse().unwrap(),
        resource: "r".parse().unwrap(),
        arguments: Default::default(),
        attributes: Default::default(),
        labels: Vec::new(),
    };
    request.at("a-1".parse().unwrap(), NOW)
}

fn evaluate(policy: &Policy, operation: &str) -> Result<Finding, Failure> {
    policy.evaluate(&action(operation), None)
}

#[test]
fn decides_the_same_each_time() {
    let policy = try_load("still", "", false).unwrap();
    let first = evaluate(&policy, "good/act").unwrap();
    assert_eq!(first.effect, Effect::Permit);
    for part in ["time 0, ran false, order [", "file Err(NotFound), 0 variables, 0 arguments"] {
        // Once from when it was configured, once from now.
        assert_eq!(first.reason.matches(part).count(), 2, "{}", first.reason);
    }
    assert!(first.reason.ends_with("stdin \"\""), "{}", first.reason);
    for _ in 0..3 {
        assert_eq!(evaluate(&policy, "good/act").unwrap(), first);
    }
    // Loaded anew, by another name, with other grants: the same.
    let other = try_load("still-again", "", true).unwrap();
    assert_eq!(evaluate(&other, "good/act").unwrap(), first);
}

#[test]
fn what_cannot_be_is_a_failure() {
    let policy = try_load("still-fails", "", true).unwrap();
    let cases: [(&str, FailureKind, &str); 3] = [
        ("still/exit", Trap, "exited with success instead of answering"),
        ("still/sleep", Trap, "waits for a time that does not come"),
        ("still/flood", HostCalls, "called the host more than 100 times"),
    ];
    for (operation, kind, message) in cases {
        let failure = evaluate(&policy, operation).unwrap_err();
        assert_eq!(failure.kind, kind, "{operation}: {failure}");
        assert!(failure.message.contains(message), "{operation}: {failure}");
    }
    // The same while it is configured.
    for (config, message) in [
        ("still/exit", "exited with success"),
        ("still/sleep", "a time that does not come"),
        ("still/panic", "panicked or aborted"),
    ] {
        match try_load("still-configured", config, true) {
            Err(LoadError { problem: Problem::Bake(failure), .. }) => {
                assert!(failure.kind == Trap && failure.message.contains(message), "{config}: {failure}");
            }
            other => panic!("{config}: {other:?}"),
        }
    }
}

#[test]
fn what_it_prints_is_in_the_log_if_that_is_granted() {
    log::catch();
    for (name, granted) in [("still-loud", true), ("still-silent", false)] {
        let policy = try_load(name, "", granted).unwrap();
        for operation in ["still/print", "still/complain"] {
            evaluate(&policy, operation).unwrap();
        }
        evaluate(&policy, "still/panic").unwrap_err();
        let lines = log::lines(name);
        for (stream, text) in
            [("stdout", "printed"), ("stderr", "complained"), ("stderr", "nobody granted me anything")]
        {
            let found = lines.iter().any(|line| line.contains(&format!("stream=\"{stream}\"")) && line.contains(text));
            assert_eq!(found, granted, "{text}: {lines:#?}");
        }
    }
}

/// What it printed to is in its memory, and would not be there in a call.
#[test]
fn it_may_not_print_while_it_is_configured() {
    log::catch();
    match try_load("still-printing", "print", true) {
        Err(LoadError { problem: Problem::Bake(failure), .. }) => {
            assert_eq!(failure.kind, FailureKind::Malformed);
            assert!(failure.message.contains("it must not print or read there"), "{failure}");
        }
        other => panic!("{other:?}"),
    }
    assert!(log::lines("still-printing").iter().any(|line| line.contains("being configured")));
}

/// The right to one thing does not bring another along.
#[test]
fn a_skill_gets_what_it_is_granted_and_stand_ins_for_the_rest() {
    let variable = std::env::vars().find(|(name, _)| name == "PATH").unwrap();
    let plain = Grants::new("plain-skill").load();
    let clock = Grants::new("clock-skill").with("clock").load();
    let random = Grants::new("random-skill").with("randomness").load();
    let mut environment = Grants::new("environment-skill");
    for side in [&mut environment.requested, &mut environment.granted] {
        side["environment"] = json!(["PATH", "NOT_THERE"]);
    }
    let environment = environment.load();

    for skill in [&plain, &random, &environment] {
        assert_eq!(reach(skill, &json!({ "do": "time" })), Ok(json!({ "s": 0, "ran": false })));
    }
    let time = reach(&clock, &json!({ "do": "time" })).unwrap();
    assert!(time["s"].as_u64().unwrap() > 1_700_000_000 && time["ran"] == true, "{time}");

    let numbers = |skill| reach(skill, &json!({ "do": "random" })).unwrap();
    assert_eq!(numbers(&plain), numbers(&plain));
    for skill in [&clock, &environment] {
        assert_eq!(numbers(skill), numbers(&plain));
    }
    let (one, other) = (numbers(&random), numbers(&random));
    for part in ["bytes", "seed", "order"] {
        assert_ne!(one[part], other[part], "{part}");
    }

    for skill in [&plain, &clock, &random] {
        assert_eq!(reach(skill, &json!({ "do": "env" })), Ok(json!([])));
    }
    assert_eq!(reach(&environment, &json!({ "do": "env" })), Ok(json!([[variable.0, variable.1]])));
    for skill in [&plain, &clock, &random, &environment] {
        assert_eq!(reach(skill, &json!({ "do": "args" })), Ok(json!([])));
        assert_eq!(reach(skill, &json!({ "do": "stdin" })), Ok(json!("")));
        for path in ["/etc/passwd", "/", "file"] {
            reach(skill, &json!({ "do": "read", "path": path })).expect_err(path);
        }
    }
}
