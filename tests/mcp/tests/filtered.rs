//! Lists of what the agent may ever call.

use serde_json::json;

use crate::log::recorded;
use crate::raw::Session;
use crate::site::{file_server, misbehaving, patient};

/// What is listed under these rules for a server with the tools
/// `list_directory`, `read_file` and `write_file`.
#[track_caller]
fn check(rules: &str, expected: &[&str]) {
    let site = patient(rules);
    let mut session = Session::start(&site, &file_server(&site));
    assert_eq!(session.tools().unwrap(), expected, "{rules}");
    session.finish();
    // To ask is not to decide.
    assert!(recorded(&site).is_empty());
}

#[test]
fn what_can_never_be_allowed_is_not_listed() {
    check("", &[]);
    let read = "[[rule]]\nid = 'read'\neffect = 'permit'\noperations = ['up/read_*']\n";
    check(read, &["read_file"]);
    let all = "[[rule]]\nid = 'all'\neffect = 'permit'\noperations = ['up/*', 'skill/*']\n";
    let every = ["list_directory", "read_file", "write_file", "vak_calculator"];
    check(all, &every);
    // A person may say yes.
    check(&all.replace("permit", "escalate"), &every);
    let forbid = |more: &str| {
        format!("{all}[[rule]]\nid = 'no'\neffect = 'forbid'\noperations = ['up/write_*', 'skill/*']\n{more}")
    };
    check(&forbid(""), &["list_directory", "read_file"]);
    check(&forbid("agents = ['ada']"), &["list_directory", "read_file"]);
    check(&forbid("resources = ['mcp:up/write_file']"), &["list_directory", "read_file", "vak_calculator"]);
    // What depends on anything but names is listed.
    for more in ["agents = ['eve']", "roles = ['x']", "when = [{ argument = '/path', present = true }]"] {
        check(&forbid(more), &every);
    }
    // So is what only some agent's conditions permit, and not what another agent's do.
    check(&format!("{read}when = [{{ attribute = 'never', equals = 1 }}]"), &["read_file"]);
    check(&format!("{read}agents = ['eve']"), &[]);
}

#[test]
fn what_is_not_listed_is_still_decided() {
    let site = patient("[[rule]]\nid = 'one'\neffect = 'permit'\noperations = ['up/one']\n");
    let mut session = Session::start(&site, &misbehaving(&site, "fine"));
    assert_eq!(session.tools().unwrap(), ["one"]);
    let (refused, text) = session.call("two", &json!({}));
    assert!(refused && text.contains("no policy permits this action"), "{text}");
    let (refused, text) = session.call("vak_calculator", &json!({}));
    assert!(refused && text.contains("no policy permits this action"), "{text}");
    session.finish();
    assert_eq!(recorded(&site).len(), 2);
}

#[test]
fn a_policy_that_does_not_say_hides_nothing() {
    let component = vak_test_support::components().join("no-shell.wasm");
    let policy = format!("[[policies]]\nname = 'no-shell'\ncomponent = '{}'", component.display());
    let all = "[[rule]]\nid = 'all'\neffect = 'permit'\noperations = ['up/*']\n";
    let site = patient(all).section(&policy);
    let mut session = Session::start(&site, &misbehaving(&site, "tools:shell,one"));
    assert_eq!(session.tools().unwrap(), ["shell", "one"]);
    let (refused, text) = session.call("shell", &json!({}));
    assert!(refused && text.contains("agents may not open a shell"), "{text}");
    session.finish();
}
