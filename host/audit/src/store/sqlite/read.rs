//! Reading the file, beside its writer or without one.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior};
use vak_types::Digest;

use super::connect::open_reader;
use super::create::{APPLICATION_ID, SCHEMA};
use crate::bundle::Bundle;
use crate::checkpoint::size_in;
use crate::payload::Payload;
use crate::store::{Source, StorageError};

/// Reads a log in an SQLite file.
#[derive(Debug)]
pub struct SqliteSource {
    connection: Connection,
}

impl SqliteSource {
    /// Opens the log at `path`. One that no host has open is read as it is now,
    /// even if a host opens it later.
    ///
    /// # Errors
    /// The file can't be opened.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        Ok(Self { connection: open_reader(path, false)? })
    }

    pub(crate) fn beside_writer(path: &Path) -> Result<Self, StorageError> {
        Ok(Self { connection: open_reader(path, true)? })
    }
}

/// The newest checkpoint's note; `None` when there is not exactly one row.
pub(crate) fn head(connection: &Connection) -> Result<Option<String>, StorageError> {
    let mut statement = connection.prepare_cached("SELECT checkpoint FROM head LIMIT 2")?;
    let rows = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    Ok(<[_; 1]>::try_from(rows).ok().map(|[note]| note))
}

impl Source for SqliteSource {
    fn head(&self) -> Result<Option<String>, StorageError> {
        head(&self.connection)
    }

    fn entries(&self, from: u64, count: u64, bundle: &mut Bundle) -> Result<(), StorageError> {
        bundle.clear(from);
        let mut statement = self.connection.prepare_cached(
            "SELECT entry.seq, entry.bytes, signature.bytes FROM entry LEFT JOIN signature USING (seq)
             WHERE entry.seq >= ?1 ORDER BY entry.seq LIMIT ?2",
        )?;
        let mut rows = statement.query((row_of(from), row_of(count)))?;
        while let Some(row) = rows.next()? {
            // A gap ends what is read; whoever asks for the next entry sees it.
            if row.get::<_, i64>(0)? != row_of(bundle.end()) || bundle.is_full() {
                break;
            }
            bundle.push(blob(row, 1)?);
            if row.get_ref(2)? != ValueRef::Null {
                bundle.sign_last(array(row, 2)?);
            }
        }
        Ok(())
    }

    fn nodes(&self, level: u8, from: u64, count: u64) -> Result<Vec<Digest>, StorageError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT number, hash FROM node WHERE level = ?1 AND number >= ?2 ORDER BY number LIMIT ?3",
        )?;
        let mut rows = statement.query((level, row_of(from), row_of(count)))?;
        let mut nodes = Vec::new();
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>(0)? != row_of(from + nodes.len() as u64) {
                break;
            }
            nodes.push(Digest::from_bytes(array(row, 1)?));
        }
        Ok(nodes)
    }

    fn payload(&self, commitment: &Digest) -> Result<Option<Payload>, StorageError> {
        let mut statement = self.connection.prepare_cached("SELECT salt, bytes FROM payload WHERE commitment = ?1")?;
        let read = |row: &Row<'_>| Ok((array(row, 0), blob(row, 1).map(<[u8]>::to_owned)));
        match statement.query_row([commitment.as_bytes()], read).optional()? {
            Some((salt, bytes)) => Ok(Some(Payload { salt: salt?, bytes: bytes? })),
            None => Ok(None),
        }
    }

    fn payloads(&self) -> Result<u64, StorageError> {
        count(&self.connection, "SELECT count(*) FROM payload")
    }

    fn examine(&self, size: u64) -> Result<(), StorageError> {
        let damaged = |what: String| Err(StorageError::Damaged(what));
        // Head and rows of one moment: a host may be writing.
        let _moment = Transaction::new_unchecked(&self.connection, TransactionBehavior::Deferred)?;
        let now = self.head()?.as_deref().and_then(size_in);
        let size = match now {
            Some(now) if now >= size => now,
            _ => return damaged(format!("the checkpoint covered {size} entries, and does no more")),
        };
        let id: i32 = self.connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
        if id != APPLICATION_ID {
            return damaged("the file does not say that it is an audit log".to_owned());
        }
        let mut statement =
            self.connection.prepare("SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name")?;
        let schema = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let schema = schema.collect::<Result<Vec<(String, String)>, _>>()?;
        // The index that SQLite makes for the key of `payload`; it has no text.
        let own = |(name, sql): &&(String, String)| name != "sqlite_autoindex_payload_1" || !sql.is_empty();
        if !schema.iter().filter(own).map(|(name, sql)| (name.as_str(), sql.as_str())).eq(SCHEMA) {
            return damaged("the file's tables are not those of an audit log".to_owned());
        }
        for table in ["entry", "signature"] {
            // Two statements, because SQLite looks up one end of an index at a
            // time and would scan the table for both.
            for end in ["min", "max"] {
                let seq: Option<i64> =
                    self.connection.query_row(&format!("SELECT {end}(seq) FROM {table}"), [], |row| row.get(0))?;
                if let Some(seq) = seq.filter(|seq| u64::try_from(*seq).map_or(true, |seq| seq >= size)) {
                    return damaged(format!(
                        "the checkpoint covers {size} entries, from 0 on, and there is a row {seq} in `{table}`"
                    ));
                }
            }
        }
        let expected: u64 = (1..8).map(|level| size >> (8 * level)).sum();
        match count(&self.connection, "SELECT count(*) FROM node")? {
            found if found == expected => Ok(()),
            found => damaged(format!("{found} subtrees are stored, and a log of {size} entries has {expected}")),
        }
    }
}

fn count(connection: &Connection, query: &str) -> Result<u64, StorageError> {
    let count: i64 = connection.query_row(query, [], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

fn blob<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r [u8], StorageError> {
    row.get_ref(column)?.as_blob().map_err(|error| StorageError::Damaged(error.to_string()))
}

fn array<const N: usize>(row: &Row<'_>, column: usize) -> Result<[u8; N], StorageError> {
    let bytes = blob(row, column)?;
    bytes.try_into().map_err(|_| StorageError::Damaged(format!("a value has {} bytes and not {N}", bytes.len())))
}

/// Sequence numbers past SQLite's integers belong to no entry.
fn row_of(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
