//! TOML texts.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::node::{Data, Key, Node, Problem};
use crate::number::Number;

/// Where rules start.
const HEAD: &str = "\n[[rule]]";

/// Gives `take` the tables of `text`, one for each rule: a whole file at once
/// takes many times its size in memory, which the configured instance would
/// keep.
///
/// A line `[[rule]]` starts a rule unless it stands in a text of several lines.
/// Then what is before it is no TOML by itself, and the rest is read at once.
pub(crate) fn read<'a>(text: &'a str, mut take: impl FnMut(Node<'a>) -> Result<(), Problem>) -> Result<(), Problem> {
    let mut start = 0;
    while start < text.len() {
        let rest = &text[start..];
        let end = rest.find(HEAD).map_or(rest.len(), |head| head + 1);
        let (table, end) = match DeTable::parse(&rest[..end]) {
            Ok(table) => (table, end),
            Err(_) => (DeTable::parse(rest).map_err(|error| syntax(&error, start))?, rest.len()),
        };
        take(Node { at: start, data: table_of(table.into_inner(), start)? })?;
        start += end;
    }
    Ok(())
}

fn syntax(error: &toml::de::Error, offset: usize) -> Problem {
    Problem::new(offset + error.span().map_or(0, |span| span.start), error.message())
}

fn table_of(table: DeTable<'_>, offset: usize) -> Result<Data<'_>, Problem> {
    let entry = |(key, value): (Spanned<_>, _)| {
        let at = offset + key.span().start;
        Ok((Key { at, name: key.into_inner() }, node(value, offset)?))
    };
    table.into_iter().map(entry).collect::<Result<_, _>>().map(Data::Table)
}

fn node(value: Spanned<DeValue<'_>>, offset: usize) -> Result<Node<'_>, Problem> {
    let at = offset + value.span().start;
    let beyond = || Problem::new(at, "the number is beyond what a number can be here");
    let data = match value.into_inner() {
        DeValue::String(text) => Data::Text(text),
        DeValue::Boolean(value) => Data::Bool(value),
        DeValue::Integer(number) => {
            let number = i64::from_str_radix(number.as_str(), number.radix()).map_err(|_| beyond())?;
            Data::Number(Number::Integer(number))
        }
        DeValue::Float(number) => {
            // JSON has neither a plus sign nor infinities and NaNs. Its reader is
            // in here anyway, and that of the standard library has large tables.
            let text = number.as_str().trim_start_matches('+');
            let number: Result<f64, _> = serde_json::from_str(text);
            Data::Number(Number::Float(number.map_err(|_| beyond())?))
        }
        DeValue::Datetime(_) => Data::Date,
        DeValue::Array(items) => {
            Data::List(items.into_iter().map(|item| node(item, offset)).collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => table_of(table, offset)?,
    };
    Ok(Node { at, data })
}
