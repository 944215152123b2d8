//! The thread that writes: one transaction a batch, one sync a transaction.

use std::thread;

use rusqlite::{Connection, Statement, Transaction, TransactionBehavior};
use vak_types::Digest;

use crate::chain::Chain;
use crate::entry::Sealer;
use crate::log::{AppendError, Committed, StopCause};
use crate::merkle::leaf_hash;
use crate::queue::{Pending, Queue};
use crate::storage::{StorageError, allow_writing_on_close};
use crate::{Checkpoint, Origin, Signer, VerifyError, create, tail};

/// How many bytes go into the write-ahead log before they are moved into the
/// main file: 4 MiB. The move stalls the commits. With 16 MiB a busy log has
/// the same throughput at best and twice the 99th percentile of latency.
const WAL_BYTES_MAX: usize = 4 << 20;

/// What a commit adds to the write-ahead log beside its entries, roughly: the
/// head's page and the one the last commit left half full.
const COMMIT_BYTES: usize = 2 * create::PAGE_BYTES as usize;

/// The one writer of a log.
#[derive(Debug)]
pub(crate) struct Committer {
    connection: Connection,
    signer: Signer,
    ledger: Ledger,
}

/// What the next commit starts from.
#[derive(Debug)]
struct Ledger {
    origin: Origin,
    sealer: Sealer,
    chain: Chain,
    checkpoint: Checkpoint,
}

impl Committer {
    /// Continues the log in `connection`.
    ///
    /// # Errors
    /// The end of the log fails a check.
    pub(crate) fn resume(connection: Connection, origin: Origin, signer: Signer) -> Result<Self, VerifyError> {
        let (checkpoint, chain) = tail::check(&connection, &origin, signer.verifier())?;
        let ledger = Ledger { sealer: Sealer::new(&origin), origin, chain, checkpoint };
        Ok(Self { connection, signer, ledger })
    }

    pub(crate) fn checkpoint(&self) -> &Checkpoint {
        &self.ledger.checkpoint
    }

    /// Commits until the queue is closed or a commit fails; gives the last
    /// checkpoint that is on disk.
    pub(crate) fn run(self, queue: &Queue) -> Checkpoint {
        let _guard = StopOnPanic(queue);
        let Self { connection, signer, mut ledger } = self;
        let ended = commit_all(&connection, &signer, &mut ledger, queue)
            .and_then(|()| allow_writing_on_close(&connection).map_err(StopCause::from));
        if let Err(cause) = ended {
            queue.stop(cause);
        }
        ledger.checkpoint
    }
}

fn commit_all(connection: &Connection, signer: &Signer, ledger: &mut Ledger, queue: &Queue) -> Result<(), StopCause> {
    let mut statements = Statements::prepare(connection)?;
    let mut batch = Vec::new();
    let mut leaves = Vec::new();
    let mut wal_bytes = 0;
    while queue.take(&mut batch) {
        leaves.clear();
        if let Err(cause) = ledger.commit(&mut statements, signer, &batch, &mut leaves) {
            // First, so that nobody who is told of it can append once more.
            queue.stop(cause.clone());
            for done in batch.into_iter().filter_map(|pending| pending.done) {
                done.send(Err(AppendError::Stopped(cause.clone()))).unwrap_or(());
            }
            return Err(cause);
        }
        wal_bytes += COMMIT_BYTES + batch.iter().map(|pending| pending.rest.len()).sum::<usize>();
        let checkpoint = ledger.checkpoint.note();
        for (pending, leaf) in batch.drain(..).zip(&leaves) {
            if let Some(done) = pending.done {
                // Fails when nobody waits any more, which is theirs to choose.
                done.send(Ok(Committed { leaf: *leaf, checkpoint: checkpoint.clone() })).unwrap_or(());
            }
        }
        if wal_bytes > WAL_BYTES_MAX {
            statements.move_wal()?;
            wal_bytes = 0;
        }
    }
    Ok(())
}

impl Ledger {
    /// Writes `batch` and the checkpoint that covers it, and returns when they
    /// are on disk. After an error this must not be used again.
    fn commit(
        &mut self,
        statements: &mut Statements<'_>,
        signer: &Signer,
        batch: &[Pending],
        leaves: &mut Vec<Digest>,
    ) -> Result<(), StopCause> {
        let transaction = statements.begin()?;
        for pending in batch {
            let seq = self.chain.frontier().size();
            let bytes = self.sealer.seal(seq, self.chain.prev(), &pending.rest);
            let leaf = leaf_hash(bytes);
            statements.insert(seq, bytes)?;
            self.chain.push(leaf);
            leaves.push(leaf);
        }
        let frontier = self.chain.frontier();
        let checkpoint = Checkpoint::sign(&self.origin, frontier.size(), frontier.root(), signer);
        statements.replace_head(&self.chain.base().to_bytes(), checkpoint.note(), self.checkpoint.note())?;
        transaction.commit().map_err(StorageError::from)?;
        self.checkpoint = checkpoint;
        Ok(())
    }
}

/// The statements, compiled once.
struct Statements<'c> {
    connection: &'c Connection,
    insert: Statement<'c>,
    replace_head: Statement<'c>,
    move_wal: Statement<'c>,
}

impl<'c> Statements<'c> {
    fn prepare(connection: &'c Connection) -> Result<Self, StorageError> {
        Ok(Self {
            connection,
            insert: connection.prepare("INSERT INTO entry (seq, bytes) VALUES (?1, ?2)")?,
            replace_head: connection
                .prepare("UPDATE head SET base = ?1, checkpoint = ?2 WHERE id = 0 AND checkpoint = ?3")?,
            move_wal: connection.prepare("PRAGMA wal_checkpoint(PASSIVE)")?,
        })
    }

    fn begin(&self) -> Result<Transaction<'c>, StorageError> {
        Ok(Transaction::new_unchecked(self.connection, TransactionBehavior::Immediate)?)
    }

    fn insert(&mut self, seq: u64, bytes: &[u8]) -> Result<(), StorageError> {
        let row = i64::try_from(seq).map_err(|_| StorageError::Full("2^63 entries".to_owned()))?;
        self.insert.execute((row, bytes))?;
        Ok(())
    }

    /// Replaces the head if it is still the one this writer left.
    fn replace_head(&mut self, base: &[u8], new: &str, old: &str) -> Result<(), StopCause> {
        match self.replace_head.execute((base, new, old)).map_err(StorageError::from)? {
            1 => Ok(()),
            _ => Err(StopCause::Overwritten),
        }
    }

    /// Moves what readers have let go of from the write-ahead log into the main
    /// file. What they have not is moved another time.
    fn move_wal(&mut self) -> Result<(), StorageError> {
        Ok(self.move_wal.query_row([], |_| Ok(()))?)
    }
}

/// Without a committer, nobody may wait for one.
struct StopOnPanic<'q>(&'q Queue);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop(StopCause::Panicked);
        }
    }
}
