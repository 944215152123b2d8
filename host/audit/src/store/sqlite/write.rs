//! One transaction a commit.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::store::{Batch, StorageError};

/// Writes a batch in one transaction, which SQLite syncs, if the head is still
/// `old`.
pub(crate) fn commit(connection: &Connection, batch: &Batch<'_>, old: &str) -> Result<(), StorageError> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let mut entry = transaction.prepare_cached("INSERT INTO entry (seq, bytes) VALUES (?1, ?2)")?;
    let mut sign = transaction.prepare_cached("INSERT INTO signature (seq, bytes) VALUES (?1, ?2)")?;
    for (seq, bytes, signature) in batch.entries.signed() {
        let row = row(seq)?;
        entry.execute((row, bytes))?;
        if let Some(signature) = signature {
            sign.execute((row, signature))?;
        }
    }
    if !batch.nodes.is_empty() {
        let mut node = transaction.prepare_cached("INSERT INTO node (level, number, hash) VALUES (?1, ?2, ?3)")?;
        for one in batch.nodes {
            node.execute((one.level, row(one.index)?, one.hash.as_bytes()))?;
        }
    }
    for payload in batch.payloads {
        let mut keep =
            transaction.prepare_cached("INSERT INTO payload (commitment, salt, bytes) VALUES (?1, ?2, ?3)")?;
        keep.execute((payload.commitment().digest.as_bytes(), payload.salt, &payload.bytes))?;
    }
    for commitment in batch.erased {
        transaction.prepare_cached("DELETE FROM payload WHERE commitment = ?1")?.execute([commitment.as_bytes()])?;
    }
    let mut head = transaction.prepare_cached("UPDATE head SET checkpoint = ?1 WHERE id = 0 AND checkpoint = ?2")?;
    if head.execute((&**batch.checkpoint.note(), old))? != 1 {
        return Err(StorageError::Overwritten);
    }
    drop((entry, sign, head));
    Ok(transaction.commit()?)
}

/// Moves what readers have let go of from the write-ahead log into the main
/// file. What they have not is moved another time.
pub(crate) fn move_wal(connection: &Connection) -> Result<(), StorageError> {
    Ok(connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?.query_row([], |_| Ok(()))?)
}

fn row(seq: u64) -> Result<i64, StorageError> {
    i64::try_from(seq).map_err(|_| StorageError::Full("2^63 entries".to_owned()))
}
