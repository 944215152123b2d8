//! A skill that reaches for its rights while it is configured. What comes of that
//! is kept, so nothing of a right may be in it, and a secret above all.

use serde_json::json;
use vak::Json;
use vak_engine::{LoadError, Problem};
use vak_plugin::Skill;
use vak_types::FailureKind;

use crate::log;
use crate::skill::{Grants, ada};

const TOKEN: &str = "s3cret-of-the-early";

/// With every right that there is something to find by.
fn early(name: &str, config: &str) -> Grants {
    let mut grants = Grants::new(name).component("hostile-early", config).secret("token", TOKEN).with("clock");
    for side in [&mut grants.requested, &mut grants.granted] {
        side["environment"] = json!(["PATH"]);
    }
    grants
}

fn invoke(skill: &Skill) -> serde_json::Value {
    skill.invoke(&ada(), &Json::parse("{}").unwrap()).unwrap().to_value()
}

#[test]
fn a_secret_cannot_be_read_while_it_is_configured() {
    log::catch();
    for config in ["secret token", "secret-for-later token", "secret unused", "secret nobody", "secret "] {
        match early("early-secret", config).try_load() {
            Err(error @ LoadError { problem: Problem::Bake(_), .. }) => {
                let told = "component `early-secret`: failed while it was configured: trap: \
                            called `vak:host/secrets#get`, which it was not granted or cannot have here";
                // Neither what a secret is nor which there are.
                assert_eq!(error.to_string(), told, "{config}");
            }
            other => panic!("{config}: {other:?}"),
        }
    }
    let lines = log::lines("early-secret");
    assert!(!lines.iter().any(|line| line.contains(TOKEN) || line.contains("token")), "{lines:#?}");
}

#[test]
fn a_request_cannot_be_made_while_it_is_configured() {
    match early("early-http", "http").try_load() {
        Err(LoadError { problem: Problem::Bake(failure), .. }) => {
            assert_eq!(failure.kind, FailureKind::Trap, "{failure}");
            assert!(failure.message.contains("called `wasi:http/types#[constructor]fields`"), "{failure}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_it_says_while_it_is_configured_is_in_the_log() {
    log::catch();
    let skill = early("early-loud", "say too early").load();
    let said = |parts: [&str; 3]| {
        let lines = log::lines("early-loud");
        lines.iter().filter(|line| parts.iter().all(|part| line.contains(part))).count()
    };
    let early = [
        ["WARN", "logged too early", ""],
        ["INFO", "printed too early", "stream=\"stdout\""],
        ["INFO", "complained too early", "stream=\"stderr\""],
    ];
    for parts in early {
        assert_eq!(said(parts), 1, "{parts:?}");
    }
    // A call does not say it again, and its secrets are taken out of what it says.
    assert_eq!(invoke(&skill)["token"], "[secret token]");
    let later = [["WARN", "logged [secret token]", ""], ["INFO", "printed [secret token]", "stream=\"stdout\""]];
    for parts in early.into_iter().chain(later) {
        assert_eq!(said(parts), 1, "{parts:?}");
    }
    assert_eq!(said([TOKEN, "", ""]), 0);
}

/// It has its rights in calls, and had none of them before.
#[test]
fn nothing_of_its_rights_is_baked_into_it() {
    let skill = early("early-looks", "look").load();
    let answer = invoke(&skill);
    assert_eq!(answer["then"], json!({ "s": 0, "variables": 0 }));
    assert!(answer["now"]["s"].as_u64().unwrap() > 1_700_000_000 && answer["now"]["variables"] == 1, "{answer}");
    assert_eq!(answer["length"], TOKEN.len());
}

/// It is asked what it is when it has its secrets, and agents are shown the answer.
#[test]
fn what_it_says_of_itself_is_redacted() {
    let skill = early("early-tells", "tell").load();
    assert_eq!(skill.tool().description, "Knows [secret token].");
}
