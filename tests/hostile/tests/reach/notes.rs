//! The first-party skill `notes` in real folders, through a host.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};
use vak::{Caller, Host, InvokeError, Json};
use vak_plugin::SkillError;
use vak_test_support::{Site, components};

/// A host with the skill, which is signed and as it is published, and may write
/// to `notes` in the site's folder or only read there.
fn site(access: &str) -> Site {
    let site = Site::new().rules("[[rule]]\nid = 'all'\neffect = 'permit'\n");
    fs::create_dir(site.path().join("notes")).unwrap();
    let component = components().join("notes.wasm");
    let section = format!(
        "[[skills]]\nname = 'notes'\ncomponent = '{}'\ngrants.directories.'/notes' = {{ host = 'notes', access = '{access}' }}\n",
        component.display()
    );
    site.section(&section)
}

fn call(host: &Host, input: &Value) -> Result<Value, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let caller = Caller { agent: "ada".parse().unwrap(), session: "s1".parse().unwrap(), labels: Vec::new() };
    let input = Json::parse(&input.to_string()).unwrap();
    match runtime.block_on(host.invoke(&caller, &"notes".parse().unwrap(), input)) {
        Ok(output) => Ok(output.to_value()),
        Err(InvokeError::Skill(SkillError::InvalidInput(why) | SkillError::Failed(why))) => Err(why),
        Err(other) => panic!("{other:?}"),
    }
}

fn write(host: &Host, name: &str, text: &str) -> Result<Value, String> {
    call(host, &json!({ "operation": "write", "name": name, "text": text }))
}

#[test]
fn keeps_notes_and_leaves_nothing_else() {
    let site = site("write");
    let host = site.host();
    write(&host, "plan", "one").unwrap();
    write(&host, "plan", "two\n").unwrap();
    call(&host, &json!({ "operation": "append", "name": "plan", "text": "three" })).unwrap();
    assert_eq!(call(&host, &json!({ "operation": "read", "name": "plan" })).unwrap()["text"], "two\nthree");
    assert_eq!(fs::read_to_string(site.path().join("notes/plan")).unwrap(), "two\nthree");
    assert_eq!(fs::read_dir(site.path().join("notes")).unwrap().count(), 1);
    call(&host, &json!({ "operation": "remove", "name": "plan" })).unwrap();
    assert_eq!(call(&host, &json!({ "operation": "list" })).unwrap(), json!({ "notes": [] }));
}

#[test]
fn no_name_leads_out() {
    let site = site("write");
    let notes = site.path().join("notes");
    fs::write(site.path().join("secret"), "secret").unwrap();
    fs::write(notes.join("own"), "own").unwrap();
    symlink("../secret", notes.join("up")).unwrap();
    symlink(site.path().join("secret"), notes.join("absolute")).unwrap();
    symlink("own", notes.join("inside")).unwrap();
    fs::create_dir(notes.join("folder")).unwrap();
    fs::hard_link(site.path().join("secret"), notes.join("hard")).unwrap();
    let host = site.host();
    let absolute = site.path().join("secret").display().to_string();
    let outside =
        ["../secret", "notes/../../secret", "..", ".", "/notes/own", "own/", "own\0", &absolute, "..\\secret"];
    for name in outside.into_iter().chain(["up", "absolute", "inside", "folder"]) {
        for operation in ["read", "write", "append", "remove"] {
            let mut input = json!({ "operation": operation, "name": name });
            if ["write", "append"].contains(&operation) {
                input["text"] = json!("x");
            }
            let why = call(&host, &input).expect_err(&input.to_string());
            assert!(why.contains("`name`") || why.contains("is a link or a folder"), "{input}: {why}");
        }
    }
    // A new version is a new file: what else had that name stays as it was.
    write(&host, "hard", "mine").unwrap();
    assert_eq!(fs::read_to_string(site.path().join("secret")).unwrap(), "secret");
    let listed = call(&host, &json!({ "operation": "list" })).unwrap();
    assert_eq!(listed, json!({ "notes": [{ "name": "hard", "bytes": 4 }, { "name": "own", "bytes": 3 }] }));
    assert_eq!(call(&host, &json!({ "operation": "search", "text": "secret" })).unwrap()["found"], json!([]));
}

#[test]
fn bounds_hold_when_they_are_reached() {
    let site = site("write");
    let notes = site.path().join("notes");
    let host = site.host();
    let full = "\u{1}".repeat(128 << 10);
    write(&host, "full", &full[..100_000]).unwrap();
    fs::write(notes.join("full"), &full).unwrap();
    assert_eq!(call(&host, &json!({ "operation": "read", "name": "full" })).unwrap()["text"], json!(full));
    let why = call(&host, &json!({ "operation": "append", "name": "full", "text": "x" })).unwrap_err();
    assert_eq!(why, "the note with `text` has 131073 bytes, and the most is 131072");
    fs::write(notes.join("longer"), "x".repeat((128 << 10) + 1)).unwrap();
    fs::write(notes.join("bytes"), b"\xff").unwrap();
    assert!(call(&host, &json!({ "operation": "read", "name": "longer" })).unwrap_err().contains("131073 bytes"));
    assert!(call(&host, &json!({ "operation": "read", "name": "bytes" })).unwrap_err().contains("not a text"));
    for number in 3..500 {
        fs::write(notes.join(format!("n{number}")), "Here.\n").unwrap();
    }
    let found = call(&host, &json!({ "operation": "search", "text": "here" })).unwrap();
    assert_eq!((found["found"].as_array().unwrap().len(), &found["more"]), (100, &json!(true)));
    assert_eq!(call(&host, &json!({ "operation": "list" })).unwrap()["notes"].as_array().unwrap().len(), 500);
    assert!(write(&host, "one-more", "x").unwrap_err().contains("500 notes already"));
    write(&host, "n3", "changed").unwrap();
}

#[test]
fn only_reads_where_it_may_only_read() {
    let site = site("read");
    let notes = site.path().join("notes");
    fs::write(notes.join("own"), "own").unwrap();
    let host = site.host();
    assert_eq!(call(&host, &json!({ "operation": "read", "name": "own" })).unwrap()["text"], "own");
    for input in [
        json!({ "operation": "write", "name": "own", "text": "x" }),
        json!({ "operation": "append", "name": "own", "text": "x" }),
        json!({ "operation": "remove", "name": "own" }),
    ] {
        assert!(call(&host, &input).unwrap_err().starts_with("the folder of notes:"), "{input}");
    }
    assert_eq!(fs::read_to_string(notes.join("own")).unwrap(), "own");
}
