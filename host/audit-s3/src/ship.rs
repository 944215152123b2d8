//! Bringing a log's new entries into the bucket, up to one checkpoint.
//!
//! The checkpoint in the bucket comes after everything it covers, and what is
//! never written again comes before it under names that are the same each time.
//! So an upload that was cut short is done again from the bucket's checkpoint on:
//! what is there already is compared and left.

use std::sync::atomic::AtomicBool;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use vak_audit::{Bundle, Checkpoint, Entry, Source, Tree, VerifyError, tile_path};
use vak_types::Digest;

use crate::client::New;
use crate::fence::Fence;
use crate::names::{self, Span, Times};
use crate::{Bucket, S3Error, segment, versions};

/// Entries or hashes in a full tile.
const TILE_WIDTH: u64 = 256;

/// Levels of tiles that a log can have.
const LEVELS: u8 = 8;

/// Requests at a time: with 16, a server 50 ms away takes 300 objects a second.
const REQUESTS_MAX: usize = 16;

/// About how many bytes of objects are held until they are uploaded: 16 MiB.
const HELD_BYTES_MAX: usize = 16 << 20;

/// Uploads what `target` covers and the bucket has not, then `target`.
pub(crate) fn ship(
    bucket: &Bucket,
    source: &dyn Source,
    fence: &mut Fence,
    target: &Checkpoint,
    cut: &AtomicBool,
) -> Result<(), S3Error> {
    let copy = New::of(names::checkpoint_copy(target.size()), target.note().as_bytes().to_vec());
    let mut cargo = Cargo { bucket, cut, held: Vec::new(), bytes: 0 };
    fence.check(bucket, target.origin(), cut)?;
    if fence.etag.is_some() && fence.size >= target.size() {
        // Cut short between the two, at most.
        cargo.add(copy)?;
        return cargo.unload();
    }
    let tree = Tree::new(source, target.size());
    let computed = tree.root()?;
    if computed != target.root() {
        let (size, signed) = (target.size(), target.root());
        return Err(VerifyError::Root { size, computed, signed }.into());
    }
    let erased = segments(&mut cargo, source, fence.size, target.size())?;
    tiles(&mut cargo, source, &tree, fence.size, target.size())?;
    cargo.unload()?;
    for commitment in erased {
        bucket.run_until(cut, |client| async move { client.erase(&names::payload(&commitment)).await })?;
    }
    fence.advance(bucket, target, cut)?;
    // After the fence: of these only the one writer's are there.
    cargo.add(copy)?;
    cargo.unload()
}

/// Objects on their way.
struct Cargo<'a> {
    bucket: &'a Bucket,
    cut: &'a AtomicBool,
    held: Vec<New>,
    bytes: usize,
}

impl Cargo<'_> {
    fn add(&mut self, new: New) -> Result<(), S3Error> {
        self.bytes += new.bytes.len();
        self.held.push(new);
        if self.bytes >= HELD_BYTES_MAX { self.unload() } else { Ok(()) }
    }

    fn unload(&mut self) -> Result<(), S3Error> {
        self.bytes = 0;
        let held = std::mem::take(&mut self.held);
        let put = self.bucket.run_until(self.cut, |client| async move {
            let puts = held.into_iter().map(|new| {
                let client = std::sync::Arc::clone(&client);
                async move { Ok::<_, S3Error>((client.create(&new).await?, new.name)) }
            });
            let put = stream::iter(puts).buffer_unordered(REQUESTS_MAX);
            put.map_ok(|(version, name)| (name, version)).try_collect::<Vec<_>>().await
        })?;
        match &self.bucket.options().versions {
            Some(path) => versions::record(path, &put),
            None => Ok(()),
        }
    }
}

/// Uploads segments and payloads; gives the payloads that entries among them
/// say were erased.
fn segments(cargo: &mut Cargo<'_>, source: &dyn Source, from: u64, to: u64) -> Result<Vec<Digest>, S3Error> {
    let mut erased = Vec::new();
    let mut next = from;
    while next < to {
        let bundle = segment::cut(source, next, to, cargo.bucket.options().segment_bytes)?;
        let (times, payloads) = look_through(&bundle, &mut erased)?;
        for commitment in payloads {
            // None when it was erased: an entry says so, here or further on.
            if let Some(payload) = source.payload(&commitment)? {
                let bytes = [&payload.salt[..], &payload.bytes].concat();
                cargo.add(New { lockable: false, ..New::of(names::payload(&commitment), bytes) })?;
            }
        }
        let segment = New::of(times.span.segment(), segment::pack(&bundle)?);
        cargo.add(New { archived: true, same: segment::is_same, ..segment })?;
        cargo.add(New::of(times.name(), Vec::new()))?;
        next = bundle.end();
    }
    Ok(erased)
}

/// When the entries are from and which payloads they name. Adds those that they
/// say were erased.
fn look_through(bundle: &Bundle, erased: &mut Vec<Digest>) -> Result<(Times, Vec<Digest>), S3Error> {
    let mut payloads = Vec::new();
    let mut times: Option<Times> = None;
    for (seq, bytes, _) in bundle.signed() {
        let decoded = Entry::decode(bytes);
        let entry = decoded.map_err(|error| VerifyError::Entry { seq, source: error.into() })?;
        let span = Span { first: bundle.first(), last: seq };
        times = Some(match times {
            None => Times { span, earliest: entry.time, latest: entry.time },
            Some(so_far) => {
                Times { span, earliest: so_far.earliest.min(entry.time), latest: so_far.latest.max(entry.time) }
            }
        });
        payloads.extend(entry.body.commitments().map(|commitment| commitment.digest));
        erased.extend(entry.body.erases());
    }
    let missing = VerifyError::Missing { seq: bundle.first(), size: bundle.end() };
    Ok((times.ok_or(missing)?, payloads))
}

/// Uploads the tiles that have grown.
fn tiles(cargo: &mut Cargo<'_>, source: &dyn Source, tree: &Tree<'_>, from: u64, to: u64) -> Result<(), S3Error> {
    for (number, width) in grown(from, to) {
        let first = number * TILE_WIDTH;
        let bundle = segment::cut(source, first, first + width, usize::MAX)?;
        cargo.add(New::of(tile_path(None, number, width), entry_tile(&bundle)))?;
    }
    for level in 0..LEVELS {
        let shift = 8 * u32::from(level);
        for (number, width) in grown(from >> shift, to >> shift) {
            let hashes = tree.tile(level, number)?;
            if hashes.len() as u64 != width {
                return Err(VerifyError::NoNode { level, index: number * TILE_WIDTH + hashes.len() as u64 }.into());
            }
            let bytes = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
            cargo.add(New::of(tile_path(Some(level), number, width), bytes))?;
        }
    }
    Ok(())
}

/// The numbers and widths of the tiles that have more than before, when a level
/// went from `from` hashes to `to`.
fn grown(from: u64, to: u64) -> impl Iterator<Item = (u64, u64)> {
    let last = if from == to { from / TILE_WIDTH } else { to.div_ceil(TILE_WIDTH) };
    (from / TILE_WIDTH..last).map(move |number| (number, (to - number * TILE_WIDTH).min(TILE_WIDTH)))
}

/// An entry bundle of C2SP tlog-tiles.
pub(crate) fn entry_tile(bundle: &Bundle) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in bundle.iter() {
        // An entry has at most 65,535 bytes.
        bytes.extend_from_slice(&u16::try_from(entry.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tiles_that_have_grown_are_uploaded() {
        type Tiles = &'static [(u64, u64)];
        let cases: [(u64, u64, Tiles); 7] = [
            (0, 0, &[]),
            (0, 3, &[(0, 3)]),
            (3, 5, &[(0, 5)]),
            (3, 256, &[(0, 256)]),
            (256, 256, &[]),
            (256, 257, &[(1, 1)]),
            (255, 600, &[(0, 256), (1, 256), (2, 88)]),
        ];
        for (from, to, expected) in cases {
            assert_eq!(grown(from, to).collect::<Vec<_>>(), expected, "{from} to {to}");
        }
    }
}
