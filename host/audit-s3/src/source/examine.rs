//! Checking what a bucket has beside the entries.

use std::collections::{BTreeMap, BTreeSet};

use vak_audit::{Checkpoint, Entry, Origin, Source as _, Tree, tile_path};

use super::{S3Source, TILE_WIDTH};
use crate::names::{self, CHECKPOINT, CHECKPOINTS, PAYLOADS, Span, TIMES, Times};
use crate::ship::entry_tile;
use crate::{S3Error, segment, versions};

/// Checks a log of `size` entries, which have been read and are those that were
/// signed.
pub(super) fn examine(source: &S3Source, size: u64) -> Result<(), S3Error> {
    check_versions(source)?;
    times(source, size)?;
    tiles(source, size)?;
    checkpoints(source, size)
}

/// `If-None-Match: *` looks at the newest version alone: under a mark that an
/// object was deleted, another can be put over one that is locked.
fn check_versions(source: &S3Source) -> Result<(), S3Error> {
    let Some(versions) = source.bucket.run(|client| async move { client.versions("").await })? else { return Ok(()) };
    let recorded = source.bucket.options().versions.as_deref().map(versions::read).transpose()?.unwrap_or_default();
    let mut seen = BTreeSet::new();
    let mut missing = recorded.clone();
    for version in versions {
        missing.remove(&version.name);
        // Another log may have its place under this one's.
        if !names::is_of_log(&version.name) || version.name == CHECKPOINT {
            continue;
        }
        if version.is_delete_marker && !version.name.starts_with(PAYLOADS) {
            return Err(S3Error::damaged(&version.name, "it was deleted, and older versions may lie under it"));
        }
        if !seen.insert(version.name.clone()) {
            return Err(S3Error::damaged(&version.name, "it has more than one version: it was overwritten"));
        }
        if recorded.get(&version.name).is_some_and(|id| *id != version.id) {
            return Err(S3Error::damaged(&version.name, "it is not the version that was put: it was put anew"));
        }
    }
    match missing.into_keys().find(|name| !name.starts_with(PAYLOADS)) {
        Some(name) => Err(S3Error::damaged(&name, "it was put, and is gone")),
        None => Ok(()),
    }
}

/// Each segment has one object that says when its entries are from, so that
/// asking for a time misses none.
fn times(source: &S3Source, size: u64) -> Result<(), S3Error> {
    source.locate(size.saturating_sub(1))?;
    let mut said: BTreeMap<Span, Vec<Times>> = BTreeMap::new();
    for times in source.list(TIMES)?.iter().filter_map(|name| Times::of_name(name)) {
        said.entry(times.span).or_default().push(times);
    }
    let spans: Vec<_> = source.layout().segments().collect();
    for span in spans {
        let name = span.segment();
        let bundle = source.segment(span.first)?.ok_or_else(|| S3Error::damaged(&name, "it is gone"))?;
        let mut times = Vec::new();
        for entry in bundle.iter() {
            let entry = Entry::decode(entry).map_err(|error| S3Error::damaged(&name, error.to_string()))?;
            times.push(entry.time);
        }
        match (said.get(&span).map(Vec::as_slice), times.iter().min(), times.iter().max()) {
            (Some([said]), Some(earliest), Some(latest)) if said.earliest == *earliest && said.latest == *latest => {}
            _ => return Err(S3Error::damaged(&name, "what `times/` says of its entries is not so, or missing")),
        }
    }
    Ok(())
}

/// The tiles say the same as the segments, for those who read only one of them.
fn tiles(source: &S3Source, size: u64) -> Result<(), S3Error> {
    let tree = Tree::new(source, size);
    let check = |name: String, expected: Vec<u8>| match source.get(name.clone())? {
        Some(object) if object.bytes == expected => Ok(()),
        Some(_) => Err(S3Error::damaged(&name, "it is not that of the entries: it was altered")),
        None => Err(S3Error::damaged(&name, "it is gone")),
    };
    for number in 0..size.div_ceil(TILE_WIDTH) {
        let first = number * TILE_WIDTH;
        let width = (size - first).min(TILE_WIDTH);
        check(tile_path(None, number, width), entry_tile(&segment::cut(source, first, first + width, usize::MAX)?))?;
        let hashes = tree.tile(0, number)?;
        check(tile_path(Some(0), number, width), hashes.iter().flat_map(|hash| *hash.as_bytes()).collect())?;
    }
    Ok(())
}

/// Every copy of a checkpoint is of a beginning of this log: another would show
/// that the log was rewritten. A copy comes after its checkpoint, so one that is
/// of more shows that an old checkpoint was put back.
fn checkpoints(source: &S3Source, size: u64) -> Result<(), S3Error> {
    let names = source.list(CHECKPOINTS)?;
    let Some(head) = source.head()? else { return Err(S3Error::damaged(CHECKPOINT, "it is gone")) };
    let origin = head.lines().next().and_then(|origin| origin.parse::<Origin>().ok());
    let origin = origin.ok_or_else(|| S3Error::damaged(CHECKPOINT, "it names no log"))?;
    for name in names {
        let Some(said) = names::size_of(&name) else { continue };
        if said > source.size() {
            return Err(S3Error::damaged(CHECKPOINT, format!("it is older than `{name}`: it was put back")));
        }
        // Written since the checkpoint was read that is verified.
        if said > size {
            continue;
        }
        let object = source.get(name.clone())?.ok_or_else(|| S3Error::damaged(&name, "it is gone"))?;
        let note = String::from_utf8(object.bytes).map_err(|_| S3Error::damaged(&name, "it is no text"))?;
        let checkpoint = Checkpoint::parse(&note, &origin)?;
        if checkpoint.size() != said || Tree::new(source, said).root()? != checkpoint.root() {
            return Err(S3Error::damaged(&name, "it is not of this log's entries: the log was rewritten"));
        }
    }
    Ok(())
}
