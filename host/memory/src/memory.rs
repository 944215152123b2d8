//! One file with what all agents remember.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use vak_types::{AgentId, Name};

use crate::file;
use crate::recall::Recall;

/// Why memory can't be had. Whoever asked is not at fault.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// The file could not be made.
    #[error("{0}")]
    Io(std::io::Error),
    /// SQLite could not read or write it.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file is something else.
    #[error("{0}")]
    Foreign(String),
    /// Another call changed the scope after this one had looked at it.
    #[error("another call changed `{0}` meanwhile; call again")]
    Conflict(Name),
}

/// What agents remember. Opened when it is first used.
#[derive(Debug)]
pub struct Memory {
    path: PathBuf,
    connection: Mutex<Option<Connection>>,
}

/// A scope that an agent has something in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Whose.
    pub agent: AgentId,
    /// Its name.
    pub scope: Name,
    /// How many values.
    pub values: u32,
    /// How much of [`SCOPE_BYTES_MAX`](crate::SCOPE_BYTES_MAX) they take.
    pub bytes: u32,
}

impl Memory {
    /// The memory in the file at `path`, which need not be there yet; its
    /// folder has to be.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), connection: Mutex::new(None) }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file, so that a problem with it shows now.
    ///
    /// # Errors
    /// It can't be opened or is something else.
    pub fn open(&self) -> Result<(), MemoryError> {
        self.with(|_| Ok(()))
    }

    /// What a call on behalf of `agent` works on.
    pub fn recall(self: &Arc<Self>, agent: &AgentId) -> Recall {
        Recall::new(Arc::clone(self), agent.clone())
    }

    /// Every scope with something in it, by agent and name.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn held(&self) -> Result<Vec<Held>, MemoryError> {
        self.with(|connection| {
            let mut statement = connection.prepare(
                "SELECT agent, name, count(*), scope.bytes FROM scope JOIN item ON item.scope = scope.id
                 GROUP BY scope.id ORDER BY agent, name",
            )?;
            let rows = statement.query_map([], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?))
            })?;
            rows.map(|row| {
                let (agent, scope, values, bytes) = row?;
                let foreign = |error: vak_types::TextError| MemoryError::Foreign(error.to_string());
                let (agent, scope) = (agent.parse().map_err(foreign)?, scope.parse().map_err(foreign)?);
                Ok(Held { agent, scope, values, bytes })
            })
            .collect()
        })
    }

    /// Removes what `agent` remembers, in `scope` or in all of them, and gives
    /// how many values that were. A call that had looked at them fails.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn forget(&self, agent: &AgentId, scope: Option<&Name>) -> Result<u32, MemoryError> {
        self.with(|connection| {
            let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let (agent, scope) = (agent.as_str(), scope.map(Name::as_str));
            let chosen = "scope WHERE agent = ?1 AND (?2 IS NULL OR name = ?2)";
            let values = transaction.query_row(
                &format!("SELECT count(*) FROM item WHERE scope IN (SELECT id FROM {chosen})"),
                (agent, scope),
                |row| row.get(0),
            )?;
            transaction.execute(&format!("DELETE FROM {chosen}"), (agent, scope))?;
            transaction.commit()?;
            // So that what was overwritten in the file is not left in the
            // write-ahead log.
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            Ok(values)
        })
    }

    /// Calls are short: a statement or a commit each.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, MemoryError>,
    ) -> Result<T, MemoryError> {
        let mut connection = self.lock();
        let connection = match &mut *connection {
            Some(connection) => connection,
            none => none.insert(file::open(&self.path)?),
        };
        work(connection)
    }

    /// What a panic left is a transaction that SQLite takes back.
    fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
