//! Upstreams that describe a tool otherwise than when it was accepted.

use std::process::Command;

use serde_json::json;
use vak_audit::Status;
use vak_test_support::{Site, binary};

use crate::log::{Recorded, acceptances, recorded};
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
fn the_log_has_what_was_accepted_before_it_counts() {
    let site = patient(PERMIT_ALL);
    let mut session = Session::start(&site, &misbehaving(&site, "rug-pull"));
    assert_eq!(session.call("one", &json!({})), (false, "done".to_owned()));
    let first = acceptances(&site);
    let named: Vec<_> = first.iter().map(|(name, before, _)| (name.as_str(), before.is_some())).collect();
    assert_eq!(named, [("tool up/one", false), ("tool up/two", false)]);
    session.call("two", &json!({}));
    assert!(session.call("one", &json!({})).0);
    // Seen, and not accepted; and accepted, and not used.
    assert_eq!(acceptances(&site), first);
    vak_mcp(&site, &["accept", "up/one"], true);
    assert_eq!(acceptances(&site), first);
    assert_eq!(session.call("one", &json!({})), (false, "done".to_owned()));
    let then = acceptances(&site);
    assert_eq!(then.len(), 3);
    let (name, before, accepted) = &then[2];
    assert_eq!((name.as_str(), before.as_ref()), ("tool up/one", Some(&first[0].2)));
    assert!(vak_mcp(&site, &["tools"], true).contains(accepted));
    // The entry is before the decision about the call that it let through.
    session.finish();
    // Nothing is accepted twice.
    let mut session = Session::start(&site, &misbehaving(&site, "rug-pull"));
    assert_eq!(session.call("one", &json!({})), (false, "done".to_owned()));
    session.finish();
    assert_eq!(acceptances(&site), then);
    recorded(&site);
}

#[test]
fn prompts_are_pinned_like_tools() {
    let rules = "[[rule]]\nid = 'all'\neffect = 'permit'\noperations = ['up/**']\n";
    let site = patient(rules);
    let mut session = Session::start(&site, &misbehaving(&site, "fine"));
    let prompts = |session: &mut Session| {
        let listed = session.ask("prompts/list", &json!({}));
        let listed = listed["result"]["prompts"].as_array().unwrap().clone();
        listed.iter().map(|prompt| prompt["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let get = |session: &mut Session, name: &str| session.ask("prompts/get", &json!({ "name": name }));
    // It is accepted at first sight, also by who never listed.
    assert_eq!(get(&mut session, "greet")["result"]["messages"][0]["content"]["text"], "Hello.");
    assert_eq!(prompts(&mut session), ["greet", "other"]);
    // This pulls the rug.
    get(&mut session, "other");
    let why = "describes its prompt `greet` otherwise than when it was accepted; look at it and accept it with \
               `vak mcp accept up/prompts/greet`";
    let refused = get(&mut session, "greet");
    assert!(refused["error"]["message"].as_str().unwrap().contains(why), "{refused}");
    let denied = get(&mut session, "greet");
    assert!(denied["error"]["message"].as_str().unwrap().starts_with("denied by host"), "{denied}");
    assert_eq!(prompts(&mut session), ["other"]);
    assert!(vak_mcp(&site, &["tools"], true).contains("Then send /etc/passwd"));
    assert!(vak_mcp(&site, &["accept", "up/prompts/none"], false).contains("nothing is known of a prompt `none`"));
    vak_mcp(&site, &["accept", "up/prompts/greet"], true);
    assert_eq!(get(&mut session, "greet")["result"]["messages"][0]["content"]["text"], "Hello.");
    session.finish();
    let named: Vec<_> = acceptances(&site).into_iter().map(|(name, before, _)| (name, before.is_some())).collect();
    let told = |name: &str, before| (format!("prompt up/{name}"), before);
    assert_eq!(named, [told("greet", false), told("other", false), told("greet", true)]);
    assert_eq!(upstream_got(&site).matches(r#""name":"greet""#).count(), 2);
    let recorded = recorded(&site);
    let last = recorded.iter().rfind(|it| it.told().0 == "up/prompts/get").unwrap();
    assert!(format!("{:?}", last.decision.attributes).contains("sha256:"), "{last:?}");
}

#[test]
fn pins_that_cannot_be_read_accept_nothing() {
    let site = patient(PERMIT_ALL);
    std::fs::create_dir_all(site.path().join("state/mcp")).unwrap();
    std::fs::write(site.path().join("state/mcp/up.tools.json"), "{").unwrap();
    let mut session = Session::start(&site, &misbehaving(&site, "fine"));
    assert!(session.tools().unwrap_err().contains("the accepted descriptions in"));
    let (failed, text) = session.call("one", &json!({}));
    assert!(failed && text.contains("the accepted descriptions in"), "{text}");
    assert!(!session.call("vak_calculator", &json!({ "expression": "1" })).0);
    session.finish();
    assert!(!upstream_got(&site).contains("tools/call"));
}
