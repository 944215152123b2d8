//! What one call sees and changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};
use vak_types::{AgentId, Name};

use crate::memory::{Memory, MemoryError};

/// Longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 256;

/// Longest value, in bytes. Larger things belong into a directory.
pub const VALUE_BYTES_MAX: usize = 64 << 10;

/// How much one scope of one agent holds, in bytes: its keys, its values, and
/// [`ITEM_BYTES`] for each.
pub const SCOPE_BYTES_MAX: u32 = 16 << 20;

/// How much one call changes in all its scopes, in bytes: it is kept in the
/// host's memory until the call has ended.
pub const CALL_BYTES_MAX: u32 = 1 << 20;

/// How many keys are listed at a time.
pub const KEYS_MAX: usize = 256;

/// What an item takes beside its key and value, about.
const ITEM_BYTES: u32 = 32;

/// Why something was refused. The call goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The key is empty, too long, or has a zero byte in it.
    #[error("a key has 1 to {KEY_BYTES_MAX} bytes, none of them zero")]
    Key,
    /// The value is too long.
    #[error("a value has at most {VALUE_BYTES_MAX} bytes")]
    Value,
    /// There is no room left in the scope, or for changes of this call.
    #[error("there is no room for it")]
    Full,
}

/// What one call sees of an agent's scopes, and has changed in them.
#[derive(Debug)]
pub struct Recall {
    memory: Arc<Memory>,
    agent: AgentId,
    scopes: BTreeMap<Name, View>,
    changed_bytes: u32,
}

/// A scope as it was first looked at, with the call's changes.
#[derive(Debug)]
struct View {
    version: Version,
    bytes: u32,
    /// A value, or that there is none any more.
    changes: BTreeMap<String, Option<Vec<u8>>>,
}

/// Which state of a scope; `None` before the first commit to it.
type Version = Option<i64>;

impl Recall {
    pub(crate) fn new(memory: Arc<Memory>, agent: AgentId) -> Self {
        Self { memory, agent, scopes: BTreeMap::new(), changed_bytes: 0 }
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// The file can't be read, or another call changed the scope.
    pub fn get(&mut self, scope: &Name, key: &str) -> Result<Result<Option<Vec<u8>>, Refusal>, MemoryError> {
        if !is_key(key) {
            return Ok(Err(Refusal::Key));
        }
        if let Some(changed) = self.view(scope)?.changes.get(key) {
            return Ok(Ok(changed.clone()));
        }
        self.looked_up(scope, key, "value").map(Ok)
    }

    /// Gives `key` a value.
    ///
    /// # Errors
    /// The file can't be read, or another call changed the scope.
    pub fn set(&mut self, scope: &Name, key: &str, value: &[u8]) -> Result<Result<(), Refusal>, MemoryError> {
        if value.len() > VALUE_BYTES_MAX {
            return Ok(Err(Refusal::Value));
        }
        self.change(scope, key, Some(value))
    }

    /// Takes `key` and its value away.
    ///
    /// # Errors
    /// The file can't be read, or another call changed the scope.
    pub fn remove(&mut self, scope: &Name, key: &str) -> Result<Result<(), Refusal>, MemoryError> {
        self.change(scope, key, None)
    }

    /// The first [`KEYS_MAX`] keys that begin with `prefix` and come after
    /// `after`, in the order of their bytes.
    ///
    /// # Errors
    /// The file can't be read, or another call changed the scope.
    pub fn keys(&mut self, scope: &Name, prefix: &str, after: Option<&str>) -> Result<Vec<String>, MemoryError> {
        let changes = &self.view(scope)?.changes;
        let asked = |key: &str| key.starts_with(prefix) && after.is_none_or(|after| key > after);
        let changes: BTreeMap<String, bool> =
            changes.iter().filter(|(key, _)| asked(key)).map(|(key, value)| (key.clone(), value.is_some())).collect();
        // Of those in the file as many more as may have been removed.
        let most = KEYS_MAX + changes.len();
        let kept = self.listed(scope, prefix, after, most)?;
        let mut keys: BTreeMap<String, bool> = kept.into_iter().map(|key| (key, true)).collect();
        keys.extend(changes);
        Ok(keys.into_iter().filter_map(|(key, there)| there.then_some(key)).take(KEYS_MAX).collect())
    }

    /// Makes the changes of this call durable, all of them or none.
    ///
    /// # Errors
    /// Another call changed a scope that this one has looked at, or the file
    /// can't be written; nothing was changed then.
    pub fn commit(self) -> Result<(), MemoryError> {
        let Self { memory, agent, scopes, .. } = self;
        if scopes.values().all(|view| view.changes.is_empty()) {
            return Ok(());
        }
        memory.with(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for (name, view) in &scopes {
                if version(&transaction, &agent, name)? != view.version {
                    return Err(MemoryError::Conflict(name.clone()));
                }
            }
            for (name, view) in scopes.iter().filter(|(_, view)| !view.changes.is_empty()) {
                write(&transaction, &agent, name, view)?;
            }
            Ok(transaction.commit()?)
        })
    }

    fn change(&mut self, scope: &Name, key: &str, value: Option<&[u8]>) -> Result<Result<(), Refusal>, MemoryError> {
        if !is_key(key) {
            return Ok(Err(Refusal::Key));
        }
        let before = match self.view(scope)?.changes.get(key) {
            Some(changed) => changed.as_deref().map(length),
            None => self.looked_up::<u32>(scope, key, "length(value)")?,
        };
        let size = |value_bytes: u32| length(key.as_bytes()) + value_bytes + ITEM_BYTES;
        let (before, after) = (before.map_or(0, size), value.map_or(0, |value| size(length(value))));
        let changed_bytes = self.changed_bytes + size(value.map_or(0, length));
        let view = self.view(scope)?;
        let bytes = view.bytes.saturating_sub(before) + after;
        let grows_too_far = after > before && bytes > SCOPE_BYTES_MAX;
        if grows_too_far || changed_bytes > CALL_BYTES_MAX {
            return Ok(Err(Refusal::Full));
        }
        view.bytes = bytes;
        view.changes.insert(key.to_owned(), value.map(<[u8]>::to_vec));
        self.changed_bytes = changed_bytes;
        Ok(Ok(()))
    }

    /// The scope as it was when this call first looked at it.
    fn view(&mut self, scope: &Name) -> Result<&mut View, MemoryError> {
        if !self.scopes.contains_key(scope) {
            let row = self.memory.with(|connection| {
                let mut statement =
                    connection.prepare_cached("SELECT version, bytes FROM scope WHERE agent = ?1 AND name = ?2")?;
                let row =
                    statement.query_row((self.agent.as_str(), scope.as_str()), |row| Ok((row.get(0)?, row.get(1)?)));
                Ok(row.optional()?)
            })?;
            let (version, bytes) = row.map_or((None, 0), |(version, bytes)| (Some(version), bytes));
            self.scopes.insert(scope.clone(), View { version, bytes, changes: BTreeMap::new() });
        }
        self.scopes.get_mut(scope).ok_or_else(|| MemoryError::Conflict(scope.clone()))
    }

    /// `column` of the item in the file. The scope's version is read by the same
    /// statement, so that all a call reads is of one state.
    fn looked_up<T: rusqlite::types::FromSql>(
        &mut self,
        scope: &Name,
        key: &str,
        column: &str,
    ) -> Result<Option<T>, MemoryError> {
        let seen = self.view(scope)?.version;
        let row = self.memory.with(|connection| {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT version, {column} FROM scope LEFT JOIN item ON item.scope = scope.id AND key = ?3
                 WHERE agent = ?1 AND name = ?2"
            ))?;
            let row =
                statement.query_row((self.agent.as_str(), scope.as_str(), key), |row| Ok((row.get(0)?, row.get(1)?)));
            Ok(row.optional()?)
        })?;
        let (version, found) = row.map_or((None, None), |(version, found)| (Some(version), found));
        if version == seen { Ok(found) } else { Err(MemoryError::Conflict(scope.clone())) }
    }

    fn listed(
        &mut self,
        scope: &Name,
        prefix: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<String>, MemoryError> {
        let seen = self.view(scope)?.version;
        let agent = self.agent.as_str();
        self.memory.with(|connection| {
            // One transaction, for the same reason.
            let transaction = connection.transaction()?;
            if version(&transaction, &self.agent, scope)? != seen {
                return Err(MemoryError::Conflict(scope.clone()));
            }
            let mut statement = transaction.prepare_cached(
                "SELECT key FROM item JOIN scope ON scope.id = item.scope
                 WHERE agent = ?1 AND name = ?2 AND key >= ?3 AND key > ?4 AND substr(key, 1, length(?3)) = ?3
                 ORDER BY key LIMIT ?5",
            )?;
            let rows = statement.query_map(
                (agent, scope.as_str(), prefix, after.unwrap_or_default(), i64::try_from(most).unwrap_or(i64::MAX)),
                |row| row.get(0),
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn version(connection: &Connection, agent: &AgentId, scope: &Name) -> rusqlite::Result<Version> {
    let mut statement = connection.prepare_cached("SELECT version FROM scope WHERE agent = ?1 AND name = ?2")?;
    statement.query_row((agent.as_str(), scope.as_str()), |row| row.get(0)).optional()
}

fn write(transaction: &Transaction<'_>, agent: &AgentId, name: &Name, view: &View) -> Result<(), MemoryError> {
    let version: i64 =
        transaction.query_row("UPDATE clock SET commits = commits + 1 RETURNING commits", [], |row| row.get(0))?;
    let scope: i64 = transaction.query_row(
        "INSERT INTO scope (agent, name, version, bytes) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (agent, name) DO UPDATE SET version = ?3, bytes = ?4 RETURNING id",
        (agent.as_str(), name.as_str(), version, view.bytes),
        |row| row.get(0),
    )?;
    for (key, value) in &view.changes {
        match value {
            Some(value) => transaction
                .prepare_cached("INSERT OR REPLACE INTO item (scope, key, value) VALUES (?1, ?2, ?3)")?
                .execute((scope, key, value))?,
            None => {
                transaction.prepare_cached("DELETE FROM item WHERE scope = ?1 AND key = ?2")?.execute((scope, key))?
            }
        };
    }
    Ok(())
}

/// Keys and values are far shorter than this can count.
fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

/// SQLite's functions on texts end at a zero byte.
fn is_key(key: &str) -> bool {
    (1..=KEY_BYTES_MAX).contains(&key.len()) && !key.contains('\0')
}
