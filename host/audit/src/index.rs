//! Finding entries by what they say.
//!
//! An SQLite file beside the log, made from it and brought up to date when it
//! is asked. Nothing in it is signed: it tells where to look, and what is shown
//! is read from the log. Deleting it costs the time to make it again.

use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Statement, Transaction, TransactionBehavior};
use vak_types::{Decision, Digest, Source, Timestamp};

use crate::bundle::Bundle;
use crate::codec::DecodeError;
use crate::merkle::leaf_hash;
use crate::store::StorageError;
use crate::store::lock::{MODE, beside};
use crate::{Body, Entry, EntryKind, LogReader, ReadError};

/// Another layout gets another number, and is made anew.
const VERSION: i64 = 1;

/// Entries that are indexed in one transaction.
const CHUNK_ENTRIES: u64 = 65_536;

/// Texts are stored once: an agent has millions of entries. Each index ends in
/// `time` (and, as all of SQLite's, in `seq`), so that a page of any of them is
/// read in the order in which it is shown.
const SCHEMA: &str = "
CREATE TABLE progress (size INTEGER NOT NULL, leaf BLOB NOT NULL) STRICT;
INSERT INTO progress VALUES (0, zeroblob(32));
CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE fact (seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind INTEGER NOT NULL,
    agent INTEGER, session INTEGER, operation INTEGER, decision INTEGER) STRICT;
CREATE TABLE voice (component INTEGER, time INTEGER, seq INTEGER,
    PRIMARY KEY (component, time, seq)) STRICT, WITHOUT ROWID;
CREATE INDEX by_time ON fact (time);
CREATE INDEX by_agent ON fact (agent, time) WHERE agent IS NOT NULL;
CREATE INDEX by_session ON fact (session, time) WHERE session IS NOT NULL;
CREATE INDEX by_operation ON fact (operation, time) WHERE operation IS NOT NULL;
CREATE INDEX by_decision ON fact (decision, agent, time) WHERE decision > 1;
CREATE INDEX by_verdict ON fact (decision, time) WHERE decision IS NOT NULL;
CREATE INDEX by_kind ON fact (kind, time) WHERE kind > 2;
";

/// Why entries could not be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// The index can't be read or written.
    #[error("the index `{}`: {source}; delete it to have it made again", path.display())]
    Index {
        /// Its file.
        path: PathBuf,
        /// What failed.
        source: StorageError,
    },
    /// The log can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

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

/// Where a page ends, and the next begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    time: i64,
    seq: i64,
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

/// Some of the entries that were looked for, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Their sequence numbers.
    pub seqs: Vec<u64>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

/// An index over a log.
#[derive(Debug)]
pub struct Index {
    path: PathBuf,
    connection: Connection,
}

impl Index {
    /// Opens the index beside the log at `log`, or makes an empty one.
    ///
    /// # Errors
    /// It can't be opened or made.
    pub fn open(log: &Path) -> Result<Self, IndexError> {
        let path = beside(log, ".index");
        let failed = |source: StorageError| IndexError::Index { path: path.clone(), source };
        let connection = open(&path).map_err(failed)?;
        Ok(Self { path, connection })
    }

    /// Brings the index up to the log's newest checkpoint. `progress` is called
    /// with the number of entries indexed and to be indexed.
    ///
    /// # Errors
    /// The log can't be read, or the index not be written.
    pub fn catch_up(&mut self, log: &LogReader, mut progress: impl FnMut(u64, u64)) -> Result<(), IndexError> {
        let size = log.size()?;
        let mut done = self.trusted_progress(log)?;
        let mut bundle = Bundle::default();
        while done < size {
            let failed = |source: StorageError| IndexError::Index { path: self.path.clone(), source };
            let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)
                .map_err(|error| failed(error.into()))?;
            let end = (done + CHUNK_ENTRIES).min(size);
            let mut leaf = Digest::from_bytes([0; 32]);
            {
                let mut writer = Writer::new(&transaction).map_err(failed)?;
                while done < end {
                    log.source().entries(done, end - done, &mut bundle).map_err(ReadError::from)?;
                    if bundle.is_empty() {
                        return Err(ReadError::NoEntry { seq: done, size }.into());
                    }
                    for bytes in bundle.iter() {
                        let decode = |source: DecodeError| ReadError::Decode { seq: done, source };
                        writer.add(&Entry::decode(bytes).map_err(decode)?).map_err(failed)?;
                        done += 1;
                    }
                    leaf = bundle.iter().last().map_or(leaf, leaf_hash);
                }
            }
            let row = (to_integer(done), leaf.as_bytes());
            transaction
                .execute("UPDATE progress SET size = ?1, leaf = ?2", row)
                .map_err(|error| failed(error.into()))?;
            transaction.commit().map_err(|error| failed(error.into()))?;
            progress(done, size);
        }
        Ok(())
    }

    /// How far the index is, if it is of this log; empties it if it is of
    /// another, or of one that was cut back.
    fn trusted_progress(&mut self, log: &LogReader) -> Result<u64, IndexError> {
        let failed = |error: rusqlite::Error| IndexError::Index { path: self.path.clone(), source: error.into() };
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?));
        let (size, leaf) = self.connection.query_row("SELECT size, leaf FROM progress", [], row).map_err(failed)?;
        let size = u64::try_from(size).unwrap_or(0);
        let mut bundle = Bundle::default();
        if let Some(last) = size.checked_sub(1) {
            log.source().entries(last, 1, &mut bundle).map_err(ReadError::from)?;
            if bundle.get(last).map(leaf_hash) != Some(Digest::from_bytes(leaf)) {
                let clear = "DELETE FROM fact; DELETE FROM voice; UPDATE progress SET size = 0, leaf = zeroblob(32)";
                self.connection.execute_batch(clear).map_err(failed)?;
                return Ok(0);
            }
        }
        Ok(size)
    }

    /// Up to `limit` entries that `query` asks for, the newest first, from
    /// `after` on.
    ///
    /// # Errors
    /// The index can't be read.
    pub fn find(&self, query: &Query, after: Option<Cursor>, limit: usize) -> Result<Page, IndexError> {
        let failed = |error: rusqlite::Error| IndexError::Index { path: self.path.clone(), source: error.into() };
        let Some(Search { sql, values }) = Search::of(&self.connection, query, after).map_err(failed)? else {
            return Ok(Page { seqs: Vec::new(), next: None });
        };
        let mut statement = self.connection.prepare_cached(&sql).map_err(failed)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX).max(1);
        let values = values.into_iter().chain([Value::Integer(limit.saturating_add(1))]);
        let rows = statement
            .query_map(rusqlite::params_from_iter(values), |row| Ok(Cursor { time: row.get(0)?, seq: row.get(1)? }))
            .map_err(failed)?;
        let mut found = rows.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let more = to_integer(found.len() as u64) > limit;
        if more {
            found.pop();
        }
        let next = found.last().copied().filter(|_| more);
        Ok(Page { seqs: found.iter().map(|cursor| u64::try_from(cursor.seq).unwrap_or(0)).collect(), next })
    }
}

fn open(path: &Path) -> Result<Connection, StorageError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(MODE).open(path)?;
    let connection = Connection::open(path)?;
    // What is lost in a crash is made again.
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;")?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    match connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0))? {
        VERSION => {}
        0 => {
            let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
            transaction.execute_batch(SCHEMA)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
            transaction.commit()?;
        }
        other => return Err(StorageError::Other(format!("its layout {other} is not known"))),
    }
    Ok(connection)
}

/// A query as SQLite takes it.
struct Search {
    sql: String,
    values: Vec<Value>,
}

impl Search {
    /// `None` when the query names what no entry has.
    fn of(connection: &Connection, query: &Query, after: Option<Cursor>) -> Result<Option<Self>, rusqlite::Error> {
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

/// Adds entries.
struct Writer<'t> {
    fact: Statement<'t>,
    voice: Statement<'t>,
    find: Statement<'t>,
    name: Statement<'t>,
    /// Names that were looked up lately.
    known: std::collections::HashMap<String, i64>,
}

/// Names that are kept in memory while entries are added.
const KNOWN_MAX: usize = 65_536;

impl<'t> Writer<'t> {
    fn new(transaction: &'t Transaction<'_>) -> Result<Self, StorageError> {
        Ok(Self {
            fact: transaction.prepare("INSERT OR REPLACE INTO fact VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?,
            voice: transaction.prepare("INSERT OR IGNORE INTO voice VALUES (?1, ?2, ?3)")?,
            find: transaction.prepare("SELECT id FROM name WHERE text = ?1")?,
            name: transaction.prepare("INSERT INTO name (text) VALUES (?1)")?,
            known: std::collections::HashMap::new(),
        })
    }

    fn add(&mut self, entry: &Entry) -> Result<(), StorageError> {
        let (seq, time) = (to_integer(entry.seq), to_integer(entry.time.as_nanos()));
        let (mut agent, mut session, mut operation, mut decision) = (None, None, None, None);
        if let Some(about) = entry.body.about() {
            agent = Some(self.id(about.agent.as_str())?);
            session = Some(self.id(about.session.as_str())?);
        }
        if let Body::Decision(_, body) = &entry.body {
            operation = Some(self.id(body.operation.as_str())?);
            decision = Some(number(body.verdict.decision));
            for reason in &body.verdict.reasons {
                if let Source::Component(component) = &reason.source {
                    let component = self.id(component.name.as_str())?;
                    self.voice.execute((component, time, seq))?;
                }
            }
        }
        self.fact.execute((seq, time, entry.body.kind().tag(), agent, session, operation, decision))?;
        Ok(())
    }

    fn id(&mut self, text: &str) -> Result<i64, StorageError> {
        if let Some(id) = self.known.get(text) {
            return Ok(*id);
        }
        let found = self.find.query_row([text], |row| row.get(0)).optional()?;
        let id = match found {
            Some(id) => id,
            None => self.name.insert([text])?,
        };
        if self.known.len() == KNOWN_MAX {
            self.known.clear();
        }
        self.known.insert(text.to_owned(), id);
        Ok(id)
    }
}

/// As the log's format numbers them.
fn number(decision: Decision) -> i64 {
    match decision {
        Decision::Allow => 1,
        Decision::Backtrack => 2,
        Decision::Escalate => 3,
        Decision::Deny => 4,
    }
}

/// Numbers past SQLite's integers are after all others.
fn to_integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
