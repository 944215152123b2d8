//! What skills remember, and for whom.

use std::sync::Arc;

use serde_json::{Value, json};
use vak_memory::Memory;
use vak_types::FailureKind;

use crate::skill::{Grants, Remembering, stopped_as};

/// A skill that remembers in `memory`.
fn skill(name: &str, memory: &Arc<Memory>, scopes: &Value) -> Remembering {
    let mut grants = Grants::new(name).secret("token", "s3cret-token");
    (grants.requested["memory"], grants.granted["memory"]) = (scopes.clone(), scopes.clone());
    grants.remembering(memory)
}

fn steps(skill: &Remembering, agent: &str, steps: &Value) -> Value {
    skill.reach(agent, &json!({ "do": "remember", "steps": steps })).unwrap()
}

fn memory() -> (Arc<Memory>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Arc::new(Memory::at(folder.path().join("memory.sqlite"))), folder)
}

#[test]
fn a_skill_remembers_for_its_caller_alone() {
    let (memory, _folder) = memory();
    let writes = skill("writes", &memory, &json!({ "notes": "write", "plans": "write" }));
    let answer =
        steps(&writes, "ada", &json!([["set", "notes", "k", "v"], ["get", "notes", "k"], ["keys", "notes", ""]]));
    assert_eq!(answer, json!([null, "v", ["k"]]));
    assert_eq!(steps(&writes, "ada", &json!([["get", "notes", "k"], ["get", "plans", "k"]])), json!(["v", null]));
    assert_eq!(steps(&writes, "bob", &json!([["get", "notes", "k"], ["keys", "notes", ""]])), json!([null, []]));
    // Another skill with the same scope has the same in it, and no more than it
    // was granted.
    let reads = skill("reads", &memory, &json!({ "notes": "read" }));
    let answer = steps(
        &reads,
        "ada",
        &json!([
            ["get", "notes", "k"],
            ["set", "notes", "k", "x"],
            ["remove", "notes", "k"],
            ["get", "plans", "k"],
            ["get", "Notes", "k"],
            ["get", "../notes", "k"],
            ["get", "", "k"],
            ["keys", "plans", ""],
            ["set", "plans", "k", "x"],
        ]),
    );
    let (refused, unknown) = ("read-only", "not-granted");
    assert_eq!(answer, json!(["v", refused, refused, unknown, unknown, unknown, unknown, unknown, unknown]));
    assert_eq!(steps(&reads, "ada", &json!([["get", "notes", "k"]])), json!(["v"]));
}

#[test]
fn what_is_remembered_has_its_limits() {
    let (memory, _folder) = memory();
    let skill = skill("limits", &memory, &json!({ "notes": "write" }));
    let answer = steps(
        &skill,
        "ada",
        &json!([
            ["set", "notes", "", "v"],
            ["set", "notes", "a\u{0}b", "v"],
            ["get", "notes", "k".repeat(257)],
            ["set", "notes", "k", 65_536],
            ["set", "notes", "k", 65_537],
            ["secret", "notes", "k", "token"],
            ["set", "notes", "is-s3cret-token-here", "v"],
            ["get", "notes", "is-s3cret-token-here"],
        ]),
    );
    let key = "invalid-key";
    assert_eq!(answer, json!([key, key, key, null, "value-too-long", "has-secret", "has-secret", null]));
    let many: Vec<_> = (0..20).map(|_| json!(["set", "notes", "k", 65_536])).collect();
    let answer = steps(&skill, "ada", &json!(many));
    assert_eq!(answer.as_array().unwrap().iter().filter(|answer| **answer == json!("full")).count(), 5, "{answer}");
}

#[test]
fn a_call_that_fails_has_remembered_nothing() {
    let (memory, _folder) = memory();
    let skill = skill("fails", &memory, &json!({ "notes": "write" }));
    steps(&skill, "ada", &json!([["set", "notes", "k", "before"]]));
    let set = json!(["set", "notes", "k", "after"]);
    stopped_as(&skill.0, &json!({ "do": "remember", "steps": [set, ["trap"]] }), FailureKind::Trap, "");
    let many: Vec<_> = (0..20_000).map(|_| json!(["get", "notes", "k"])).collect();
    let all: Vec<_> = [set.clone()].into_iter().chain(many).collect();
    let failure = skill.failure("ada", &json!({ "do": "remember", "steps": all }));
    assert!([FailureKind::HostCalls, FailureKind::Fuel, FailureKind::Memory].contains(&failure.kind), "{failure}");
    skill.fails("ada", &json!({ "do": "fail", "before": [set] }));
    assert_eq!(steps(&skill, "ada", &json!([["get", "notes", "k"]])), json!(["before"]));
}

#[test]
fn a_call_whose_memory_changed_meanwhile_fails() {
    let (memory, _folder) = memory();
    let scopes = json!({ "notes": "write", "plans": "write" });
    let mut grants = Grants::new("slow").with("clock");
    (grants.requested["memory"], grants.granted["memory"]) = (scopes.clone(), scopes.clone());
    let (slow, quick) = (grants.remembering(&memory), skill("quick", &memory, &scopes));
    let race = |agent: &str, scope: &str, then: Value| {
        let slow_steps = json!([["get", "notes", "k"], ["sleep", 600], then]);
        std::thread::scope(|threads| {
            let slow = threads.spawn(|| slow.call("ada", &json!({ "do": "remember", "steps": slow_steps })));
            std::thread::sleep(std::time::Duration::from_millis(300));
            steps(&quick, agent, &json!([["set", scope, "k", "quick"]]));
            slow.join().unwrap()
        })
    };
    let set = json!(["set", "plans", "k", "slow"]);
    for then in [set.clone(), json!(["get", "notes", "other"]), json!(["keys", "notes", ""])] {
        let failure = race("ada", "notes", then).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unavailable, "{failure}");
        assert_eq!(failure.message, "its memory: another call changed `notes` meanwhile; call again");
    }
    assert_eq!(steps(&quick, "ada", &json!([["get", "plans", "k"]])), json!([null]));
    // What it has not looked at, and what others remember, may change.
    race("bob", "notes", set.clone()).unwrap();
    assert_eq!(steps(&quick, "ada", &json!([["get", "plans", "k"]])), json!(["slow"]));
}

#[test]
fn the_memory_is_a_grant_of_its_own() {
    let (memory, folder) = memory();
    let with = |requested: Value, granted: Value| {
        let mut grants = Grants::new("granted");
        (grants.requested["memory"], grants.granted["memory"]) = (requested, granted);
        grants.try_load_with(Some(&memory)).map(drop).map_err(|error| error.problem.to_string())
    };
    with(json!({ "notes": "write" }), json!({ "notes": "read" })).unwrap();
    for (requested, granted, message) in [
        (json!({}), json!({ "notes": "write" }), "vak:host/memory@0.1.0"),
        (json!({ "notes": "write" }), json!({}), "`memory`"),
        (json!({ "notes": "write" }), json!({ "plans": "write" }), "`memory`"),
    ] {
        let error = with(requested, granted).unwrap_err();
        assert!(error.contains(message), "{error}");
    }
    let mut grants = Grants::new("granted");
    (grants.requested["memory"], grants.granted["memory"]) = (json!({ "notes": "read" }), json!({ "notes": "read" }));
    let error = grants.try_load_with(None).err().unwrap().problem.to_string();
    assert!(error.contains("this host keeps none"), "{error}");
    std::fs::write(folder.path().join("other"), "something else, and longer than a header".repeat(50)).unwrap();
    let other = Arc::new(Memory::at(folder.path().join("other")));
    let error = grants.try_load_with(Some(&other)).err().unwrap().problem.to_string();
    assert!(error.contains("file is not a database"), "{error}");
}
