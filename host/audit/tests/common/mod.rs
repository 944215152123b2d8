//! A log to try things on.

#![allow(dead_code)] // Each test file uses some of it.

use std::path::{Path, PathBuf};

use futures_executor::block_on;
use rusqlite::Connection;
use tempfile::TempDir;
use vak_audit::{
    Body, Checkpoint, Draft, Entry, Expected, FileStore, Log, MemoryStore, OpenError, Options, Origin, Outcome,
    Payloads, Receipt, Report, Signer, Source, SqliteStore, Status, Store, Tier, VerifierKey, VerifyError, open_source,
    verify_all,
};
use vak_types::{Action, ActionRequest, Decision, Effect, Json, Reason, Timestamp, Verdict};

pub(crate) const ORIGIN: &str = "example.org/audit";
pub(crate) const SEED: [u8; 32] = [7; 32];

pub(crate) fn origin() -> Origin {
    ORIGIN.parse().unwrap()
}

pub(crate) fn signer() -> Signer {
    Signer::new(origin(), &SEED)
}

pub(crate) fn key() -> VerifierKey {
    signer().verifier().clone()
}

pub(crate) fn open(path: &Path) -> Result<Log, OpenError> {
    Log::open(Box::new(SqliteStore::open(path)?), origin(), signer(), &Options::default())
}

pub(crate) fn check(path: &Path, trusted: Option<&Checkpoint>) -> Result<Report, VerifyError> {
    let source = open_source(path).map_err(|source| VerifyError::Storage { seq: 0, source })?;
    check_source(&*source, &key(), trusted)
}

pub(crate) fn check_source(
    source: &dyn Source,
    key: &VerifierKey,
    trusted: Option<&Checkpoint>,
) -> Result<Report, VerifyError> {
    let trusted = trusted.map(|checkpoint| &**checkpoint.note());
    let origin = origin();
    verify_all(source, &Expected { origin: &origin, key, trusted, witnesses: None, range: None }, |_, _| ())
}

pub(crate) fn action(id: &str) -> Action {
    let request = ActionRequest {
        session: "s1".parse().unwrap(),
        agent: "ada".parse().unwrap(),
        operation: "files/read_file".parse().unwrap(),
        resource: "mcp:files/read_file".parse().unwrap(),
        arguments: Json::parse(r#"{"path":"/tmp/a"}"#).unwrap(),
        attributes: Default::default(),
        labels: Vec::new(),
    };
    request.at(id.parse().unwrap(), Timestamp::from_nanos(1_700_000_000_000_000_000))
}

/// A decision on an action with this id, about 200 bytes with a `message` of 20.
pub(crate) fn draft(id: &str, message: &str) -> Draft {
    draft_with(id, message, Payloads::Inline)
}

pub(crate) fn draft_with(id: &str, message: &str, payloads: Payloads) -> Draft {
    let verdict = Verdict {
        decision: Decision::Deny,
        reasons: vec![Reason::host(Effect::Forbid, message)],
        retry_after_ms: None,
        unsigned: false,
    };
    Draft::decision(&action(id), &verdict, payloads).unwrap()
}

pub(crate) fn outcome(id: &str, decision: u64) -> Draft {
    let outcome =
        Outcome { decision, status: Status::Succeeded, result: None, detail: "done".to_owned(), duration_ns: 5 };
    Draft::outcome(&action(id), Timestamp::from_nanos(1_700_000_001_000_000_000), &outcome).unwrap()
}

pub(crate) fn append(log: &Log, id: &str) -> Receipt {
    block_on(log.append(draft(id, "no policy permits it"), Tier::Durable)).unwrap()
}

/// The id of the action that an entry is about.
pub(crate) fn id(entry: &Entry) -> String {
    entry.body.about().map_or_else(|| entry.body.kind().to_string(), |about| about.action.to_string())
}

pub(crate) fn is_decision(entry: &Entry) -> bool {
    matches!(entry.body, Body::Decision(..))
}

/// The kinds of storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Memory,
    Sqlite,
    File,
}

pub(crate) const KINDS: [Kind; 3] = [Kind::Memory, Kind::Sqlite, Kind::File];
pub(crate) const ON_DISK: [Kind; 2] = [Kind::Sqlite, Kind::File];

/// A place for a log of some kind.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) path: PathBuf,
    pub(crate) kind: Kind,
    /// Short, so that there are some segments.
    pub(crate) segment_bytes: u64,
    pub(crate) memory: MemoryStore,
}

impl Place {
    pub(crate) fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { path: folder.path().join("audit"), folder, kind, segment_bytes: 20_000, memory: MemoryStore::new() }
    }

    pub(crate) fn store(&self) -> Box<dyn Store> {
        self.try_store().unwrap()
    }

    pub(crate) fn try_store(&self) -> Result<Box<dyn Store>, OpenError> {
        Ok(match self.kind {
            Kind::Memory => Box::new(self.memory.clone()),
            Kind::Sqlite => Box::new(SqliteStore::open(&self.path)?),
            Kind::File => Box::new(FileStore::with_segments(&self.path, self.segment_bytes)?),
        })
    }

    pub(crate) fn try_open(&self) -> Result<Log, OpenError> {
        Log::open(self.try_store()?, origin(), signer(), &Options::default())
    }

    pub(crate) fn open(&self) -> Log {
        self.try_open().unwrap()
    }

    pub(crate) fn source(&self) -> Box<dyn Source> {
        match self.kind {
            Kind::Memory => Box::new(self.memory.clone()),
            _ => open_source(&self.path).unwrap(),
        }
    }

    pub(crate) fn check(&self, trusted: Option<&Checkpoint>) -> Result<Report, VerifyError> {
        check_source(&*self.source(), &key(), trusted)
    }

    /// Appends so many entries, `batch` to a commit, and closes the log.
    pub(crate) fn extend(&self, entries: u64, batch: u64) -> Checkpoint {
        let log = self.open();
        for index in 0..entries {
            let tier = if (index + 1) % batch == 0 { Tier::Durable } else { Tier::Accepted };
            block_on(log.append(draft(&format!("a-{index}"), "no policy permits it"), tier)).unwrap();
        }
        log.close().unwrap()
    }

    /// All bytes of all entries.
    pub(crate) fn entries(&self) -> Vec<Vec<u8>> {
        let (source, mut bundle, mut entries) = (self.source(), vak_audit::Bundle::default(), Vec::new());
        loop {
            source.entries(entries.len() as u64, u64::MAX >> 1, &mut bundle).unwrap();
            if bundle.is_empty() {
                return entries;
            }
            entries.extend(bundle.iter().map(<[u8]>::to_vec));
        }
    }
}

/// A closed log with some entries, in an SQLite file.
pub(crate) struct Sample {
    pub(crate) folder: TempDir,
    pub(crate) path: PathBuf,
    pub(crate) checkpoint: Checkpoint,
}

impl Sample {
    pub(crate) fn of(entries: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.db");
        let checkpoint = Self::extend(&path, entries);
        Self { folder, path, checkpoint }
    }

    pub(crate) fn extend(path: &Path, entries: u64) -> Checkpoint {
        let log = open(path).unwrap();
        for index in 0..entries {
            let tier = if index + 1 == entries { Tier::Durable } else { Tier::Accepted };
            block_on(log.append(draft(&format!("a-{index}"), "no policy permits it"), tier)).unwrap();
        }
        log.close().unwrap()
    }

    /// Changes the file as somebody would who has it for an hour.
    pub(crate) fn tamper(&self, sql: &str) {
        self.edit().execute_batch(sql).unwrap();
    }

    pub(crate) fn edit(&self) -> Connection {
        let connection = Connection::open(&self.path).unwrap();
        connection.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF").unwrap();
        connection
    }

    pub(crate) fn entry(&self, seq: i64) -> Vec<u8> {
        self.edit().query_row("SELECT bytes FROM entry WHERE seq = ?1", [seq], |row| row.get(0)).unwrap()
    }

    pub(crate) fn put(&self, seq: i64, bytes: &[u8]) {
        self.edit().execute("INSERT OR REPLACE INTO entry (seq, bytes) VALUES (?1, ?2)", (seq, bytes)).unwrap();
    }

    pub(crate) fn head(&self) -> String {
        self.edit().query_row("SELECT checkpoint FROM head", [], |row| row.get(0)).unwrap()
    }

    pub(crate) fn put_head(&self, note: &str) {
        self.edit().execute("UPDATE head SET checkpoint = ?1", [note]).unwrap();
    }

    pub(crate) fn check(&self) -> Result<Report, VerifyError> {
        check(&self.path, None)
    }
}
