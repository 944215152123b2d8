//! What a call costs without a host, in nanoseconds, by the number of rules and
//! by what tells them apart: `cargo run --release --example speed`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use vak_policy_rules::Rules;
use vak_sdk::policy::{Action, Configure as _, Effect, Policy as _};

/// Four rules that concern the measured action.
const CONCERNED: &str = r#"
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
"#;

/// Patterns of the other rules, with `#` for a number.
const APART: &[(&str, &str)] = &[
    ("operation", "operations = ['tool-#/run']"),
    ("operation prefix", "operations = ['tool-#/*']"),
    ("resource", "operations = ['files/write_file']\nresources = ['mcp:other-#']"),
    ("resource prefix", "resources = ['mcp:other-#/**']"),
    ("agent", "operations = ['files/**']\nagents = ['agent-#']"),
    ("agent alone", "agents = ['agent-#']"),
    ("expression", "operations = ['re:tool-#/(run|stop)']"),
];

fn main() {
    println!("{:16} {:>8} {:>8} {:>8}", "apart by", 20, 1_000, 10_000);
    for (name, patterns) in APART {
        let [few, many, most] = [20, 1_000, 10_000].map(|count| nanoseconds(&rules(count, patterns)));
        println!("{name:16} {few:8} {many:8} {most:8}");
    }
}

fn rules(count: usize, patterns: &str) -> String {
    let mut text = CONCERNED.to_owned();
    for number in 4..count {
        let effect = ["permit", "forbid", "escalate"][number % 3];
        let patterns = patterns.replace('#', &number.to_string());
        let when = format!("when = [{{ argument = '/target', matches = 'host-{number}.*' }}]");
        if let Err(error) = writeln!(text, "[[rule]]\nid = 'tool-{number}'\neffect = '{effect}'\n{patterns}\n{when}") {
            panic!("{error}");
        }
    }
    text
}

/// The median of many rounds.
fn nanoseconds(text: &str) -> u128 {
    const CALLS: u32 = 1_000;
    let rules = Rules::configure(text).unwrap_or_else(|error| panic!("{}", error.message));
    let action = action();
    let mut rounds: Vec<_> = (0..200)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..CALLS {
                match rules.evaluate(black_box(&action)) {
                    Ok(finding) if finding.effect == Effect::Permit => drop(black_box(finding)),
                    finding => panic!("{finding:?}"),
                }
            }
            start.elapsed() / CALLS
        })
        .collect();
    rounds.sort_unstable();
    rounds.get(100).map_or(0, Duration::as_nanos)
}

/// With 500 bytes of arguments.
fn action() -> Action {
    let content = "lorem ipsum ".repeat(50);
    let arguments =
        |content: &str| format!(r#"{{"content":"{content}","count":3,"mode":"append","path":"/work/src/lib.rs"}}"#);
    let arguments = arguments(&content[..500 - arguments("").len()]);
    Action {
        id: "bench-1".to_owned(),
        session: "s-1".to_owned(),
        agent: "bench".to_owned(),
        operation: "files/write_file".to_owned(),
        resource: "mcp:files/write_file".to_owned(),
        arguments,
        attributes: Vec::new(),
        labels: Vec::new(),
        time_ns: 1_700_000_000_000_000_000,
    }
}
