//! A configuration text, TOML or JSON, and what is wrong with it.

mod condition;
mod earlier;
mod json;
mod node;
mod obligation;
mod rule;
mod test;
mod toml;

use std::hash::BuildHasher as _;

use rustc_hash::{FxBuildHasher, FxHashSet};
use vak_sdk::policy::ConfigError;

use self::node::{Data, Node, Problem};
pub(crate) use self::rule::Rule;

/// More rules than anybody writes by hand; a generated list that is longer
/// should be attributes and one rule. Bounds what installation costs.
pub(crate) const RULES_MAX: usize = 50_000;

/// Bytes of a text: as many rules as there may be, of 335 bytes each. Refused
/// before anything is read.
pub(crate) const CONFIG_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A checked configuration.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) summary: String,
    /// Whether reasons quote the values that mattered.
    pub(crate) quote_values: bool,
    pub(crate) rules: Vec<Rule>,
}

/// Reads and checks a configuration.
pub(crate) fn parse(text: &str) -> Result<Config, ConfigError> {
    if text.len() > CONFIG_BYTES_MAX {
        let message = format!(
            "the configuration has {} bytes; the most is {CONFIG_BYTES_MAX}, and {RULES_MAX} rules",
            text.len()
        );
        return Err(ConfigError { message, line: None, column: None });
    }
    let config = Config { summary: String::new(), quote_values: true, rules: Vec::new() };
    let mut reader = Reader { config, ids: FxHashSet::default(), lines: Lines { text, at: 0, line: 1 } };
    let read = match text.trim_start().starts_with('{') {
        true => json::read(text, |document| reader.document(document)),
        false => toml::read(text, |document| reader.document(document)),
    };
    read.map_err(|problem| located(text, problem))?;
    reader.config.rules.shrink_to_fit();
    Ok(reader.config)
}

struct Reader<'a> {
    config: Config,
    /// Hashes: a set of texts would be as large as the rules.
    ids: FxHashSet<u64>,
    lines: Lines<'a>,
}

impl Reader<'_> {
    /// Takes a document or a part of one.
    fn document(&mut self, document: Node<'_>) -> Result<(), Problem> {
        let mut document = document.table()?;
        // For editors, which find the schema by it.
        document.text("$schema")?;
        if let Some(summary) = document.take("summary") {
            self.config.summary = summary.text()?.into_owned();
        }
        if let Some(quote_values) = document.flag("quote_values")? {
            self.config.quote_values = quote_values;
        }
        match document.take("rule") {
            None => {}
            Some(Node { data: Data::List(rules), .. }) => rules.into_iter().try_for_each(|rule| self.rule(rule))?,
            Some(Node { at, .. }) => return Err(Problem::new(at, "`rule` is no list; write `[[rule]]`")),
        }
        document.finish(&["summary", "quote_values", "rule"])
    }

    fn rule(&mut self, node: Node<'_>) -> Result<(), Problem> {
        let at = node.at;
        if self.config.rules.len() == RULES_MAX {
            return Err(Problem::new(at, format!("more than {RULES_MAX} rules, which is the most")));
        }
        let (rule, id_at) = rule::read(node, self.lines.of(at))?;
        let rules = &mut self.config.rules;
        if !self.ids.insert(FxBuildHasher.hash_one(rule.id())) && rules.iter().any(|other| other.id() == rule.id()) {
            return Err(Problem::new(id_at, format!("the rule id `{}` stands twice; rename one", rule.id())));
        }
        rules.push(rule);
        Ok(())
    }
}

/// Counts lines once, as rules come in the order of the text.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u32,
}

impl Lines<'_> {
    fn of(&mut self, at: usize) -> u32 {
        let between = self.text.as_bytes().get(self.at..at).unwrap_or_default();
        self.line = self.line.saturating_add(number(between.iter().filter(|byte| **byte == b'\n').count()));
        self.at = self.at.max(at);
        self.line
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn located(text: &str, problem: Problem) -> ConfigError {
    // A reader may complain of a byte inside a character.
    let before = &text[..text.floor_char_boundary(problem.at)];
    ConfigError {
        message: problem.message,
        line: Some(number(before.matches('\n').count() + 1)),
        column: Some(number(before.rsplit('\n').next().unwrap_or("").chars().count() + 1)),
    }
}
