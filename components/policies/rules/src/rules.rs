//! The rules of one configuration, ready to be asked.

use vak_sdk::policy::{Action, ConfigError, Configure, Description, Effect, Finding, JudgeError, Policy};

use crate::condition::{self, Condition, Unknown};
use crate::config::{self, Config, Rule};
use crate::earlier::{Host, Past};
use crate::explain::Explanation;
use crate::fact::Facts;
use crate::lint;
use crate::lookup::{Lookup, Names};
use crate::obligation;
use crate::pattern;

/// Checked rules and the index over them.
#[derive(Debug)]
pub struct Rules {
    summary: String,
    pub(crate) quote_values: bool,
    pub(crate) rules: Vec<Rule>,
    pub(crate) lookup: Lookup,
    warnings: Vec<String>,
    asks_for_session: bool,
}

/// How far a rule applies to an action.
enum Applies<'r> {
    No,
    Yes,
    Unknown(Unknown<'r>),
}

/// The rule that decides so far: the strictest effect, then the first in the
/// order of the text. Which one is named does not depend on how the index is
/// walked.
struct Best<'r> {
    effect: Effect,
    place: u32,
    unknown: Option<Unknown<'r>>,
}

impl Configure for Rules {
    fn configure(text: &str) -> Result<Self, ConfigError> {
        let Config { summary, quote_values, rules } = config::parse(text)?;
        // First, so that what it needs meanwhile is there for the index.
        let warnings = lint::warnings(&rules);
        let lookup = Lookup::new(&rules, |_| true);
        let asks_for_session = rules.iter().flat_map(|rule| &*rule.when).any(Condition::is_on_session);
        Ok(Self { summary, quote_values, rules, lookup, warnings, asks_for_session })
    }
}

impl Policy for Rules {
    fn evaluate(&self, action: &Action) -> Result<Finding, JudgeError> {
        Ok(self.judge(action, &Host))
    }

    fn describe(&self) -> Description {
        let mut description = Description::of(self.summary.clone());
        description.session = self.asks_for_session;
        description.warnings = self.warnings.clone();
        self.rules
            .iter()
            .fold(description, |description, rule| description.rule(rule.id(), rule.effect, rule.summary()))
    }

    fn asks_for_session(&self) -> bool {
        self.asks_for_session
    }
}

/// Which of several effects outweighs the others.
pub(crate) fn strictness(effect: Effect) -> u8 {
    match effect {
        Effect::Abstain => 0,
        Effect::Permit => 1,
        Effect::Escalate => 2,
        Effect::Forbid => 3,
    }
}

impl Rules {
    /// What the rules say of an action whose session did this before.
    pub fn judge(&self, action: &Action, past: &dyn Past) -> Finding {
        let facts = Facts::new(action, past);
        let mut best: Option<Best<'_>> = None;
        let mut obliging = Vec::new();
        let names = Names { operation: &action.operation, resource: &action.resource, agent: &action.agent };
        self.lookup.candidates(&names, &mut |place| {
            let rule = self.rule(place);
            let (effect, unknown) = match rule.applies(&facts) {
                Applies::No => return,
                Applies::Unknown(_) if rule.effect == Effect::Permit => return,
                Applies::Unknown(unknown) => (Effect::Forbid, Some(unknown)),
                Applies::Yes => (rule.effect, None),
            };
            if !rule.obligations().is_empty() {
                obliging.push(place);
            }
            let decides =
                best.as_ref().is_none_or(|other| (strictness(effect), other.place) > (strictness(other.effect), place));
            if decides {
                best = Some(Best { effect, place, unknown });
            }
        });
        best.map_or_else(Finding::abstain, |best| self.finding(&best, obliging, &facts))
    }

    pub(crate) fn rule(&self, place: u32) -> &Rule {
        &self.rules[place as usize]
    }

    fn finding(&self, best: &Best<'_>, mut obliging: Vec<u32>, facts: &Facts<'_>) -> Finding {
        let rule = self.rule(best.place);
        let reason = match &best.unknown {
            Some(unknown) => unknown.describe(),
            None => {
                let mut explanation = Explanation::new(rule.reason(), self.quote_values);
                explanation.add(&rule.when, facts);
                explanation.finish()
            }
        };
        let mut obligations = Vec::new();
        // Nobody has to do anything about what does not happen.
        if best.effect != Effect::Forbid {
            obliging.sort_unstable();
            let rules = obliging.into_iter().map(|place| self.rule(place));
            rules.flat_map(Rule::obligations).for_each(|each| obligation::join(&mut obligations, each));
        }
        Finding { effect: best.effect, rule: Some(rule.id().to_owned()), reason, obligations }
    }
}

impl Rule {
    /// What it is for, and where it stands.
    fn summary(&self) -> String {
        match self.reason() {
            "" => format!("line {}", self.line),
            reason => format!("{reason} (line {})", self.line),
        }
    }

    fn applies(&self, facts: &Facts<'_>) -> Applies<'_> {
        let action = facts.action;
        let names = Names { operation: &action.operation, resource: &action.resource, agent: &action.agent };
        if !self.names(&names) {
            return Applies::No;
        }
        let role = self.has_role(facts);
        // One part that is false settles it, even beside one that is unknown.
        match (role, condition::all(&self.when, facts)) {
            (Ok(false), _) | (_, Ok(false)) => Applies::No,
            (Err(unknown), _) | (_, Err(unknown)) => Applies::Unknown(unknown),
            (Ok(true), Ok(true)) => Applies::Yes,
        }
    }

    /// Whether it is about an action with these names.
    pub(crate) fn names(&self, names: &Names<'_>) -> bool {
        pattern::any(&self.operations, names.operation)
            && pattern::any(&self.resources, names.resource)
            && pattern::any(&self.agents, names.agent)
    }

    /// Whether the action has a role that it wants, if it wants one.
    pub(crate) fn has_role(&self, facts: &Facts<'_>) -> Result<bool, Unknown<'static>> {
        match self.roles().is_empty() {
            true => Ok(true),
            false => condition::has_role(self.roles(), facts),
        }
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
