//! What upstreams have said marks what comes after it.

use serde_json::json;
use vak_types::Label;

use crate::log::recorded;
use crate::raw::Session;
use crate::site::{misbehaving, patient, upstream, with_mcp};

const RULES: &str = "
[[rule]]
id = 'all'
effect = 'permit'
operations = ['{up,web}/*', 'skill/*']

[[rule]]
id = 'not-after-the-web'
effect = 'forbid'
operations = ['up/two']
when = [{ label = 'untrusted-web' }]
";

#[test]
fn later_actions_carry_where_the_session_has_listened() {
    let site = with_mcp(RULES, "trusted = ['up']\nstart_ms = 60_000\ncall_ms = 60_000");
    let (up, web) = (upstream("up", &misbehaving(&site, "fine")), upstream("web", &misbehaving(&site, "fine")));
    let site = site.section(&up).section(&web);
    let mut session = Session::start(&site, &[]);
    session.tools().unwrap();
    for tool in ["up_one", "up_two", "vak_calculator", "web_one"] {
        assert!(!session.call(tool, &json!({ "expression": "1" })).0, "{tool}");
    }
    let (refused, text) = session.call("up_two", &json!({}));
    assert!(refused && text.contains("rule `not-after-the-web`"), "{text}");
    assert!(!session.call("vak_calculator", &json!({ "expression": "1" })).0);
    session.finish();
    // Another session has heard nothing.
    let mut session = Session::start(&site, &[]);
    assert!(!session.call("up_two", &json!({})).0);
    session.finish();

    let recorded = recorded(&site);
    let labels = recorded.iter().map(|recorded| recorded.decision.labels.value().unwrap());
    let labels: Vec<Vec<_>> = labels.map(|labels| labels.iter().map(Label::as_str).collect()).collect();
    let (none, web) = (Vec::new, || vec!["untrusted-web"]);
    assert_eq!(labels, [none(), none(), none(), none(), web(), web(), none()]);
}

#[test]
fn a_failure_is_in_the_upstreams_words_too() {
    let rules = RULES.replace("untrusted-web", "untrusted-up");
    for mode in ["error", "tool-error", "exit-in-call"] {
        let site = patient(&rules);
        let mut session = Session::start(&site, &misbehaving(&site, mode));
        assert!(session.call("one", &json!({})).0);
        let (refused, text) = session.call("two", &json!({}));
        assert!(refused && text.contains("rule `not-after-the-web`"), "{mode}: {text}");
        session.finish();
    }
}

#[test]
fn results_say_whose_they_are_and_nobody_else_says_it() {
    let site = patient(RULES);
    let mut session = Session::start(&site, &misbehaving(&site, "forged-origin"));
    let id = session.send_call("one", &json!({}));
    let answer = session.answer(Some(id));
    let expected = json!({ "k": "v", "vak/upstream": "up", "vak/trust": "untrusted" });
    assert_eq!(answer["result"]["_meta"], expected);
    session.finish();
}
