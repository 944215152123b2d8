//! Several upstreams behind one endpoint.

use serde_json::json;
use vak::Config;
use vak_audit::Status;
use vak_test_support::Site;

use crate::log::{Recorded, recorded};
use crate::raw::Session;
use crate::site::{file_server, misbehaving_into, upstream, with_mcp};

const RULES: &str = "[[rule]]\nid = 'all'\neffect = 'permit'\noperations = ['{up,a,a-b,files}/*', 'skill/*']\n";

/// Settings for upstreams that may take `start_ms` to start.
fn patience(start_ms: u64) -> String {
    format!("start_ms = {start_ms}\ncall_ms = 60_000")
}

#[test]
fn each_tool_is_one_upstreams() {
    let site = with_mcp(RULES, &patience(60_000));
    let folder = site.path().to_owned();
    let log = |name: &str| folder.join(format!("{name}.log"));
    // `a_b_c` can only be the tool `b_c` of `a`: `a-b` has another dash.
    let a = upstream("a", &misbehaving_into(&log("a"), "tools:b_c,c,b-_c,resources/read,prompts/get"));
    let b = upstream("a-b", &misbehaving_into(&log("a-b"), "tools:c,_c,vak_calculator"));
    let site = site.section(&a).section(&b);
    let mut session = Session::start(&site, &[]);
    let tools = session.tools().unwrap();
    assert_eq!(tools, ["a_b_c", "a_c", "a_b-_c", "a-b_c", "a-b__c", "vak_calculator"]);
    let distinct: std::collections::BTreeSet<_> = tools.iter().collect();
    assert_eq!(distinct.len(), tools.len());
    for (tool, of, name) in [
        ("a_b_c", "a", "b_c"),
        ("a_c", "a", "c"),
        ("a-b_c", "a-b", "c"),
        ("a-b__c", "a-b", "_c"),
        ("a_b-_c", "a", "b-_c"),
    ] {
        let id = session.send_call(tool, &json!({ "tool": tool }));
        assert_eq!(session.answer(Some(id))["result"]["content"][0]["text"], "done", "{tool}");
        let got = std::fs::read_to_string(log(of)).unwrap();
        let call = got.lines().last().unwrap();
        assert!(
            call.contains(&format!(r#""name":"{name}""#)) && call.contains(&format!(r#""tool":"{tool}""#)),
            "{call}"
        );
    }
    // Nobody's, or not a tool's name: refused, and never an action.
    for tool in
        ["c", "b_c", "A_c", "a", "", "_c", "a-_c", "up_c", "a_resources/read", "a_prompts/get", "skill_calculator"]
    {
        let (failed, text) = session.call(tool, &json!({}));
        assert!(failed && text.contains("there is no tool"), "{tool}: {text}");
    }
    assert!(!session.call("vak_calculator", &json!({ "expression": "1" })).0);
    assert_eq!(session.finish().code, Some(0));
    let recorded = recorded(&site);
    let told: Vec<_> = recorded.iter().map(|recorded| recorded.told().0).collect();
    assert_eq!(told, ["a/b_c", "a/c", "a-b/c", "a-b/_c", "a/b-_c", "skill/calculator"]);
}

#[test]
fn a_dead_upstream_takes_no_others_tools_away() {
    for (mode, start_ms) in
        [("missing", 60_000), ("exit-at-start", 60_000), ("never-ready", 1_500), ("many-tools", 60_000)]
    {
        let site = with_mcp(RULES, &patience(start_ms));
        let command = match mode {
            "missing" => vec!["/no/such/program".into()],
            mode => misbehaving_into(&site.path().join("upstream.log"), mode),
        };
        let files = upstream("files", &file_server(&site));
        let site = site.section(&upstream("up", &command)).section(&files);
        let mut session = Session::start(&site, &[]);
        let tools = session.tools().unwrap();
        let others = ["files_list_directory", "files_read_file", "files_write_file", "vak_calculator"];
        assert_eq!(tools, others, "{mode}");
        let read = session.call("files_read_file", &json!({ "path": "notes.txt" }));
        assert_eq!(read, (false, "Buy milk.".to_owned()), "{mode}");
        let dead = session.call("up_one", &json!({}));
        assert_eq!(dead.0, mode != "many-tools", "{mode}: {}", dead.1);
        let ended = session.finish();
        assert!(ended.stderr.contains("tools are missing from the list"), "{mode}: {}", ended.stderr);
        let recorded = recorded(&site);
        let told: Vec<_> = recorded.iter().map(Recorded::told).collect();
        assert_eq!(told[0], ("files/read_file", "allow".to_owned(), Some(Status::Succeeded)), "{mode}");
        assert_eq!(told[1].0, "up/one", "{mode}");
    }
}

#[test]
fn a_command_is_one_more_upstream() {
    let site = with_mcp(RULES, &format!("upstream = 'files'\n{}", patience(60_000)));
    let other = upstream("up", &misbehaving_into(&site.path().join("upstream.log"), "fine"));
    let site = site.section(&other);
    let mut session = Session::start(&site, &file_server(&site));
    let tools = session.tools().unwrap();
    for tool in ["files_read_file", "up_one", "up_two", "vak_calculator"] {
        assert!(tools.iter().any(|name| name == tool), "{tool} is not among {tools:?}");
    }
    assert!(!session.call("files_read_file", &json!({ "path": "notes.txt" })).0);
    session.finish();
}

#[test]
fn names_that_could_be_read_in_two_ways_are_refused() {
    let cases = [
        ("[[mcp.upstreams]]\nname = 'a_b'\ncommand = ['x']", "has `_` in its name"),
        (
            "[[mcp.upstreams]]\nname = 'a'\ncommand = ['x']\n[[mcp.upstreams]]\nname = 'A'\ncommand = ['x']",
            "two upstreams",
        ),
        ("upstream = 'a'\n[[mcp.upstreams]]\nname = 'a'\ncommand = ['x']", "two upstreams"),
        ("upstream = 'a_b'\n[[mcp.upstreams]]\nname = 'a'\ncommand = ['x']", "has `_` in its name"),
        ("[[mcp.upstreams]]\nname = 'vak'\ncommand = ['x']", "cannot be called `vak`"),
        ("upstream = 'Skill'", "cannot be called `Skill`"),
        ("[[mcp.upstreams]]\nname = 'a'\ncommand = []", "neither a `command` nor a `url`"),
        ("[[mcp.upstreams]]\nname = 'a/b'\ncommand = ['x']", "name has the character '/'"),
    ];
    for (settings, part) in cases {
        let site = Site::new().section(&format!("[mcp]\nagent = 'ada'\n{settings}"));
        let error = Config::load(&site.config(), &[]).unwrap_err().to_string();
        assert!(error.contains(part), "{settings}: {error}");
    }
}
