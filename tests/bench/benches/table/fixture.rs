//! Rules and actions that are measured.

use std::fmt::Write as _;

use vak_types::{Action, ActionRequest, Timestamp};

/// Rules of the measured policy: four that concern the measured operation and
/// look into its arguments, the others for other tools.
pub(crate) fn rules(count: usize) -> String {
    let mut text = String::from(
        r#"
[[rule]]
id = "work"
effect = "permit"
operations = ["files/*"]
when = [{ argument = "/path", within = "/work" }]
[[rule]]
id = "no-secrets"
effect = "forbid"
operations = ["files/*"]
when = [{ argument = "/path", matches = "**/.env*" }]
[[rule]]
id = "not-too-much"
effect = "forbid"
operations = ["files/write_file"]
when = [{ argument = "/mode", equals = "append" }, { argument = "/count", at_least = 1000 }]
[[rule]]
id = "ask-root"
effect = "escalate"
agents = ["root"]
operations = ["files/**"]
"#,
    );
    for number in 4..count {
        let effect = ["permit", "forbid", "escalate"][number % 3];
        write!(
            text,
            "[[rule]]\nid = \"tool-{number}\"\neffect = \"{effect}\"\noperations = [\"tool-{number}/run\"]\n\
             when = [{{ argument = \"/target\", matches = \"host-{number}.*\" }}]\n"
        )
        .unwrap();
    }
    text
}

/// An action with 500 bytes of arguments that the measured rules permit.
pub(crate) fn request() -> ActionRequest {
    let arguments =
        |content: &str| format!(r#"{{"content":"{content}","count":3,"mode":"append","path":"/work/src/lib.rs"}}"#);
    let padding = 500 - arguments("").len();
    let arguments = arguments(&"lorem ipsum ".repeat(50)[..padding]);
    assert_eq!(arguments.len(), 500);
    let request = format!(
        r#"{{"agent": "bench", "session": "s-1", "operation": "files/write_file",
             "resource": "mcp:files/write_file", "arguments": {arguments}}}"#
    );
    serde_json::from_str(&request).unwrap()
}

/// The same with an id and a time.
pub(crate) fn action() -> Action {
    request().at("bench-1".parse().unwrap(), Timestamp::from_nanos(1_700_000_000_000_000_000))
}
