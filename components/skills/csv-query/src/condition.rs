//! Conditions on rows.

use serde::Deserialize;
use serde_json::Value;

use crate::error::QueryError;
use crate::table::{Row, Table};

/// A comparison of a column with a value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Condition {
    pub(crate) column: String,
    is: Comparison,
    value: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Comparison {
    #[serde(rename = "=")]
    Equal,
    #[serde(rename = "!=")]
    NotEqual,
    #[serde(rename = "<")]
    Less,
    #[serde(rename = "<=")]
    AtMost,
    #[serde(rename = ">")]
    Greater,
    #[serde(rename = ">=")]
    AtLeast,
    #[serde(rename = "contains")]
    Contains,
    #[serde(rename = "starts-with")]
    StartsWith,
    #[serde(rename = "in")]
    In,
}

/// A condition whose column and value were looked at.
#[derive(Debug)]
pub(crate) struct Test<'a> {
    place: usize,
    column: &'a str,
    is: Comparison,
    value: Wanted<'a>,
}

#[derive(Debug)]
enum Wanted<'a> {
    Number(f64),
    Text(&'a str),
    Texts(Vec<&'a str>),
}

impl Condition {
    pub(crate) fn against(&self, table: &Table) -> Result<Test<'_>, QueryError> {
        let wrong = |wanted| QueryError::Value { column: self.column.clone(), wanted };
        let value = match (self.is, &self.value) {
            (Comparison::In, Value::Array(values)) => {
                let texts: Option<Vec<_>> = values.iter().map(Value::as_str).collect();
                Wanted::Texts(texts.ok_or_else(|| wrong("a list of texts"))?)
            }
            (Comparison::In, _) => return Err(wrong("a list of texts")),
            (_, Value::String(text)) => Wanted::Text(text),
            (Comparison::Contains | Comparison::StartsWith, _) => return Err(wrong("a text")),
            (_, Value::Number(number)) => Wanted::Number(number.as_f64().ok_or_else(|| wrong("a number"))?),
            _ => return Err(wrong("a text or a number")),
        };
        Ok(Test { place: table.place(&self.column, "where")?, column: &self.column, is: self.is, value })
    }
}

impl Test<'_> {
    /// With a number the field has to be one. An empty field fulfils no
    /// comparison with a number but `!=`.
    pub(crate) fn holds(&self, row: &Row) -> Result<bool, QueryError> {
        let field = row.field(self.place);
        let order = match &self.value {
            Wanted::Texts(texts) => return Ok(texts.contains(&field)),
            Wanted::Text(text) => match self.is {
                Comparison::Contains => return Ok(field.contains(text)),
                Comparison::StartsWith => return Ok(field.starts_with(text)),
                _ => Some(field.cmp(text)),
            },
            Wanted::Number(wanted) => {
                row.number(self.place, self.column)?.and_then(|number| number.partial_cmp(wanted))
            }
        };
        Ok(match (self.is, order) {
            (Comparison::NotEqual, order) => !order.is_some_and(std::cmp::Ordering::is_eq),
            (Comparison::Equal, Some(order)) => order.is_eq(),
            (Comparison::Less, Some(order)) => order.is_lt(),
            (Comparison::AtMost, Some(order)) => order.is_le(),
            (Comparison::Greater, Some(order)) => order.is_gt(),
            (Comparison::AtLeast, Some(order)) => order.is_ge(),
            _ => false,
        })
    }
}
