//! A skill that queries CSV: `{"csv": "a,b\n1,x\n2,y\n", "where": [{"column":
//! "a", "is": ">", "value": 1}]}` gives `{"columns": ["a", "b"], "rows": [["2",
//! "y"]], "total": 1, "more": false}`.

mod aggregate;
mod condition;
mod error;
mod order;
mod query;
mod schema;
mod table;

use serde::Deserialize;
use vak_sdk::skill::{Skill, SkillError, Tool};

use aggregate::Aggregate;
use condition::Condition;
use error::QueryError;
use order::Order;

/// Most columns of a table, and of an answer.
const COLUMNS_MAX: usize = 200;

/// Most rows of an answer.
const LIMIT_MAX: usize = 1_000;

/// Conditions, orders and aggregates, each.
const CLAUSES_MAX: usize = 16;

/// Bytes of text in an answer. As JSON they may be twice as many, and 1 MiB is the end.
const ANSWER_BYTES_MAX: usize = 384 << 10;

#[derive(Default)]
struct CsvQuery;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    csv: String,
    #[serde(default = "comma")]
    delimiter: String,
    #[serde(default)]
    select: Vec<String>,
    #[serde(default, rename = "where")]
    conditions: Vec<Condition>,
    #[serde(default)]
    group_by: Vec<String>,
    #[serde(default)]
    aggregate: Vec<Aggregate>,
    #[serde(default)]
    order_by: Vec<Order>,
    #[serde(default)]
    offset: usize,
    #[serde(default = "limit")]
    limit: usize,
}

fn comma() -> String {
    ",".to_owned()
}

fn limit() -> usize {
    100
}

impl Skill for CsvQuery {
    fn describe(&self) -> Tool {
        schema::tool()
    }

    fn invoke(&self, input: &str) -> Result<String, SkillError> {
        let input: Input = serde_json::from_str(input).map_err(|error| SkillError::InvalidInput(error.to_string()))?;
        query::run(&input).map(|told| told.to_string()).map_err(|error| match error {
            QueryError::AnswerTooLong => SkillError::Failed(error.to_string()),
            _ => SkillError::InvalidInput(error.to_string()),
        })
    }
}

vak_sdk::export_skill!(CsvQuery);
