//! A log to try things on.

#![allow(dead_code)] // Each test file uses some of it.

use std::path::{Path, PathBuf};

use futures_executor::block_on;
use rusqlite::Connection;
use tempfile::TempDir;
use vak_audit::{
    Checkpoint, Draft, Log, OpenError, Options, Origin, Outcome, Receipt, Report, Signer, Status, Tier, VerifierKey,
    VerifyError, verify,
};
use vak_types::{Action, ActionRequest, Decision, Effect, Reason, Timestamp, Verdict};

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
    Log::open(path, origin(), signer(), &Options::default())
}

pub(crate) fn check(path: &Path, trusted: Option<&Checkpoint>) -> Result<Report, VerifyError> {
    verify(path, &origin(), &key(), trusted, |_, _| ())
}

pub(crate) fn action(id: &str) -> Action {
    let request = ActionRequest {
        session: "s1".parse().unwrap(),
        agent: "ada".parse().unwrap(),
        operation: "files/read_file".parse().unwrap(),
        resource: "mcp:files/read_file".parse().unwrap(),
        arguments: Default::default(),
        attributes: Default::default(),
        labels: Vec::new(),
    };
    request.at(id.parse().unwrap(), Timestamp::from_nanos(1_700_000_000_000_000_000))
}

/// A decision on an action with this id, about 200 bytes with a `message` of 20.
pub(crate) fn draft(id: &str, message: &str) -> Draft {
    let verdict = Verdict {
        decision: Decision::Deny,
        reasons: vec![Reason::host(Effect::Forbid, message)],
        retry_after_ms: None,
        unsigned: false,
    };
    Draft::decision(&action(id), &verdict).unwrap()
}

pub(crate) fn outcome(id: &str, decision: u64) -> Draft {
    let outcome =
        Outcome { decision, status: Status::Succeeded, result: None, detail: "done".to_owned(), duration_ns: 5 };
    Draft::outcome(&action(id), Timestamp::from_nanos(1_700_000_001_000_000_000), &outcome).unwrap()
}

pub(crate) fn append(log: &Log, id: &str) -> Receipt {
    block_on(log.append(draft(id, "no policy permits it"), Tier::Durable)).unwrap()
}

/// A closed log with some entries.
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

    pub(crate) fn head(&self) -> (Vec<u8>, String) {
        self.edit().query_row("SELECT base, checkpoint FROM head", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    }

    pub(crate) fn put_head(&self, head: &(Vec<u8>, String)) {
        self.edit().execute("UPDATE head SET base = ?1, checkpoint = ?2", (&head.0, &head.1)).unwrap();
    }

    pub(crate) fn check(&self) -> Result<Report, VerifyError> {
        check(&self.path, None)
    }
}
