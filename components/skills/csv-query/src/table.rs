//! Reading CSV.

use csv::{ReaderBuilder, StringRecord};

use crate::COLUMNS_MAX;
use crate::error::QueryError;

/// A table: named columns, and rows with as many fields.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// A row and the line on which it begins.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) line: u64,
    pub(crate) fields: StringRecord,
}

impl Table {
    /// Reads RFC 4180, with any end of line, and a first line that names the
    /// columns. Empty lines are none.
    pub(crate) fn read(text: &str, delimiter: &str) -> Result<Self, QueryError> {
        let &[separator] = delimiter.as_bytes() else { return Err(QueryError::Delimiter(delimiter.to_owned())) };
        if !separator.is_ascii() || matches!(separator, b'"' | b'\r' | b'\n' | 0) {
            return Err(QueryError::Delimiter(delimiter.to_owned()));
        }
        // Spreadsheets write one.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader =
            ReaderBuilder::new().delimiter(separator).flexible(true).has_headers(false).from_reader(text.as_bytes());
        let mut records = reader.records();
        let mut next = || match records.next() {
            Some(Ok(fields)) => Some(Row { line: fields.position().map_or(0, |at| first_line(text, at)), fields }),
            // A text is UTF-8, and fields may be many: there is nothing else.
            Some(Err(_)) | None => None,
        };
        let header = next().ok_or(QueryError::NoHeader)?;
        if header.fields.len() > COLUMNS_MAX {
            return Err(QueryError::TooManyColumns(header.fields.len()));
        }
        let columns: Vec<String> = header.fields.iter().map(str::to_owned).collect();
        for (number, column) in columns.iter().enumerate() {
            if columns.iter().take(number).any(|other| other == column) {
                return Err(QueryError::ColumnTwice(column.clone()));
            }
        }
        let mut rows: Vec<Row> = Vec::new();
        while let Some(row) = next() {
            let (line, fields) = (row.line, row.fields.len());
            rows.push(row);
            if fields != columns.len() {
                return Err(match open_quote(text, separator) {
                    Some(line) => QueryError::QuoteOpen { line },
                    None => QueryError::FieldCount { line, fields, header: columns.len() },
                });
            }
        }
        match open_quote(text, separator) {
            Some(line) => Err(QueryError::QuoteOpen { line }),
            None => Ok(Self { columns, rows }),
        }
    }

    /// Where `column`, which `clause` names, stands.
    pub(crate) fn place(&self, column: &str, clause: &'static str) -> Result<usize, QueryError> {
        place(&self.columns, column, clause)
    }
}

pub(crate) fn place(columns: &[String], column: &str, clause: &'static str) -> Result<usize, QueryError> {
    let place = columns.iter().position(|known| known == column);
    place.ok_or_else(|| QueryError::NoColumn { column: column.to_owned(), clause, columns: columns.to_vec() })
}

impl Row {
    pub(crate) fn field(&self, place: usize) -> &str {
        self.fields.get(place).unwrap_or_default()
    }

    /// The field as a number; none if it is empty.
    pub(crate) fn number(&self, place: usize, column: &str) -> Result<Option<f64>, QueryError> {
        let field = self.field(place).trim();
        match field.parse::<f64>() {
            _ if field.is_empty() => Ok(None),
            Ok(number) if number.is_finite() => Ok(Some(number)),
            _ => Err(QueryError::NotANumber { line: self.line, column: column.to_owned(), field: field.to_owned() }),
        }
    }
}

/// The line on which a row begins. For the crate ends of lines and empty lines
/// before it are part of it.
fn first_line(text: &str, at: &csv::Position) -> u64 {
    let start = usize::try_from(at.byte()).unwrap_or(usize::MAX);
    let bytes = text.as_bytes().get(start..).unwrap_or_default();
    let before = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    at.line() + before.filter(|byte| **byte == b'\n').count() as u64
}

/// The line of a quote that is never closed: the crate takes everything after it
/// for one field.
fn open_quote(text: &str, delimiter: u8) -> Option<u64> {
    let (mut line, mut opened, mut at_start) = (1, None, true);
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        line += u64::from(byte == b'\n');
        match (byte, opened) {
            // Two of them inside are one that is meant.
            (b'"', Some(_)) if bytes.peek() == Some(&b'"') => drop(bytes.next()),
            (b'"', Some(_)) => opened = None,
            // Only at its start a quote opens a field.
            (b'"', None) if at_start => opened = Some(line),
            _ => {}
        }
        at_start = byte == delimiter || byte == b'\n' || byte == b'\r';
    }
    opened
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_quotes_and_lines() {
        let table = Table::read("\u{feff}a;b\r\n\"x;\"\"y\n\";2\n\n5\" pipe;\"\"\n", ";").unwrap();
        assert_eq!(table.columns, ["a", "b"]);
        let rows: Vec<_> = table.rows.iter().map(|row| (row.line, row.field(0), row.field(1))).collect();
        assert_eq!(rows, [(2, "x;\"y\n", "2"), (5, "5\" pipe", "")]);
    }

    #[test]
    fn says_which_line_is_wrong() {
        let cases = [
            ("", QueryError::NoHeader),
            ("a,a\n", QueryError::ColumnTwice("a".to_owned())),
            ("a,b\n1,2\n\n3\n", QueryError::FieldCount { line: 4, fields: 1, header: 2 }),
            ("a,b\n\"1\n\",2\n3,4,5\n", QueryError::FieldCount { line: 4, fields: 3, header: 2 }),
            ("a,b\n1,\"2\n3,4\n", QueryError::QuoteOpen { line: 2 }),
            ("a\n1\n\"2\n3\n", QueryError::QuoteOpen { line: 3 }),
        ];
        for (text, expected) in cases {
            assert_eq!(Table::read(text, ",").unwrap_err(), expected, "{text:?}");
        }
        for delimiter in ["", ",,", "\"", "\n", "ä"] {
            assert!(matches!(Table::read("a", delimiter), Err(QueryError::Delimiter(_))), "{delimiter}");
        }
    }
}
