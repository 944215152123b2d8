//! Other rules while a session goes on.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::raw::Session;
use crate::site::{PERMIT_ALL, file_server, patient};

const FORBID_NOTES: &str = "[[rule]]\nid = 'all'\neffect = 'permit'\n\
                            [[rule]]\nid = 'no-notes'\neffect = 'forbid'\noperations = ['up/read_file']\n";

/// Asks again until the answer has `part` in it; switching takes a moment.
fn until(session: &mut Session, part: &str) -> String {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let (_, text) = session.call("read_file", &json!({ "path": "notes.txt" }));
        if text.contains(part) || Instant::now() > end {
            return text;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_hangup_brings_other_rules_and_bad_ones_leave_the_old() {
    let site = patient(PERMIT_ALL);
    let mut session = Session::start(&site, &file_server(&site));
    session.initialize();
    assert_eq!(session.call("read_file", &json!({ "path": "notes.txt" })), (false, "Buy milk.".to_owned()));
    let gateway = Pid::from_raw(i32::try_from(session.pid()).unwrap()).unwrap();
    let rules = |text: &str| {
        std::fs::write(site.path().join("rules.toml"), text).unwrap();
        kill_process(gateway, Signal::HUP).unwrap();
    };
    rules(FORBID_NOTES);
    assert!(until(&mut session, "no-notes").contains("denied by policy `rules`, rule `no-notes`"));
    // The host says so, and goes on with what it has.
    rules("[[rule]]\nid = 'half'\n");
    std::thread::sleep(Duration::from_millis(500));
    assert!(until(&mut session, "no-notes").contains("no-notes"));
    rules(PERMIT_ALL);
    assert_eq!(until(&mut session, "Buy milk."), "Buy milk.");
    let ended = session.finish();
    assert!(ended.stderr.contains("the configuration stays as it is"), "{}", ended.stderr);
}
