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

/// Rules that can concern one operation.
#[derive(Debug)]
enum Bucket {
    /// The place of one.
    One(u32),
    /// The places of many, indexed once more, by resource.
    Many(Box<PatternIndex<u32>>),
}

/// Rules for one operation that are looked at without a second index, which
/// would take more memory than they do.
const FEW: usize = 16;

/// How far a rule applies to an action.
enum Applies {
    No,
    Yes,
    Unknown(String),
}

impl Configure for Rules {
    fn configure(text: &str) -> Result<Self, ConfigError> {
        let config = config::parse(text)?;
        let rules = &config.rules;
        let places = (0..).zip(rules);
        let by_operation: PatternIndex<_> = places.flat_map(|(at, rule)| each(&rule.operations, at)).collect();
        let by_operation = by_operation.grouped(FEW, Bucket::One, |places| {
            let by_resource = places.into_iter().flat_map(|at| each(&rules[at as usize].resources, at));
            Bucket::Many(Box::new(by_resource.collect()))
        });
        Ok(Self { summary: config.summary, rules: config.rules, by_operation })
    }
}

static ANYTHING: LazyLock<Pattern> = LazyLock::new(Pattern::anything);

/// The patterns of a list, each with `at`. An empty list means anything.
fn each(patterns: &[Pattern], at: u32) -> impl Iterator<Item = (&Pattern, u32)> {
    let patterns = match patterns {
        [] => std::slice::from_ref(&*ANYTHING),
        patterns => patterns,
    };
    patterns.iter().map(move |pattern| (pattern, at))
}

impl Bucket {
    fn candidates<'a>(&'a self, resource: &'a str) -> impl Iterator<Item = u32> + 'a {
        let (one, many) = match self {
            Self::One(at) => (Some(*at), None),
            Self::Many(by_resource) => (None, Some(by_resource.candidates(resource).copied())),
        };
        one.into_iter().chain(many.into_iter().flatten())
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
                rule: Some((*rule.id).to_owned()),
                reason: problem.unwrap_or_else(|| (*rule.reason).to_owned()),
                obligations: Vec::new(),
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
