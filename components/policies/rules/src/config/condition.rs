//! Conditions.

use super::earlier;
use super::node::{Node, Problem, Table, listed};
use super::rule::patterns;
use super::test;
use crate::condition::{Comparison, Condition};
use crate::fact::{Operand, Source};
use crate::test::Test;
use crate::window::{DAYS, Window};

/// Conditions and tests of one rule, nested ones included. Each may be looked at
/// in a call.
const CONDITIONS_MAX: usize = 64;

/// How deep conditions nest, counting lists of items. Deeper ones are not
/// understood by their readers, and evaluation is recursive.
const NESTING_MAX: usize = 8;

const KINDS: &[&str] = &["argument", "attribute", "action", "label", "time", "earlier", "all", "any", "not"];

/// What of the limits is left at some place.
pub(super) struct Budget {
    conditions: usize,
    depth: usize,
}

impl Budget {
    /// Takes one condition, a level deeper, and reads what is in it.
    pub(super) fn within<T>(
        &mut self,
        at: usize,
        read: impl FnOnce(&mut Self) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let conditions = self.conditions.checked_sub(1);
        self.conditions = conditions
            .ok_or_else(|| Problem::new(at, format!("more than {CONDITIONS_MAX} conditions, which is the most")))?;
        let depth = self.depth.checked_sub(1);
        self.depth =
            depth.ok_or_else(|| Problem::new(at, format!("conditions nested deeper than {NESTING_MAX} levels")))?;
        let inner = read(self)?;
        self.depth += 1;
        Ok(inner)
    }
}

/// The conditions of a rule.
pub(super) fn list(node: Node<'_>) -> Result<Box<[Condition]>, Problem> {
    let mut budget = Budget { conditions: CONDITIONS_MAX, depth: NESTING_MAX };
    node.each(|node| condition(node, &mut budget))
}

fn condition(node: Node<'_>, budget: &mut Budget) -> Result<Condition, Problem> {
    budget.within(node.at, |budget| {
        let table = node.table()?;
        // `not = true` turns around what it stands beside, `not = { … }` is a
        // condition of its own.
        match table.names().any(|name| matches!(name, "all" | "any")) || table.has_table("not") {
            true => composed(table, budget),
            false => simple(table, budget),
        }
    })
}

fn composed(mut table: Table<'_>, budget: &mut Budget) -> Result<Condition, Problem> {
    let at = table.at;
    let (all, any, not) = (table.take("all"), table.take("any"), table.take("not"));
    table.finish(&["all", "any", "not"])?;
    match (all, any, not) {
        (Some(all), None, None) => all.each(|node| condition(node, budget)).map(Condition::All),
        (None, Some(any), None) => any.each(|node| condition(node, budget)).map(Condition::Any),
        (None, None, Some(not)) => condition(not, budget).map(|condition| Condition::Not(Box::new(condition))),
        _ => Err(Problem::new(at, "a condition has exactly one of `all`, `any` and `not`; nest them")),
    }
}

fn simple(mut table: Table<'_>, budget: &mut Budget) -> Result<Condition, Problem> {
    let at = table.at;
    let (label, time, before) = (table.take("label"), table.take("time"), table.take("earlier"));
    let negated = table.flag("not")?.unwrap_or(false);
    let condition = match (label, time, before, operand(&mut table)?) {
        (Some(label), None, None, None) => Condition::Label(patterns(label.listed())?),
        (None, Some(time), None, None) => Condition::Time(window(time)?),
        (None, None, Some(before), None) => Condition::Earlier(Box::new(earlier::read(before, &mut table)?)),
        (None, None, None, Some(operand)) => {
            let named = operand_text(&operand);
            let test = test::read(&mut table, test::Type::of(operand.source), &named, budget)?;
            let optional = optional(&mut table, &operand, &test)?;
            table.finish(&test::fields())?;
            return Ok(Condition::Compare(Comparison {
                source: operand.source,
                name: operand.name,
                test,
                negated,
                optional,
            }));
        }
        _ => return Err(Problem::new(at, format!("a condition has exactly one of {}", listed(KINDS)))),
    };
    table.finish(&["label", "time", "earlier", "not"])?;
    Ok(match negated {
        true => Condition::Not(Box::new(condition)),
        false => condition,
    })
}

fn operand_text(operand: &Operand) -> String {
    match operand.source {
        Source::Argument | Source::Attribute => format!("`{}`", operand.name),
        source => format!("`{}`", source.word()),
    }
}

/// What a table is about, if about one fact.
pub(super) fn operand(table: &mut Table<'_>) -> Result<Option<Operand>, Problem> {
    let at = table.at;
    let argument = table.take("argument").map(|node| {
        let name = node.parse(|text| pointer(text).map(|()| text.into()))?;
        Ok(Operand { source: Source::Argument, name })
    });
    let attribute = table.take("attribute").map(|node| {
        let name = node.parse(|text| match text {
            "" => Err("an attribute has a name".to_owned()),
            text => Ok(text.into()),
        })?;
        Ok(Operand { source: Source::Attribute, name })
    });
    let action = table.take("action").map(|node| {
        let source = node.parse(|text| {
            let sources = [Source::Agent, Source::Session, Source::Operation, Source::Resource, Source::Labels];
            sources.into_iter().find(|source| source.word() == text).ok_or_else(|| {
                format!("an action has no `{text}`; write one of {}", listed(&sources.map(Source::word)))
            })
        })?;
        Ok(Operand { source, name: Box::default() })
    });
    let mut operands = [argument, attribute, action].into_iter().flatten();
    match (operands.next(), operands.next()) {
        (operand, None) => operand.transpose(),
        _ => Err(Problem::new(at, format!("a condition has exactly one of {}", listed(KINDS)))),
    }
}

/// Checks a JSON pointer (RFC 6901).
pub(super) fn pointer(text: &str) -> Result<(), String> {
    let escaped = text.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
    match text.is_empty() || text.starts_with('/') {
        false => Err(format!("`{text}` is no JSON pointer; write `/{text}`")),
        true if !escaped => Err(format!("`{text}` is no JSON pointer; write `~0` for `~` and `~1` for `/` in a name")),
        true => Ok(()),
    }
}

fn optional(table: &mut Table<'_>, operand: &Operand, test: &Test) -> Result<bool, Problem> {
    let Some(node) = table.take("optional") else { return Ok(false) };
    let at = node.at;
    let optional = node.bool()?;
    let fits = matches!(operand.source, Source::Argument | Source::Attribute) && !matches!(test, Test::Present(_));
    match fits {
        true => Ok(optional),
        false => Err(Problem::new(at, "`optional` is for the tests of an `argument` or `attribute`")),
    }
}

fn window(node: Node<'_>) -> Result<Window, Problem> {
    let at = node.at;
    let mut table = node.table()?;
    let mut window = Window::ALWAYS;
    let (from, until) = (table.take("from"), table.take("until"));
    if from.is_none() && until.is_none() && !table.names().any(|name| name == "days") {
        return Err(Problem::new(at, "`time` needs `from`, `until` or `days`"));
    }
    let at = from.as_ref().or(until.as_ref()).map_or(at, |node| node.at);
    let from = from.map_or(Ok("00:00".into()), Node::text)?;
    let until = until.map_or(Ok("24:00".into()), Node::text)?;
    window = window.between(&from, &until).map_err(|message| Problem { at, message })?;
    if let Some(days) = table.take("days") {
        let days = days.each(|day| day.parse(day_bit))?;
        window = window.on(days.iter().fold(0, |days, day| days | day));
    }
    if let Some(offset) = table.take("offset") {
        window = offset.parse(|offset| window.at(offset))?;
    }
    table.finish(&["from", "until", "days", "offset"])?;
    Ok(window)
}

fn day_bit(text: &str) -> Result<u8, String> {
    let day = DAYS.iter().position(|day| *day == text);
    day.map(|day| 1 << day).ok_or_else(|| format!("`{text}` is no day; write one of {}", listed(&DAYS)))
}
