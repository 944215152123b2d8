//! Tests, each checked against the type of what it tests.

use semver::VersionReq;

use super::condition::{Budget, operand};
use super::node::{Data, Key, Node, Problem, Table, listed};
use crate::fact::Source;
use crate::network::Network;
use crate::pattern::Pattern;
use crate::test::{Bound, Item, Length, Range, Test};
use crate::tree::{self, Tree};

/// What is known of a fact's type when the configuration is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Anything,
    Text,
    Texts,
}

impl Type {
    pub(super) fn of(source: Source) -> Self {
        match source {
            Source::Argument | Source::Attribute => Self::Anything,
            Source::Agent | Source::Session | Source::Operation | Source::Resource => Self::Text,
            Source::Labels => Self::Texts,
            Source::Earlier => Self::Anything,
        }
    }
}

/// Fields of a condition beside its test.
const OTHERS: &[&str] = &["argument", "attribute", "action", "not", "optional"];

const TESTS: &[&str] = &[
    "equals",
    "one_of",
    "same_as",
    "present",
    "matches",
    "regex",
    "within",
    "starts_with",
    "ends_with",
    "contains",
    "at_least",
    "at_most",
    "more_than",
    "less_than",
    "length_at_least",
    "length_at_most",
    "in_network",
    "version",
    "any_item",
    "all_items",
];

const RANGE: &[&str] = &["at_least", "at_most", "more_than", "less_than"];
const LENGTH: &[&str] = &["length_at_least", "length_at_most"];

/// Fields of a condition on a fact.
pub(super) fn fields() -> Vec<&'static str> {
    [OTHERS, TESTS].concat()
}

/// Takes the one test out of the table of a condition on `named`.
pub(super) fn read(table: &mut Table<'_>, tested: Type, named: &str, budget: &mut Budget) -> Result<Test, Problem> {
    let names: Vec<_> = TESTS.iter().copied().filter(|test| table.names().any(|name| name == *test)).collect();
    let all_in = |group: &[&str]| names.iter().all(|name| group.contains(name));
    match names[..] {
        [_, ..] if all_in(RANGE) => {
            fits(table, &names, tested == Type::Anything, "a number")?;
            range(table).map(|range| Test::Range(Box::new(range)))
        }
        [_, ..] if all_in(LENGTH) => length(table),
        [name] => {
            let (suited, wanted) = match tested {
                Type::Anything => (true, "anything"),
                Type::Text => (!matches!(name, "present" | "any_item" | "all_items"), "something else than a text"),
                Type::Texts => (
                    matches!(name, "contains" | "same_as" | "any_item" | "all_items"),
                    "something else than a list of texts",
                ),
            };
            fits(table, &names, suited, wanted)?;
            single(name, table.need(name)?, tested, budget)
        }
        // What is unknown is more likely a slip of the pen than too much.
        _ if table.names().any(|name| !fields().contains(&name)) => Err(table.unknown(&fields())),
        _ => Err(Problem::new(table.at, format!("the condition on {named} needs exactly one of {}", listed(TESTS)))),
    }
}

fn fits(table: &Table<'_>, names: &[&str], fits: bool, wanted: &str) -> Result<(), Problem> {
    match fits {
        true => Ok(()),
        false => Err(Problem::new(table.place(names), format!("{} tests {wanted}, which this is not", listed(names)))),
    }
}

/// A test that is one field.
fn single(name: &str, node: Node<'_>, tested: Type, budget: &mut Budget) -> Result<Test, Problem> {
    let text = |node: Node<'_>| {
        node.parse(|text| match text {
            "" => Err("the text is empty, so every text passes".to_owned()),
            text => Ok(Box::<str>::from(text)),
        })
    };
    Ok(match name {
        "equals" => Test::OneOf([value(node, tested)?].into()),
        "one_of" => Test::OneOf(node.each(|node| value(node, tested))?),
        "same_as" => Test::SameAs(Box::new(other(node)?)),
        "present" => Test::Present(node.bool()?),
        "matches" => Test::Matches(node.parse(Pattern::parse)?),
        "regex" => Test::Matches(node.parse(Pattern::regex)?),
        "within" => Test::Within(node.parse(within)?),
        "starts_with" => Test::StartsWith(text(node)?),
        "ends_with" => Test::EndsWith(text(node)?),
        "contains" => match node.data {
            Data::Text(_) => Test::Contains(Box::new(Tree::Text(text(node)?.into_string().into()))),
            _ => Test::Contains(Box::new(value(node, if tested == Type::Texts { Type::Text } else { tested })?)),
        },
        "in_network" => Test::InNetwork(node.listed().each(|node| node.parse(Network::parse))?),
        "version" => Test::Version(Box::new(node.parse(|text| {
            VersionReq::parse(text).map_err(|error| format!("`{text}` is no version requirement: {error}"))
        })?)),
        "any_item" => Test::AnyItem(Box::new(item(node, tested, budget)?)),
        "all_items" => Test::AllItems(Box::new(item(node, tested, budget)?)),
        _ => return Err(Problem::new(node.at, format!("`{name}` is no test"))),
    })
}

fn item(node: Node<'_>, tested: Type, budget: &mut Budget) -> Result<Item, Problem> {
    budget.within(node.at, |budget| {
        let mut table = node.table()?;
        let negated = table.flag("not")?.unwrap_or(false);
        let tested = if tested == Type::Texts { Type::Text } else { tested };
        if table.names().any(|name| name == "present") {
            return Err(Problem::new(table.at, "an item is always present"));
        }
        let test = read(&mut table, tested, "an item", budget)?;
        table.finish(TESTS)?;
        Ok(Item { test, negated })
    })
}

/// Takes the range that a number of actions is to be in out of a table.
pub(super) fn count(table: &mut Table<'_>) -> Result<Range, Problem> {
    let bounded = table.names().any(|name| RANGE.contains(&name));
    match bounded {
        true => range(table),
        false => Err(Problem::new(table.at, format!("the number of earlier actions needs one of {}", listed(RANGE)))),
    }
}

fn range(table: &mut Table<'_>) -> Result<Range, Problem> {
    let mut side = |inclusive: &str, exclusive: &str| match (table.take(inclusive), table.take(exclusive)) {
        (Some(_), Some(node)) => {
            Err(Problem::new(node.at, format!("`{exclusive}` beside `{inclusive}`; leave one out")))
        }
        (Some(node), None) => Ok(Some((bound(node)?, true))),
        (None, Some(node)) => Ok(Some((bound(node)?, false))),
        (None, None) => Ok(None),
    };
    let (least, most) = (side("at_least", "more_than")?, side("at_most", "less_than")?);
    if let (Some((Bound::Number(least), one)), Some((Bound::Number(most), other))) = (&least, &most) {
        let order = least.compare(*most);
        if order.is_gt() || (order.is_eq() && !(*one && *other)) {
            return Err(Problem::new(table.at, "no number is in this range"));
        }
    }
    Ok(Range { least, most })
}

/// A number, or the fact to compare with.
fn bound(node: Node<'_>) -> Result<Bound, Problem> {
    let at = node.at;
    match node.data {
        Data::Table(_) => match other(node)? {
            operand if Type::of(operand.source) == Type::Anything => Ok(Bound::Fact(operand)),
            operand => Err(Problem::new(at, format!("`{}` is no number", operand.source.word()))),
        },
        _ => node.number().map(Bound::Number),
    }
}

fn other(node: Node<'_>) -> Result<crate::fact::Operand, Problem> {
    let mut table = node.table()?;
    let at = table.at;
    let operand = operand(&mut table)?;
    table.finish(&["argument", "attribute", "action"])?;
    operand.ok_or_else(|| Problem::new(at, "names nothing to compare with; write `{ argument = \"/name\" }`"))
}

fn length(table: &mut Table<'_>) -> Result<Test, Problem> {
    let at = table.at;
    let mut side = |name: &str, default: usize| match table.take(name) {
        None => Ok(default),
        Some(node) => {
            let at = node.at;
            let length = match node.number()? {
                crate::number::Number::Integer(length) => usize::try_from(length).ok(),
                _ => None,
            };
            length.ok_or_else(|| Problem::new(at, "a length is a whole number from 0"))
        }
    };
    let (least, most) = (side("length_at_least", 0)?, side("length_at_most", usize::MAX)?);
    match least <= most {
        true => Ok(Test::Length(Box::new(Length { least, most }))),
        false => Err(Problem::new(at, "no length is in this range")),
    }
}

fn within(folder: &str) -> Result<Box<str>, String> {
    let plain = folder.split('/').all(|segment| segment != "." && segment != "..");
    match folder.starts_with('/') && plain {
        true => Ok(folder.into()),
        false => Err(format!("`within = \"{folder}\"` must be an absolute path without `.` and `..`")),
    }
}

/// A value to compare with. What is a text is not compared with anything else.
fn value(node: Node<'_>, tested: Type) -> Result<Tree<'static>, Problem> {
    match node.data {
        Data::Text(_) => node.text().map(|text| Tree::Text(text.into_owned().into())),
        _ if tested == Type::Text => Err(Problem::new(node.at, "is compared with a text, so it has to be one")),
        data => any_value(Node { at: node.at, data }),
    }
}

fn any_value(node: Node<'_>) -> Result<Tree<'static>, Problem> {
    Ok(match node.data {
        Data::Null => Tree::Null,
        Data::Bool(value) => Tree::Bool(value),
        Data::Number(number) => Tree::Number(number),
        Data::Text(_) => Tree::Text(node.text()?.into_owned().into()),
        Data::List(items) => Tree::Array(items.into_iter().map(any_value).collect::<Result<_, _>>()?),
        Data::Table(entries) => {
            let entry = |(key, value): (Key<'_>, _)| Ok((tree::Key(key.name.into_owned().into()), any_value(value)?));
            Tree::Object(entries.into_iter().map(entry).collect::<Result<_, _>>()?)
        }
        Data::Date => return Err(Problem::new(node.at, "arguments have no dates; write the text in quotes")),
    })
}
