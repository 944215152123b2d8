//! What is looked for, and how SQLite is asked.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _};
use vak_types::{Decision, Source, Timestamp};

use super::{number, to_integer};
use crate::{Body, Entry, EntryKind};

/// What is looked for: entries for which all that is given holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// The agent that acts.
    pub agent: Option<String>,
    /// The session it acts in.
    pub session: Option<String>,
    /// What was to be done. Outcomes and other entries have none.
    pub operation: Option<String>,
    /// The answer.
    pub decision: Option<Decision>,
    /// A component that had a say, by its name.
    pub component: Option<String>,
    /// What the entry tells about.
    pub kind: Option<EntryKind>,
    /// The earliest time.
    pub from: Option<Timestamp>,
    /// The time before which.
    pub to: Option<Timestamp>,
}

impl Query {
    /// Whether `entry` is looked for. An index is not signed: what it names is
    /// read from the log and compared.
    pub fn matches(&self, entry: &Entry) -> bool {
        fn is<T: PartialEq + ?Sized>(wanted: Option<&T>, found: Option<&T>) -> bool {
            wanted.is_none_or(|wanted| found == Some(wanted))
        }
        let about = entry.body.about();
        let decision = match &entry.body {
            Body::Decision(_, decision) => Some(decision),
            _ => None,
        };
        let named = |component: &String| {
            let mut reasons = decision.into_iter().flat_map(|decision| &decision.verdict.reasons);
            reasons.any(|reason| matches!(&reason.source, Source::Component(it) if it.name.as_str() == component))
        };
        is(self.agent.as_deref(), about.map(|about| about.agent.as_str()))
            && is(self.session.as_deref(), about.map(|about| about.session.as_str()))
            && is(self.operation.as_deref(), decision.map(|decision| decision.operation.as_str()))
            && is(self.decision.as_ref(), decision.map(|decision| &decision.verdict.decision))
            && self.kind.is_none_or(|kind| kind == entry.body.kind())
            && self.component.as_ref().is_none_or(named)
            && self.from.is_none_or(|from| from <= entry.time)
            && self.to.is_none_or(|to| entry.time < to)
    }
}

/// Where a page ends, and the next begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub(super) time: i64,
    pub(super) seq: i64,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.time, self.seq)
    }
}

impl std::str::FromStr for Cursor {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (time, seq) = text.split_once('.').unwrap_or((text, ""));
        Ok(Self { time: time.parse()?, seq: seq.parse()? })
    }
}

/// A query as SQLite takes it.
pub(super) struct Search {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Search {
    /// `None` when the query names what no entry has.
    pub(super) fn of(
        connection: &Connection,
        query: &Query,
        after: Option<Cursor>,
    ) -> Result<Option<Self>, rusqlite::Error> {
        // With a component the walk is over what it said.
        let table = if query.component.is_some() { "voice JOIN fact USING (seq)" } else { "fact" };
        let time = if query.component.is_some() { "voice.time" } else { "fact.time" };
        let (mut conditions, mut values) = (Vec::new(), Vec::new());
        let names = [
            ("component", &query.component),
            ("agent", &query.agent),
            ("session", &query.session),
            ("operation", &query.operation),
        ];
        for (column, text) in names.into_iter().filter_map(|(column, text)| Some((column, text.as_ref()?))) {
            let id = "SELECT id FROM name WHERE text = ?1";
            let Some(id) = connection.query_row(id, [text], |row| row.get(0)).optional()? else { return Ok(None) };
            conditions.push(format!("{column} = ?"));
            values.push(Value::Integer(id));
        }
        if let Some(decision) = query.decision {
            // As a literal: SQLite chooses among partial indexes by it.
            conditions.push(format!("decision = {}", number(decision)));
        }
        if let Some(kind) = query.kind {
            conditions.push(format!("kind = {}", kind.tag()));
        }
        if let Some(from) = query.from {
            conditions.push(format!("{time} >= ?"));
            values.push(Value::Integer(to_integer(from.as_nanos())));
        }
        if let Some(to) = query.to {
            conditions.push(format!("{time} < ?"));
            values.push(Value::Integer(to_integer(to.as_nanos())));
        }
        if let Some(Cursor { time: after, seq }) = after {
            conditions.push(format!("({time}, seq) < (?, ?)"));
            values.extend([Value::Integer(after), Value::Integer(seq)]);
        }
        let conditions = if conditions.is_empty() { "true".to_owned() } else { conditions.join(" AND ") };
        let sql = format!("SELECT {time}, seq FROM {table} WHERE {conditions} ORDER BY {time} DESC, seq DESC LIMIT ?");
        Ok(Some(Self { sql, values }))
    }
}
