//! Adding entries to an index.

use std::collections::HashMap;

use rusqlite::{OptionalExtension as _, Statement, Transaction};
use vak_types::Source;

use super::{number, to_integer};
use crate::store::StorageError;
use crate::{Body, Entry};

/// Adds entries.
pub(super) struct Writer<'t> {
    fact: Statement<'t>,
    voice: Statement<'t>,
    find: Statement<'t>,
    name: Statement<'t>,
    /// Names that were looked up lately.
    known: HashMap<String, i64>,
}

/// Names that are kept in memory while entries are added.
const KNOWN_MAX: usize = 65_536;

impl<'t> Writer<'t> {
    pub(super) fn new(transaction: &'t Transaction<'_>) -> Result<Self, StorageError> {
        Ok(Self {
            fact: transaction.prepare("INSERT OR REPLACE INTO fact VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?,
            voice: transaction.prepare("INSERT OR IGNORE INTO voice VALUES (?1, ?2, ?3)")?,
            find: transaction.prepare("SELECT id FROM name WHERE text = ?1")?,
            name: transaction.prepare("INSERT INTO name (text) VALUES (?1)")?,
            known: HashMap::new(),
        })
    }

    pub(super) fn add(&mut self, entry: &Entry) -> Result<(), StorageError> {
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
