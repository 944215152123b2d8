//! The TOML text and what is wrong with it.

use serde_json::Value;
use vak_sdk::policy::{ConfigError, Effect};

use crate::condition::{Condition, Range, Test};
use crate::pattern::Pattern;

/// More rules than anybody writes by hand; a generated list that is longer
/// should be attributes and one rule. Bounds what installation costs.
pub(crate) const RULES_MAX: usize = 50_000;

/// A JSON pointer in a condition needs no more than this, and each of them is
/// walked on a call.
const CONDITIONS_MAX: usize = 32;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    summary: String,
    #[serde(default)]
    rule: Vec<toml::Spanned<RuleText>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    id: String,
    effect: EffectText,
    agents: Option<Vec<String>>,
    operations: Option<Vec<String>>,
    resources: Option<Vec<String>>,
    #[serde(default)]
    when: Vec<ConditionText>,
    #[serde(default)]
    reason: String,
}

#[derive(serde::Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum EffectText {
    Permit,
    Forbid,
    Escalate,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionText {
    argument: String,
    equals: Option<Value>,
    one_of: Option<Vec<Value>>,
    matches: Option<String>,
    within: Option<String>,
    at_least: Option<f64>,
    at_most: Option<f64>,
    #[serde(default)]
    not: bool,
    #[serde(default)]
    optional: bool,
}

/// A checked rule. An empty list of patterns means anything.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: Box<str>,
    pub(crate) effect: Effect,
    pub(crate) agents: Box<[Pattern]>,
    pub(crate) operations: Box<[Pattern]>,
    pub(crate) resources: Box<[Pattern]>,
    pub(crate) when: Box<[Condition]>,
    pub(crate) reason: Box<str>,
}

/// A checked configuration.
pub(crate) struct Config {
    pub(crate) summary: String,
    pub(crate) rules: Vec<Rule>,
}

/// Reads the configuration text.
///
/// Rule by rule, so that what a parser needs for one is free again before the
/// next: the memory of this instance is what every call starts from, and its
/// size is what the host has to look through after each. Where a piece cannot
/// be read by itself (a multi-line text can hold a line like `[[rule]]`), the
/// whole text is read at once, which gives the same rules or the same error.
pub(crate) fn parse(text: &str) -> Result<Config, ConfigError> {
    parse_pieces(text).map_or_else(|_| parse_pieces_of(text, [text]), Ok)
}

fn parse_pieces(text: &str) -> Result<Config, ConfigError> {
    let heads = text.match_indices("\n[[rule]]").map(|(at, _)| at + 1);
    let starts = std::iter::once(0).chain(heads.clone());
    let ends = heads.chain(std::iter::once(text.len()));
    parse_pieces_of(text, starts.zip(ends).map(|(start, end)| &text[start..end]))
}

/// Reads `pieces`, which together are `text`.
fn parse_pieces_of<'a>(text: &str, pieces: impl IntoIterator<Item = &'a str>) -> Result<Config, ConfigError> {
    let mut config = Config { summary: String::new(), rules: Vec::new() };
    let mut ids = rustc_hash::FxHashSet::default();
    let mut offset = 0;
    for piece in pieces {
        let document: Document = toml::from_str(piece).map_err(|error| {
            let at = error.span().map(|span| offset + span.start);
            located(text, at, error.message().to_owned())
        })?;
        if !document.summary.is_empty() {
            config.summary = document.summary;
        }
        for rule in document.rule {
            let at = Some(offset + rule.span().start);
            let rule = check(rule.into_inner()).map_err(|message| located(text, at, message))?;
            if !ids.insert(hash(&rule.id)) && config.rules.iter().any(|other| other.id == rule.id) {
                let message = format!("the rule id `{}` stands twice; rename one", rule.id);
                return Err(located(text, at, message));
            }
            if config.rules.len() == RULES_MAX {
                return Err(located(text, at, format!("more than {RULES_MAX} rules, which is the most")));
            }
            config.rules.push(rule);
        }
        offset += piece.len();
    }
    config.rules.shrink_to_fit();
    Ok(config)
}

/// Ids are compared by hash first: a set of texts would be as large as the rules.
fn hash(id: &str) -> u64 {
    use std::hash::BuildHasher as _;

    rustc_hash::FxBuildHasher.hash_one(id)
}

fn located(text: &str, at: Option<usize>, message: String) -> ConfigError {
    let before = at.and_then(|at| text.get(..at));
    let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
    ConfigError {
        message,
        line: before.map(|before| number(before.matches('\n').count())),
        column: before.map(|before| number(before.rsplit('\n').next().unwrap_or("").chars().count())),
    }
}

fn check(rule: RuleText) -> Result<Rule, String> {
    let id = rule.id;
    if id.is_empty() {
        return Err("a rule has an empty `id`".to_owned());
    }
    let within = |message: String| format!("rule `{id}`: {message}");
    if rule.when.len() > CONDITIONS_MAX {
        return Err(within(format!("{} conditions; the most is {CONDITIONS_MAX}", rule.when.len())));
    }
    let patterns = |field: &str, globs: Option<Vec<String>>| match globs {
        None => Ok(Box::default()),
        // An empty list reads as "none" to some and as "any" to others.
        Some(globs) if globs.is_empty() => Err(within(format!("`{field}` is empty; leave it out to mean any"))),
        Some(globs) => globs.iter().map(|glob| Pattern::parse(glob).map_err(within)).collect(),
    };
    Ok(Rule {
        effect: match rule.effect {
            EffectText::Permit => Effect::Permit,
            EffectText::Forbid => Effect::Forbid,
            EffectText::Escalate => Effect::Escalate,
        },
        agents: patterns("agents", rule.agents)?,
        operations: patterns("operations", rule.operations)?,
        resources: patterns("resources", rule.resources)?,
        when: rule.when.into_iter().map(condition).collect::<Result<_, _>>().map_err(within)?,
        reason: rule.reason.into(),
        id: id.into(),
    })
}

fn condition(text: ConditionText) -> Result<Condition, String> {
    let pointer = text.argument;
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return Err(format!("`argument = \"{pointer}\"` is no JSON pointer; write `/{pointer}`"));
    }
    let range = (text.at_least.is_some() || text.at_most.is_some())
        .then(|| Test::Range(Box::new(Range { at_least: text.at_least, at_most: text.at_most })));
    let tests = [
        text.equals.map(|value| Ok(Test::OneOf([value].into()))),
        text.one_of.map(|values| Ok(Test::OneOf(values.into()))),
        text.matches.map(|glob| Pattern::parse(&glob).map(Test::Matches)),
        text.within.map(within),
        range.map(Ok),
    ];
    let mut tests = tests.into_iter().flatten();
    match (tests.next(), tests.next()) {
        (Some(test), None) => {
            Ok(Condition { pointer: pointer.into(), test: test?, negated: text.not, optional: text.optional })
        }
        _ => Err(format!(
            "the condition on `{pointer}` needs exactly one of `equals`, `one_of`, `matches`, `within`, `at_least`/`at_most`"
        )),
    }
}

fn within(folder: String) -> Result<Test, String> {
    let plain = folder.split('/').all(|segment| segment != "." && segment != "..");
    match folder.starts_with('/') && plain {
        true => Ok(Test::Within(folder.into())),
        false => Err(format!("`within = \"{folder}\"` must be an absolute path without `.` and `..`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_read_like_the_whole() {
        let text = "summary = 'S'\n[[rule]]\nid = 'a'\neffect = 'permit'\nreason = \'\'\'\n[[rule]]\n\'\'\'\n\
                    [[rule.when]]\nargument = '/x'\nequals = 1\n[[rule]]\nid = 'b'\neffect = 'forbid'\n";
        let config = parse(text).unwrap_or_else(|error| panic!("{}", error.message));
        let ids: Vec<_> = config.rules.iter().map(|rule| &*rule.id).collect();
        assert_eq!((&*config.summary, ids), ("S", vec!["a", "b"]));
        assert_eq!((&*config.rules[0].reason, config.rules[0].when.len()), ("[[rule]]\n", 1));
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let rule = "[[rule]]\nid = \"a\"\neffect = \"permit\"\n";
        let cases = [
            ("[[rule]]\nid = \"a\"\n".to_owned(), 1, "missing field `effect`"),
            (format!("{rule}operatons = []\n"), 4, "unknown field `operatons`"),
            (format!("{rule}operations = []\n"), 1, "`operations` is empty"),
            (format!("{rule}when = [{{ argument = \"path\", equals = 1 }}]\n"), 1, "write `/path`"),
            (format!("{rule}when = [{{ argument = \"/p\" }}]\n"), 1, "needs exactly one of"),
            (format!("{rule}when = [{{ argument = \"/p\", within = \"a\" }}]\n"), 1, "must be an absolute path"),
            (format!("{rule}reason = \"\"\"\n[[rule]]\n\"\"\"\nx = 1\n"), 7, "unknown field `x`"),
            (format!("{rule}\n{rule}"), 5, "the rule id `a` stands twice"),
            ("x = [".to_owned(), 1, "unclosed array"),
        ];
        for (text, line, part) in cases {
            let error = parse(&text).err().unwrap_or_else(|| panic!("took {text}"));
            assert!(error.message.contains(part), "{text}: {}", error.message);
            assert_eq!(error.line, Some(line), "{text}");
        }
    }
}
