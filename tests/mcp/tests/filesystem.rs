//! The reference file system server, as it is published, as the upstream.

use std::ffi::OsString;

use serde_json::json;
use vak_audit::Status;
use vak_test_support::Site;

use crate::log::recorded;
use crate::raw::Session;
use crate::site::{files, installed, patient};

/// Reading below `work` is permitted, writing is not. The server takes
/// absolute paths.
pub(crate) fn governed() -> (Site, Vec<OsString>) {
    let site = patient("");
    let files = files(&site);
    let rules = format!(
        "[[rule]]\nid = 'read'\neffect = 'permit'\noperations = ['up/{{read_text_file,list_directory}}']\n\
         when = [{{ argument = '/path', within = '{}' }}]\n\
         [[rule]]\nid = 'read-only'\neffect = 'forbid'\noperations = ['up/write_file']\nreason = 'look, but do not touch'\n\
         [[rule]]\nid = 'calculate'\neffect = 'permit'\noperations = ['skill/*']\n",
        files.display()
    );
    std::fs::write(site.path().join("rules.toml"), rules).unwrap();
    let server = installed("npm/node_modules/@modelcontextprotocol/server-filesystem/dist/index.js");
    (site, vec!["node".into(), server.into(), files.into()])
}

#[test]
fn the_reference_server_is_governed() {
    let (site, upstream) = governed();
    let file = |name: &str| site.path().canonicalize().unwrap().join("files").join(name);
    let mut session = Session::start(&site, &upstream);
    let tools = session.tools().unwrap();
    for tool in ["read_text_file", "list_directory", "vak_calculator"] {
        assert!(tools.iter().any(|name| name == tool), "{tool} is not among {tools:?}");
    }
    // Forbidden whatever its arguments: not listed, and denied below all the same.
    assert!(!tools.iter().any(|name| name == "write_file"), "{tools:?}");
    let read = session.call("read_text_file", &json!({ "path": file("notes.txt") }));
    assert_eq!(read, (false, "Buy milk.".to_owned()));
    let (refused, why) = session.call("write_file", &json!({ "path": file("notes.txt"), "content": "x" }));
    assert!(refused);
    assert_eq!(why, "denied by policy `rules`, rule `read-only`: look, but do not touch");
    let (refused, why) = session.call("read_text_file", &json!({ "path": file("../log.key") }));
    assert!(refused && why.contains("no policy permits"), "{why}");
    let (failed, why) = session.call("read_text_file", &json!({ "path": file("missing.txt") }));
    assert!(failed && why.contains("missing.txt"), "{why}");
    let ended = session.finish();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);

    assert_eq!(std::fs::read_to_string(file("notes.txt")).unwrap(), "Buy milk.");
    let recorded = recorded(&site);
    let statuses: Vec<_> = recorded.iter().map(|recorded| recorded.told().2).collect();
    assert_eq!(statuses, [Some(Status::Succeeded), None, None, Some(Status::Failed)]);
}
