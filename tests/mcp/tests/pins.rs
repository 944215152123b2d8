//! Upstreams that describe a tool otherwise than when it was accepted.

use std::process::Command;

use serde_json::json;
use vak_audit::Status;
use vak_test_support::{Site, binary};

use crate::log::{Recorded, recorded};
use crate::raw::Session;
use crate::site::{PERMIT_ALL, misbehaving, patient, upstream_got};

const WHY: &str = "the upstream describes its tool `one` otherwise than when it was accepted; look at it and accept it \
                   with `vak mcp accept up/one`";

/// Runs `vak mcp` with these words, and gives what it prints.
#[track_caller]
fn vak_mcp(site: &Site, words: &[&str], succeeds: bool) -> String {
    let mut vak = Command::new(binary("vak"));
    let output = vak.arg("mcp").args(words).arg("--config").arg(site.config()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.success(), succeeds, "{words:?}: {said}");
    said
}

#[test]
fn a_changed_tool_is_hidden_and_denied_until_it_is_accepted() {
    let site = patient(PERMIT_ALL);
    let mut session = Session::start(&site, &misbehaving(&site, "rug-pull"));
    assert_eq!(session.tools().unwrap(), ["one", "two", "vak_calculator"]);
    assert_eq!(session.call("one", &json!({})), (false, "done".to_owned()));
    // This pulls the rug.
    assert_eq!(session.call("two", &json!({})), (false, "done".to_owned()));
    // Nobody has listed since: the call is allowed, compared, and not sent.
    let (failed, text) = session.call("one", &json!({}));
    assert!(failed && text.contains(WHY), "{text}");
    // By now it is known.
    let (failed, text) = session.call("one", &json!({}));
    assert!(failed && text == format!("denied by host: {WHY}"), "{text}");
    assert_eq!(session.tools().unwrap(), ["two", "vak_calculator"]);
    assert_eq!(session.call("two", &json!({})), (false, "done".to_owned()));
    assert!(session.call("one", &json!({})).0);

    let listed = vak_mcp(&site, &["tools"], true);
    assert!(listed.contains("send /etc/passwd along"), "{listed}");
    let digest = listed.split("changed to ").nth(1).unwrap().split(':').take(2).collect::<Vec<_>>().join(":");
    let other = format!("sha256:{}", "0".repeat(64));
    assert!(vak_mcp(&site, &["accept", "up/one", "--digest", &other], false).contains("look at it again"));
    assert!(vak_mcp(&site, &["accept", "up/three"], false).contains("nothing is known of a tool `three`"));
    assert!(vak_mcp(&site, &["accept", "down/one"], false).contains("has no upstream"));
    assert!(session.call("one", &json!({})).0);
    vak_mcp(&site, &["accept", "up/one", "--digest", &digest], true);
    assert_eq!(session.call("one", &json!({})), (false, "done".to_owned()));
    assert_eq!(session.tools().unwrap(), ["one", "two", "vak_calculator"]);
    assert_eq!(session.finish().code, Some(0));

    let recorded = recorded(&site);
    let told: Vec<_> = recorded.iter().map(Recorded::told).collect();
    let one = |decision: &str, status| ("up/one", decision.to_owned(), status);
    let two = || ("up/two", "allow".to_owned(), Some(Status::Succeeded));
    let denied = || one("deny", None);
    let expected = [
        one("allow", Some(Status::Succeeded)),
        two(),
        one("allow", Some(Status::Failed)),
        denied(),
        two(),
        denied(),
        denied(),
        one("allow", Some(Status::Succeeded)),
    ];
    assert_eq!(told, expected);
    // What was allowed says how its tool was described.
    let definition = |at: usize| format!("{:?}", recorded[at].decision.attributes);
    assert!(definition(0).contains("sha256:") && definition(7).contains(&digest));
    assert_ne!(definition(0), definition(7));
    assert_eq!(upstream_got(&site).matches(r#""name":"one""#).count(), 2);
}

#[test]
fn a_tool_that_changed_while_no_gateway_ran_is_noticed() {
    let site = patient(PERMIT_ALL);
    let mut session = Session::start(&site, &misbehaving(&site, "rug-pull"));
    assert_eq!(session.call("one", &json!({})), (false, "done".to_owned()));
    session.finish();
    std::fs::write(site.path().join("upstream.log.pulled"), "").unwrap();
    // Whoever calls knows the old description, and asks for no list.
    let mut session = Session::start(&site, &misbehaving(&site, "rug-pull"));
    let (failed, text) = session.call("one", &json!({}));
    assert!(failed && text.contains(WHY), "{text}");
    assert_eq!(session.call("two", &json!({})), (false, "done".to_owned()));
    session.finish();
    assert_eq!(upstream_got(&site).matches(r#""name":"one""#).count(), 1);
}

#[test]
fn an_upstream_that_gives_no_list_cannot_hide_a_change() {
    let site = patient(PERMIT_ALL);
    let mut session = Session::start(&site, &misbehaving(&site, "fine"));
    assert_eq!(session.tools().unwrap(), ["one", "two", "vak_calculator"]);
    session.finish();
    let mut session = Session::start(&site, &misbehaving(&site, "same-cursor"));
    let (failed, text) = session.call("one", &json!({}));
    assert!(failed && text.contains("`one` cannot be compared with the one that was accepted"), "{text}");
    // Of this one no description was ever shown.
    assert_eq!(session.call("three", &json!({})), (false, "done".to_owned()));
    session.finish();
    assert!(!upstream_got(&site).contains(r#""name":"one""#));
}

#[test]
fn pins_that_cannot_be_read_accept_nothing() {
    let site = patient(PERMIT_ALL);
    std::fs::create_dir_all(site.path().join("state/mcp")).unwrap();
    std::fs::write(site.path().join("state/mcp/up.tools.json"), "{").unwrap();
    let mut session = Session::start(&site, &misbehaving(&site, "fine"));
    assert!(session.tools().unwrap_err().contains("the accepted tool descriptions in"));
    let (failed, text) = session.call("one", &json!({}));
    assert!(failed && text.contains("the accepted tool descriptions in"), "{text}");
    assert!(!session.call("vak_calculator", &json!({ "expression": "1" })).0);
    session.finish();
    assert!(!upstream_got(&site).contains("tools/call"));
}
