//! The order of an answer.

use std::cmp::Ordering;

use serde::Deserialize;
use serde_json::Value;

/// A column to order by; of several the first counts first.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    pub(crate) column: String,
    #[serde(default)]
    pub(crate) numeric: bool,
    #[serde(default)]
    pub(crate) descending: bool,
}

/// A field as it is ordered by. What is empty comes last, in either direction.
#[derive(Debug, PartialEq)]
pub(crate) enum Key {
    Number(f64),
    Text(String),
    Empty,
}

impl Key {
    /// That of a value in an answer.
    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Number(number) => number.as_f64().map_or(Self::Empty, Self::Number),
            Value::String(text) if !text.is_empty() => Self::Text(text.clone()),
            _ => Self::Empty,
        }
    }

    fn compare(&self, other: &Self, descending: bool) -> Ordering {
        let order = match (self, other) {
            (Self::Empty, Self::Empty) => return Ordering::Equal,
            (Self::Empty, _) => return Ordering::Greater,
            (_, Self::Empty) => return Ordering::Less,
            (Self::Number(one), Self::Number(other)) => one.total_cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        };
        if descending { order.reverse() } else { order }
    }
}

/// How two rows with these keys are ordered.
pub(crate) fn compare(orders: &[Order], one: &[Key], other: &[Key]) -> Ordering {
    let compared =
        orders.iter().zip(one.iter().zip(other)).map(|(order, (one, other))| one.compare(other, order.descending));
    compared.fold(Ordering::Equal, Ordering::then)
}
