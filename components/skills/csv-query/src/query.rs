//! Answering.

use serde_json::{Value, json};

use crate::aggregate::grouped;
use crate::error::QueryError;
use crate::order::{Key, Order, compare};
use crate::table::{Row, Table, place};
use crate::{ANSWER_BYTES_MAX, CLAUSES_MAX, COLUMNS_MAX, Input, LIMIT_MAX};

pub(crate) fn run(input: &Input) -> Result<Value, QueryError> {
    check(input)?;
    let table = Table::read(&input.csv, &input.delimiter)?;
    let rows = chosen(&table, input)?;
    if input.group_by.is_empty() && input.aggregate.is_empty() {
        return selected(&table, rows, input);
    }
    let (columns, rows) = grouped(&table, &rows, &input.group_by, &input.aggregate)?;
    let places = input.order_by.iter().map(|order| place(&columns, &order.column, "order_by"));
    let places = places.collect::<Result<Vec<_>, _>>()?;
    let keyed = rows.into_iter().map(|row| {
        let keys = places.iter().zip(&input.order_by).map(|(place, order)| group_key(row.get(*place), order)).collect();
        (keys, row)
    });
    let rows = sorted(keyed.collect(), &input.order_by);
    let total = rows.len();
    let shown: Vec<_> = rows.into_iter().skip(input.offset).take(input.limit).collect();
    answer(&columns, &shown, total, input)
}

fn check(input: &Input) -> Result<(), QueryError> {
    let clauses = [
        ("select", input.select.len(), COLUMNS_MAX),
        ("where", input.conditions.len(), CLAUSES_MAX),
        ("group_by", input.group_by.len(), CLAUSES_MAX),
        ("aggregate", input.aggregate.len(), CLAUSES_MAX),
        ("order_by", input.order_by.len(), CLAUSES_MAX),
    ];
    if let Some((clause, found, most)) = clauses.into_iter().find(|(_, found, most)| found > most) {
        return Err(QueryError::TooMany { clause, found, most });
    }
    if !(1..=LIMIT_MAX).contains(&input.limit) {
        return Err(QueryError::Limit { limit: input.limit, most: LIMIT_MAX });
    }
    let groups = !(input.group_by.is_empty() && input.aggregate.is_empty());
    match groups && !input.select.is_empty() {
        true => Err(QueryError::SelectWithGroups),
        false => Ok(()),
    }
}

/// The rows for which all conditions hold.
fn chosen<'a>(table: &'a Table, input: &Input) -> Result<Vec<&'a Row>, QueryError> {
    let tests = input.conditions.iter().map(|condition| condition.against(table)).collect::<Result<Vec<_>, _>>()?;
    let mut chosen = Vec::new();
    for row in &table.rows {
        let mut holds = true;
        for test in &tests {
            // All are looked at, so that what is no number is told in any order.
            holds &= test.holds(row)?;
        }
        if holds {
            chosen.push(row);
        }
    }
    Ok(chosen)
}

/// Rows as they are, with the columns that were asked for.
fn selected(table: &Table, rows: Vec<&Row>, input: &Input) -> Result<Value, QueryError> {
    let columns = if input.select.is_empty() { table.columns.clone() } else { input.select.clone() };
    let places = columns.iter().map(|column| table.place(column, "select")).collect::<Result<Vec<_>, _>>()?;
    let orders = input.order_by.iter().map(|order| Ok((table.place(&order.column, "order_by")?, order)));
    let orders = orders.collect::<Result<Vec<_>, QueryError>>()?;
    let mut keyed = Vec::new();
    for row in rows {
        let keys = orders.iter().map(|(place, order)| row_key(row, *place, order)).collect::<Result<Vec<_>, _>>()?;
        keyed.push((keys, row));
    }
    let rows = sorted(keyed, &input.order_by);
    let total = rows.len();
    let shown = rows.into_iter().skip(input.offset).take(input.limit);
    let shown: Vec<_> = shown.map(|row| places.iter().map(|place| json!(row.field(*place))).collect()).collect();
    answer(&columns, &shown, total, input)
}

fn row_key(row: &Row, place: usize, order: &Order) -> Result<Key, QueryError> {
    Ok(match order.numeric {
        true => row.number(place, &order.column)?.map_or(Key::Empty, Key::Number),
        false if row.field(place).is_empty() => Key::Empty,
        false => Key::Text(row.field(place).to_owned()),
    })
}

/// Aggregates are numbers already; a group's name is one where that is asked for
/// and it can be read as one.
fn group_key(value: Option<&Value>, order: &Order) -> Key {
    match (order.numeric, value) {
        (true, Some(Value::String(text))) => text.trim().parse().map_or_else(|_| Key::Text(text.clone()), Key::Number),
        (_, Some(value)) => Key::of(value),
        (_, None) => Key::Empty,
    }
}

fn sorted<T>(mut keyed: Vec<(Vec<Key>, T)>, orders: &[Order]) -> Vec<T> {
    keyed.sort_by(|(one, _), (other, _)| compare(orders, one, other));
    keyed.into_iter().map(|(_, row)| row).collect()
}

fn answer(columns: &[String], rows: &[Vec<Value>], total: usize, input: &Input) -> Result<Value, QueryError> {
    let fields = rows.iter().flatten().map(|value| value.as_str().map_or(8, str::len) + 4);
    let bytes: usize = fields.chain(columns.iter().map(|column| column.len() + 4)).sum();
    if bytes > ANSWER_BYTES_MAX {
        return Err(QueryError::AnswerTooLong);
    }
    let more = total > input.offset.saturating_add(rows.len());
    Ok(json!({ "columns": columns, "rows": rows, "total": total, "more": more }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALES: &str = "city,item,price\nBonn,tea,2.5\nKöln,tea,3\nBonn,jam,\nKöln,\"jam, red\",10\nAach,tea,1\n";

    fn ask(mut query: Value) -> Result<Value, QueryError> {
        query["csv"] = json!(SALES);
        run(&serde_json::from_value(query).unwrap())
    }

    #[test]
    fn answers() {
        let cases = [
            (
                json!({ "where": [{ "column": "price", "is": ">", "value": 2.5 }], "select": ["item"] }),
                json!([["tea"], ["jam, red"]]),
            ),
            (
                json!({ "where": [{ "column": "item", "is": "starts-with", "value": "jam" }], "select": ["city"] }),
                json!([["Bonn"], ["Köln"]]),
            ),
            (json!({ "where": [{ "column": "city", "is": "in", "value": ["Aach"] }] }), json!([["Aach", "tea", "1"]])),
            (
                json!({ "order_by": [{ "column": "price", "numeric": true, "descending": true }], "select": ["price"] }),
                json!([["10"], ["3"], ["2.5"], ["1"], [""]]),
            ),
            (
                json!({ "order_by": [{ "column": "price" }], "select": ["price"], "limit": 2, "offset": 1 }),
                json!([["10"], ["2.5"]]),
            ),
            (
                json!({ "aggregate": [{ "function": "count" }, { "function": "count", "column": "price" }, { "function": "mean", "column": "price" }] }),
                json!([[5, 4, 4.125]]),
            ),
            (
                json!({ "group_by": ["city"], "aggregate": [{ "function": "sum", "column": "price" }], "order_by": [{ "column": "sum(price)", "descending": true }] }),
                json!([["Köln", 13.0], ["Bonn", 2.5], ["Aach", 1.0]]),
            ),
            (
                json!({ "where": [{ "column": "city", "is": "=", "value": "Rom" }], "aggregate": [{ "function": "max", "column": "price" }] }),
                json!([[null]]),
            ),
        ];
        for (query, expected) in cases {
            assert_eq!(ask(query.clone()).unwrap()["rows"], expected, "{query}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let cases = [
            (json!({ "select": ["prize"] }), "`select`: there is no column `prize`; there are `city`, `item`, `price`"),
            (
                json!({ "where": [{ "column": "item", "is": "<", "value": 1 }] }),
                "line 2: `tea` in the column `item` is no number",
            ),
            (json!({ "where": [{ "column": "item", "is": "in", "value": "tea" }] }), "takes a list of texts"),
            (json!({ "aggregate": [{ "function": "sum" }] }), "`sum` needs a `column`"),
            (json!({ "group_by": ["city"], "select": ["item"] }), "goes with neither"),
            (json!({ "limit": 0 }), "from 1 to 1000"),
            (json!({ "order_by": vec![json!({ "column": "city" }); 17] }), "has 17 items"),
        ];
        for (query, part) in cases {
            let error = ask(query.clone()).unwrap_err().to_string();
            assert!(error.contains(part), "{query}: {error}");
        }
    }
}
