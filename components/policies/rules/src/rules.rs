//! The rules of one configuration, ready to be asked.

use std::sync::LazyLock;

use vak_sdk::policy::{Action, ConfigError, Configure, Description, Effect, Finding, JudgeError, Policy};

use crate::condition::{Arguments, Unknown};
use crate::config::{self, Rule};
use crate::index::PatternIndex;
use crate::pattern::Pattern;

/// Checked rules and the index over them.
pub struct Rules {
    summary: String,
    rules: Vec<Rule>,
    by_operation: PatternIndex<Bucket>,
}

/// The rules that can concern one operation, by their places.
enum Bucket {
    Few(Vec<u32>),
    /// Indexed once more, by resource.
    Many(PatternIndex<Vec<u32>>),
}

/// Rules for one operation that are looked at without a second index, which
/// would take more memory than they do.
const FEW: usize = 16;

impl Default for Bucket {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

/// How far a rule applies to an action.
enum Applies {
    No,
    Yes,
    Unknown(String),
}

impl Configure for Rules {
    fn configure(text: &str) -> Result<Self, ConfigError> {
        let config = config::parse(text)?;
        let mut by_operation = PatternIndex::<Bucket>::default();
        for (at, rule) in (0..).zip(&config.rules) {
            for operation in or_anything(&rule.operations) {
                by_operation.entry(operation).push(at, &config.rules);
            }
        }
        Ok(Self { summary: config.summary, rules: config.rules, by_operation })
    }
}

static ANYTHING: LazyLock<Pattern> = LazyLock::new(Pattern::anything);

/// The patterns of a list, where an empty one means anything.
fn or_anything(patterns: &[Pattern]) -> &[Pattern] {
    match patterns {
        [] => std::slice::from_ref(&*ANYTHING),
        patterns => patterns,
    }
}

impl Bucket {
    fn push(&mut self, at: u32, rules: &[Rule]) {
        match self {
            Self::Few(places) if places.len() < FEW => places.push(at),
            Self::Few(places) => {
                let mut by_resource = PatternIndex::default();
                for at in places.drain(..).chain([at]) {
                    insert(&mut by_resource, at, rules);
                }
                *self = Self::Many(by_resource);
            }
            Self::Many(by_resource) => insert(by_resource, at, rules),
        }
    }

    fn candidates<'a>(&'a self, resource: &'a str) -> impl Iterator<Item = u32> + 'a {
        let (few, many) = match self {
            Self::Few(places) => (Some(places), None),
            Self::Many(by_resource) => (None, Some(by_resource.candidates(resource))),
        };
        few.into_iter().chain(many.into_iter().flatten()).flatten().copied()
    }
}

fn insert(by_resource: &mut PatternIndex<Vec<u32>>, at: u32, rules: &[Rule]) {
    for resource in or_anything(&rules[at as usize].resources) {
        by_resource.entry(resource).push(at);
    }
}

impl Policy for Rules {
    fn evaluate(&self, action: &Action) -> Result<Finding, JudgeError> {
        let arguments = Arguments::new(&action.arguments);
        // Strictest effect first, then the order of the text: which rule is
        // named does not depend on how the index is walked.
        let mut best: Option<(Effect, u32, Option<String>)> = None;
        for at in self.candidates(action) {
            let rule = &self.rules[at as usize];
            let (effect, problem) = match rule.applies(action, &arguments) {
                Applies::No => continue,
                Applies::Unknown(_) if rule.effect == Effect::Permit => continue,
                Applies::Unknown(problem) => (Effect::Forbid, Some(problem)),
                Applies::Yes => (rule.effect, None),
            };
            let stricter = best
                .as_ref()
                .is_none_or(|(other, other_at, _)| (strictness(effect), *other_at) > (strictness(*other), at));
            if stricter {
                best = Some((effect, at, problem));
            }
        }
        Ok(best.map_or_else(Finding::abstain, |(effect, at, problem)| {
            let rule = &self.rules[at as usize];
            Finding {
                effect,
                rule: Some(rule.id.to_string()),
                reason: problem.unwrap_or_else(|| rule.reason.to_string()),
            }
        }))
    }

    fn describe(&self) -> Description {
        let description = Description::of(self.summary.clone());
        self.rules.iter().fold(description, |description, rule| description.rule(&*rule.id, rule.effect, &*rule.reason))
    }
}

fn strictness(effect: Effect) -> u8 {
    match effect {
        Effect::Abstain => 0,
        Effect::Permit => 1,
        Effect::Escalate => 2,
        Effect::Forbid => 3,
    }
}

impl Rules {
    fn candidates<'a>(&'a self, action: &'a Action) -> impl Iterator<Item = u32> + 'a {
        self.by_operation.candidates(&action.operation).flat_map(|bucket| bucket.candidates(&action.resource))
    }
}

impl Rule {
    fn applies(&self, action: &Action, arguments: &Arguments<'_>) -> Applies {
        let any = |patterns: &[Pattern], text: &str| {
            patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(text))
        };
        let named = any(&self.operations, &action.operation)
            && any(&self.resources, &action.resource)
            && any(&self.agents, &action.agent);
        if !named {
            return Applies::No;
        }
        // One false condition settles it, even beside one that is unknown.
        let mut unknown: Option<(&str, Unknown)> = None;
        for condition in &self.when {
            match condition.holds(arguments) {
                Ok(true) => {}
                Ok(false) => return Applies::No,
                Err(why) => unknown = unknown.or(Some((&condition.pointer, why))),
            }
        }
        unknown.map_or(Applies::Yes, |(pointer, why)| Applies::Unknown(why.describe(pointer)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        [[rule]]
        id = "read"
        effect = "permit"
        operations = ["files/read_*"]
        when = [{ argument = "/path", within = "/work" }]

        [[rule]]
        id = "no-env"
        effect = "forbid"
        operations = ["files/*"]
        reason = "secrets stay"
        when = [{ argument = "/path", matches = "**/.env" }]

        [[rule]]
        id = "ask-root"
        effect = "escalate"
        agents = ["root"]
        operations = ["files/**"]
    "#;

    fn ask(agent: &str, operation: &str, arguments: &str) -> (Effect, Option<String>) {
        let action = Action {
            id: "a".into(),
            session: "s".into(),
            agent: agent.into(),
            operation: operation.into(),
            resource: "r".into(),
            arguments: arguments.into(),
            attributes: Vec::new(),
            labels: Vec::new(),
            time_ns: 0,
        };
        let rules = Rules::configure(TEXT).unwrap_or_else(|error| panic!("{}", error.message));
        let finding = rules.evaluate(&action).unwrap();
        (finding.effect, finding.rule)
    }

    #[test]
    fn joins_rules() {
        let cases = [
            ("ada", "files/read_file", r#"{"path":"/work/a"}"#, Effect::Permit, Some("read")),
            ("ada", "files/read_file", r#"{"path":"/work/.env"}"#, Effect::Forbid, Some("no-env")),
            ("root", "files/read_file", r#"{"path":"/work/a"}"#, Effect::Escalate, Some("ask-root")),
            ("root", "files/read_file", r#"{"path":"/work/.env"}"#, Effect::Forbid, Some("no-env")),
            ("ada", "files/read_file", r#"{"path":"/etc/passwd"}"#, Effect::Abstain, None),
            ("ada", "net/get", "{}", Effect::Abstain, None),
            // A forbid that cannot be evaluated forbids.
            ("ada", "files/read_file", "{}", Effect::Forbid, Some("no-env")),
            ("ada", "files/read_file", r#"{"path":7}"#, Effect::Forbid, Some("no-env")),
            ("ada", "files/read_file", "nonsense", Effect::Forbid, Some("no-env")),
        ];
        for (agent, operation, arguments, effect, rule) in cases {
            let expected = (effect, rule.map(str::to_owned));
            assert_eq!(ask(agent, operation, arguments), expected, "{agent} {operation} {arguments}");
        }
    }
}
