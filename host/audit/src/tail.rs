//! The checks on the head and the end of a log.

use rusqlite::Connection;
use vak_types::Digest;

use crate::chain::{Chain, base_of};
use crate::merkle::{Frontier, leaf_hash};
use crate::storage::{Head, SCHEMA, read_entries, read_head, read_schema};
use crate::{Checkpoint, Origin, VerifierKey, VerifyError};

/// Checks the head, and that the entries since its base lead to its root. They
/// are up to [`BASE_INTERVAL`](crate::chain::BASE_INTERVAL), and they can't be
/// others: the root over the base and them is signed.
pub(crate) fn check(
    connection: &Connection,
    origin: &Origin,
    key: &VerifierKey,
) -> Result<(Checkpoint, Chain), VerifyError> {
    let (checkpoint, base) = head(connection, origin, key)?;
    let first = base.size();
    let mut chain = match first {
        0 => Chain::start(origin.clone()),
        _ => Chain::resume(origin.clone(), base, leaf_before(connection, first)?),
    };
    let rows = checkpoint.size() - first;
    let entries = read_entries(connection, to_row(first), u32::try_from(rows).unwrap_or(u32::MAX))
        .map_err(|source| VerifyError::Storage { seq: first, source })?;
    for (row, bytes) in entries {
        let seq = chain.frontier().size();
        chain.check(row, &bytes).map_err(|source| VerifyError::Entry { seq, source })?;
    }
    root(&chain, &checkpoint)?;
    Ok((checkpoint, chain))
}

/// Checks the file's schema, the signature of the head, and that the first and
/// the last entry stand where it says.
pub(crate) fn head(
    connection: &Connection,
    origin: &Origin,
    key: &VerifierKey,
) -> Result<(Checkpoint, Frontier), VerifyError> {
    let failed = |source| VerifyError::Storage { seq: 0, source };
    let schema = read_schema(connection).map_err(failed)?;
    if !schema.iter().map(|(name, sql)| (name.as_str(), sql.as_str())).eq(SCHEMA) {
        return Err(VerifyError::Schema);
    }
    let Head { base, note, range } = read_head(connection).map_err(failed)?.ok_or(VerifyError::NoHead)?;
    let checkpoint = Checkpoint::open(&note, origin, key)?;
    let size = checkpoint.size();
    let (first, last) = range.unwrap_or((0, -1));
    if first != 0 {
        return Err(VerifyError::Stray { row: first, size });
    }
    match last.checked_add(1).and_then(|rows| u64::try_from(rows).ok()) {
        Some(rows) if rows == size => {}
        Some(rows) if rows < size => return Err(VerifyError::Cut { rows, size }),
        _ => return Err(VerifyError::Stray { row: last, size }),
    }
    let base = Frontier::from_bytes(base_of(size), &base).ok_or(VerifyError::Frontier)?;
    Ok((checkpoint, base))
}

/// Checks that the entries of `chain` are those of `checkpoint`.
pub(crate) fn root(chain: &Chain, checkpoint: &Checkpoint) -> Result<(), VerifyError> {
    let (size, computed) = (chain.frontier().size(), chain.frontier().root());
    if size != checkpoint.size() {
        return Err(VerifyError::Cut { rows: size, size: checkpoint.size() });
    }
    if computed != checkpoint.root() {
        return Err(VerifyError::Root { size, computed, signed: checkpoint.root() });
    }
    Ok(())
}

/// Sequence numbers past SQLite's integers belong to no entry.
pub(crate) fn to_row(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

fn leaf_before(connection: &Connection, seq: u64) -> Result<Digest, VerifyError> {
    let seq = seq - 1;
    let rows = read_entries(connection, to_row(seq), 1).map_err(|source| VerifyError::Storage { seq, source })?;
    match rows.first() {
        Some((row, bytes)) if *row == to_row(seq) => Ok(leaf_hash(bytes)),
        _ => Err(VerifyError::Cut { rows: seq, size: seq + 1 }),
    }
}
