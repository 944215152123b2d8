//! Rules that say the same in the language of every engine.
//!
//! Each is for the agents of a team, for one operation and for paths with a
//! prefix. One in ten forbids, and does so to the operation that the rule before
//! it permits. A forbid outweighs a permit, and what nobody permits is denied.

/// The agents that every rule is for.
pub const TEAM: [&str; 3] = ["ada", "bob", "eve"];

/// What a rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The action may happen.
    Permit,
    /// It must not.
    Forbid,
}

/// For agents of [`TEAM`] who want `operation` on a path below `folder`.
#[derive(Debug)]
pub struct Rule {
    /// Unique.
    pub id: String,
    /// What it says if it applies.
    pub effect: Effect,
    /// The one operation it is about.
    pub operation: String,
    /// What the argument `path` starts with.
    pub folder: String,
}

/// An action as engines are given it, and what they have to answer.
#[derive(Debug)]
pub struct Asked {
    /// Who.
    pub agent: &'static str,
    /// What.
    pub operation: String,
    /// 500 bytes of JSON.
    pub arguments: String,
    /// Whether it may happen.
    pub allowed: bool,
}

/// So many rules, a multiple of ten.
pub fn rules(count: usize) -> Vec<Rule> {
    let rule = |number: usize| {
        let (effect, tool, below) = match number % 10 {
            9 => (Effect::Forbid, number - 1, "secret/"),
            _ => (Effect::Permit, number, ""),
        };
        let (operation, folder) = (operation(tool), format!("/work/{tool}/{below}"));
        Rule { id: format!("rule-{number}"), effect, operation, folder }
    };
    (0..count).map(rule).collect()
}

/// Actions for so many rules. The first is the one to measure: the last but one
/// rule permits it, and the last looks at it and does not apply.
pub fn asked(count: usize) -> Vec<Asked> {
    let late = count - 2;
    let of_late = |rest: &str| format!("/work/{late}/{rest}");
    let cases = [
        ("bob", late, of_late("src/lib.rs"), true),
        ("eve", 0, "/work/0/a".to_owned(), true),
        // Forbidden.
        ("bob", late, of_late("secret/key"), false),
        // Permitted by nobody: the path, the agent, the operation.
        ("bob", late, "/work/x".to_owned(), false),
        ("mallory", late, of_late("src/lib.rs"), false),
        ("bob", count, format!("/work/{count}/src/lib.rs"), false),
        ("bob", 0, of_late("src/lib.rs"), false),
    ];
    let asked = |(agent, tool, path, allowed): (_, _, String, _)| Asked {
        agent,
        operation: operation(tool),
        arguments: arguments(&path),
        allowed,
    };
    cases.map(asked).into()
}

fn operation(tool: usize) -> String {
    format!("tools/tool_{tool}")
}

fn arguments(path: &str) -> String {
    let with = |content: &str| format!(r#"{{"content":"{content}","count":3,"mode":"append","path":"{path}"}}"#);
    let padding = 500 - with("").len();
    with(&"lorem ipsum ".repeat(50)[..padding])
}
