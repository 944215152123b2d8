//! Secrets, and where they may turn up.

use serde_json::json;
use vak::Json;
use vak_plugin::SkillError;

use crate::log;
use crate::skill::{Grants, ada, reach};

const TOKEN: &str = "s3cr\"et-t\\oken";

#[test]
fn a_skill_gets_its_own_secrets_and_no_others() {
    let mine = Grants::new("mine").secret("token", TOKEN);
    let skill = mine.load();
    // Told apart by its length: the text itself does not come out.
    assert_eq!(reach(&skill, &json!({ "do": "secret", "name": "token" })), Ok(json!("[secret token]")));
    for name in ["", "unasked", "other", "Token", "token ", "../token", "mine/token", "a\u{0}b", &"x".repeat(10_000)] {
        let got = reach(&skill, &json!({ "do": "secret", "name": name }));
        assert_eq!(got, Err("not granted".to_owned()), "{name}");
    }
    // Another has one of that name; this one asks for it, and it is not granted.
    let mut other = Grants::new("other").secret("theirs", "theirs alone");
    other.requested["secrets"] = json!(["unused", "theirs", "token"]);
    let other = other.load();
    let got = reach(&other, &json!({ "do": "secret", "name": "token" }));
    assert_eq!(got, Err("not granted".to_owned()));
    // And the other way around: granted, and not asked for.
    let mut unasked = Grants::new("unasked").secret("token", TOKEN);
    unasked.requested["secrets"] = json!(["unused"]);
    let got = reach(&unasked.load(), &json!({ "do": "secret", "name": "token" }));
    assert_eq!(got, Err("not granted".to_owned()));
}

#[test]
fn a_secret_does_not_come_out() {
    log::catch();
    for (name, right) in [("leaks", "log"), ("leaks-with-wasi", "clock")] {
        let skill = Grants::new(name).secret("token", &format!("{TOKEN}\n")).with(right).load();
        let answer = reach(&skill, &json!({ "do": "leak", "name": "token" })).unwrap();
        let expected = json!({
            "plain": "[secret token]",
            "inside": "<[secret token]>",
            "json": "[\"[secret token]\"]",
            "[secret token]": 1,
        });
        assert_eq!(answer, expected);

        let error = skill.invoke(&ada(), &Json::parse("{\"do\": \"fail\", \"name\": \"token\"}").unwrap()).unwrap_err();
        assert_eq!(error, SkillError::Failed("[secret token]".to_owned()));

        let lines = log::lines(name);
        for line in ["logged [secret token]!", "printed [secret token]!", "complained \"[secret token]\"!"] {
            assert!(lines.iter().any(|found| found.contains(line)), "{line}: {lines:#?}");
        }
        for line in &lines {
            assert!(!line.contains("s3cr") && !line.contains("oken\\"), "{line}");
        }
    }
}

#[test]
fn a_long_secret_is_not_cut_before_it_is_found() {
    log::catch();
    let long = "0123456789abcdef".repeat(4_000);
    let skill = Grants::new("leaks-long").secret("token", &long).load();
    reach(&skill, &json!({ "do": "leak", "name": "token" })).unwrap();
    for line in log::lines("leaks-long") {
        assert!(!line.contains("0123456789"), "{line}");
    }
}
