//! What can be wrong.

use std::fmt;

use crate::{ANSWER_BYTES_MAX, COLUMNS_MAX};

/// How an error quotes a field.
const FIELD_CHARACTERS_MAX: usize = 80;

/// Why there is no answer. Lines are those of the CSV, from 1 on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum QueryError {
    Delimiter(String),
    NoHeader,
    TooManyColumns(usize),
    ColumnTwice(String),
    FieldCount {
        line: u64,
        fields: usize,
        header: usize,
    },
    QuoteOpen {
        line: u64,
    },
    NoColumn {
        column: String,
        clause: &'static str,
        columns: Vec<String>,
    },
    NotANumber {
        line: u64,
        column: String,
        field: String,
    },
    /// A value of another kind than the comparison takes.
    Value {
        column: String,
        wanted: &'static str,
    },
    TooMany {
        clause: &'static str,
        found: usize,
        most: usize,
    },
    Limit {
        limit: usize,
        most: usize,
    },
    SelectWithGroups,
    NeedsColumn(&'static str),
    AnswerTooLong,
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delimiter(text) => write!(
                f,
                "`delimiter` is {text:?}, and has to be one ASCII character that is no quote and no end of line"
            ),
            Self::NoHeader => f.write_str("`csv` is empty, and its first line has to name the columns"),
            Self::TooManyColumns(columns) => write!(f, "line 1 has {columns} columns, and the most is {COLUMNS_MAX}"),
            Self::ColumnTwice(column) => write!(f, "there are two columns `{}`", cut(column)),
            Self::FieldCount { line, fields, header } => {
                write!(f, "line {line}: the row has {fields} fields, and the header {header}")
            }
            Self::QuoteOpen { line } => write!(f, "line {line}: a quote that opens in this row is not closed"),
            Self::NoColumn { column, clause, columns } => {
                let known: Vec<_> = columns.iter().take(20).map(|known| format!("`{}`", cut(known))).collect();
                write!(f, "`{clause}`: there is no column `{}`; there are {}", cut(column), known.join(", "))
            }
            Self::NotANumber { line, column, field } => {
                write!(f, "line {line}: `{}` in the column `{}` is no number", cut(field), cut(column))
            }
            Self::Value { column, wanted } => {
                write!(f, "`where`: the comparison with the column `{}` takes {wanted} as its `value`", cut(column))
            }
            Self::TooMany { clause, found, most } => write!(f, "`{clause}` has {found} items, and the most is {most}"),
            Self::Limit { limit, most } => write!(f, "`limit` is {limit}, and has to be from 1 to {most}"),
            Self::SelectWithGroups => {
                f.write_str("`select` goes with neither `group_by` nor `aggregate`: their columns are the answer's")
            }
            Self::NeedsColumn(function) => write!(f, "`aggregate`: `{function}` needs a `column`"),
            Self::AnswerTooLong => {
                write!(f, "the answer has more than {ANSWER_BYTES_MAX} bytes; select less or lower `limit`")
            }
        }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(FIELD_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
