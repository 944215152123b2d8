//! SQL that destroys, hands out rights or was made to do something else.

mod constant;
mod statement;
mod tail;

use sqlparser::dialect::{self, Dialect};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Tokenizer;

use crate::arguments::Part;
use crate::globs::Globs;
use crate::guard::{Call, Guard, Hit, Kind, Pattern, Reaction};

/// What is fixed about this guard.
pub(crate) static KIND: Kind = Kind { name: "sql", default: Reaction::Forbid, redactable: false, patterns: PATTERNS };

const PATTERNS: &[Pattern] = &[
    Pattern { id: "sql/unparsable", finds: "SQL that cannot be examined" },
    Pattern { id: "sql/drop", finds: "a `DROP`" },
    Pattern { id: "sql/truncate", finds: "a `TRUNCATE`" },
    Pattern { id: "sql/delete-all", finds: "a `DELETE` of all rows" },
    Pattern { id: "sql/update-all", finds: "an `UPDATE` of all rows" },
    Pattern { id: "sql/alter-drop", finds: "an `ALTER` that drops" },
    Pattern { id: "sql/rights", finds: "a change of rights" },
    Pattern { id: "sql/multiple-statements", finds: "more than one statement" },
    Pattern { id: "sql/comment-tail", finds: "a comment that cuts a statement off" },
    Pattern { id: "sql/executable-comment", finds: "a comment that MySQL executes" },
    Pattern { id: "sql/always-true", finds: "a condition that something always true was added to" },
    Pattern { id: "sql/server", finds: "access to files or programs of the database server" },
];

/// A statement by hand is shorter, also with a long text in it.
const QUERY_BYTES_MAX: usize = 16 << 10;

/// Words and signs of a statement. Each takes the parser some thousand
/// instructions and five kilobytes, which a call does not get back.
const TOKENS_MAX: usize = 2_000;

/// Nesting that the parser follows: a third of its own default, because a
/// guest's stack is small and the parser's frames are not.
const DEPTH_MAX: usize = 16;

/// An error may quote all of the statement.
const ERROR_CHARACTERS_MAX: usize = 200;

/// Pointers that are SQL whatever stands there.
const QUERIES: [&str; 4] = ["/**/sql", "/**/sql_query", "/**/sql_statement", "/**/statement"];

/// Pointers that are SQL if it looks like it: search tools use the same names.
const LIKELY: [&str; 2] = ["/**/query", "/**/queries/*"];

/// The dialects that differ in what is a text and what a comment, so that one
/// may see a statement where another sees a text.
const DIALECTS: [&str; 2] = ["generic", "mysql"];

/// Tried only if none of the others can read it.
const FALLBACKS: [&str; 3] = ["postgresql", "sqlite", "mssql"];

type Dialects = Vec<Box<dyn Dialect + Send + Sync>>;

/// The guard.
pub(crate) struct Sql {
    queries: Globs,
    likely: Option<Globs>,
    dialects: Dialects,
    fallbacks: Dialects,
}

/// The dialects of these names.
pub(crate) fn dialects(names: &[String]) -> Result<Dialects, String> {
    if names.is_empty() {
        return Err("`dialects` is empty; leave it out for the default".to_owned());
    }
    names.iter().map(|name| dialect(name)).collect()
}

fn dialect(name: &str) -> Result<Box<dyn Dialect + Send + Sync>, String> {
    Ok(match name {
        "generic" => Box::new(dialect::GenericDialect),
        "mysql" => Box::new(dialect::MySqlDialect {}),
        "postgresql" => Box::new(dialect::PostgreSqlDialect {}),
        "sqlite" => Box::new(dialect::SQLiteDialect {}),
        "mssql" => Box::new(dialect::MsSqlDialect {}),
        _ => {
            let known = "`generic`, `mysql`, `postgresql`, `sqlite`, `mssql`";
            return Err(format!("`{name}` is no dialect; choose of {known}"));
        }
    })
}

impl Sql {
    /// With the pointers that are SQL and the dialects it may be in, or the
    /// defaults.
    pub(crate) fn new(queries: Option<Globs>, dialects: Option<Dialects>) -> Self {
        let of = |names: &[&str]| names.iter().filter_map(|name| dialect(name).ok()).collect();
        let likely = queries.is_none().then(|| Globs::of(&LIKELY));
        let fallbacks = if dialects.is_none() { of(&FALLBACKS) } else { Vec::new() };
        Self {
            queries: queries.unwrap_or_else(|| Globs::of(&QUERIES)),
            likely,
            dialects: dialects.unwrap_or_else(|| of(&DIALECTS)),
            fallbacks,
        }
    }

    fn is_query(&self, pointer: &str, text: &str) -> bool {
        let likely = self.likely.as_ref().is_some_and(|likely| likely.matches(pointer) && tail::looks_like_sql(text));
        likely || self.queries.matches(pointer)
    }

    fn judge(&self, pointer: &str, text: &str, hits: &mut Vec<Hit>) {
        if text.len() > QUERY_BYTES_MAX {
            let detail = format!("{} bytes; the most is {QUERY_BYTES_MAX}", text.len());
            hits.push(Hit::whole("sql/unparsable", pointer, detail).unexamined());
            return;
        }
        let (parsed, error) = parse(&self.dialects, text);
        let (parsed, error) = match parsed.is_empty() {
            true => parse(&self.fallbacks, text),
            false => (parsed, error),
        };
        let mut found: Vec<&'static str> = tail::find(text);
        match parsed.is_empty() {
            true if found.is_empty() => {
                hits.push(Hit::whole("sql/unparsable", pointer, error.unwrap_or_default()).unexamined());
            }
            _ => parsed.iter().for_each(|statements| statement::find(statements, &mut found)),
        }
        let mut done = Vec::new();
        for id in found {
            if !done.contains(&id) {
                done.push(id);
                hits.push(Hit::whole(id, pointer, ""));
            }
        }
    }
}

type Parsed = Vec<Vec<sqlparser::ast::Statement>>;

/// What each of `dialects` reads, of those that can, and an error of one that
/// cannot.
fn parse(dialects: &Dialects, text: &str) -> (Parsed, Option<String>) {
    let mut error = None;
    let parsed = dialects.iter().filter_map(|dialect| match statements(&**dialect, text) {
        Ok(statements) => Some(statements),
        Err(why) => {
            error.get_or_insert_with(|| why.chars().take(ERROR_CHARACTERS_MAX).collect());
            None
        }
    });
    (parsed.collect(), error)
}

fn statements(dialect: &dyn Dialect, text: &str) -> Result<Vec<sqlparser::ast::Statement>, String> {
    let tokens = Tokenizer::new(dialect, text).tokenize_with_location().map_err(|error| error.to_string())?;
    if tokens.len() > TOKENS_MAX {
        return Err(format!("{} words and signs; the most is {TOKENS_MAX}", tokens.len()));
    }
    let mut parser = Parser::new(dialect).with_recursion_limit(DEPTH_MAX).with_tokens_with_locations(tokens);
    parser.parse_statements().map_err(|error| error.to_string())
}

impl Guard for Sql {
    fn look(&self, call: &Call<'_>, hits: &mut Vec<Hit>) {
        for text in call.arguments.texts.iter().filter(|text| text.part == Part::Value) {
            if self.is_query(&text.pointer, &text.text) {
                self.judge(&text.pointer, &text.text, hits);
            }
        }
    }
}
