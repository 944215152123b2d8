//! Aggregates over groups of rows.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::QueryError;
use crate::table::{Row, Table};

/// A number that is computed from all rows of a group.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Aggregate {
    function: Function,
    column: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Function {
    Count,
    Sum,
    Min,
    Max,
    Mean,
}

impl Function {
    fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Mean => "mean",
        }
    }
}

/// What is known of one column in one group. Empty fields are not there.
#[derive(Clone, Copy, Default)]
struct Tally {
    count: u64,
    sum: f64,
    /// What the sum lost so far (Neumaier's variant of Kahan summation).
    lost: f64,
    least: Option<f64>,
    most: Option<f64>,
}

impl Tally {
    fn add(&mut self, number: f64) {
        self.count += 1;
        let sum = self.sum + number;
        self.lost += match self.sum.abs() >= number.abs() {
            true => (self.sum - sum) + number,
            false => (number - sum) + self.sum,
        };
        self.sum = sum;
        self.least = Some(self.least.map_or(number, |least| least.min(number)));
        self.most = Some(self.most.map_or(number, |most| most.max(number)));
    }

    fn told(&self, function: Function) -> Value {
        let sum = self.sum + self.lost;
        match function {
            Function::Count => json!(self.count),
            Function::Sum => json!(sum),
            Function::Min => json!(self.least),
            Function::Max => json!(self.most),
            Function::Mean if self.count == 0 => Value::Null,
            Function::Mean => json!(sum / self.count as f64),
        }
    }
}

/// The columns of the answer, and a row a group, in the order in which groups
/// begin. Without `group_by` all rows are one.
pub(crate) fn grouped(
    table: &Table,
    rows: &[&Row],
    group_by: &[String],
    aggregates: &[Aggregate],
) -> Result<(Vec<String>, Vec<Vec<Value>>), QueryError> {
    let keys = group_by.iter().map(|column| table.place(column, "group_by")).collect::<Result<Vec<_>, _>>()?;
    let sources = aggregates.iter().map(|aggregate| aggregate.source(table)).collect::<Result<Vec<_>, _>>()?;
    let mut places: HashMap<Vec<&str>, usize> = HashMap::new();
    let mut groups: Vec<(Vec<&str>, Vec<Tally>)> = Vec::new();
    if keys.is_empty() {
        places.insert(Vec::new(), 0);
        groups.push((Vec::new(), vec![Tally::default(); sources.len()]));
    }
    for row in rows {
        let key: Vec<_> = keys.iter().map(|place| row.field(*place)).collect();
        let group = *places.entry(key).or_insert_with_key(|key| {
            groups.push((key.clone(), vec![Tally::default(); sources.len()]));
            groups.len() - 1
        });
        let Some((_, tallies)) = groups.get_mut(group) else { continue };
        for ((tally, aggregate), source) in tallies.iter_mut().zip(aggregates).zip(&sources) {
            match source {
                None => tally.count += 1,
                // What is counted need not be numbers.
                Some(place) if aggregate.function == Function::Count => {
                    tally.count += u64::from(!row.field(*place).is_empty());
                }
                Some(place) => {
                    let column = aggregate.column.as_deref().unwrap_or_default();
                    row.number(*place, column)?.into_iter().for_each(|number| tally.add(number));
                }
            }
        }
    }
    let columns = group_by.iter().cloned().chain(aggregates.iter().map(Aggregate::name)).collect();
    let rows = groups.iter().map(|(key, tallies)| {
        let numbers = tallies.iter().zip(aggregates).map(|(tally, aggregate)| tally.told(aggregate.function));
        key.iter().map(|field| json!(field)).chain(numbers).collect()
    });
    Ok((columns, rows.collect()))
}

impl Aggregate {
    /// The place of its column; none where it counts rows.
    fn source(&self, table: &Table) -> Result<Option<usize>, QueryError> {
        match (&self.column, self.function) {
            (Some(column), _) => table.place(column, "aggregate").map(Some),
            (None, Function::Count) => Ok(None),
            (None, function) => Err(QueryError::NeedsColumn(function.name())),
        }
    }

    /// Its column in the answer, such as `sum(price)`.
    fn name(&self) -> String {
        match &self.column {
            Some(column) => format!("{}({column})", self.function.name()),
            None => self.function.name().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_lose_nothing_that_could_be_kept() {
        let mut tally = Tally::default();
        [1e100, 1.0, -1e100].into_iter().for_each(|number| tally.add(number));
        assert_eq!(tally.told(Function::Sum), json!(1.0));
        assert_eq!(Tally::default().told(Function::Mean), Value::Null);
    }
}
