//! What is used, as bytes that survive a restart.
//!
//! Version 1, numbers little-endian: `VAKL`, the version, the seed, the limits
//! in order, and by shard the words and meters that have something in them.
//! The last eight bytes are a hash of the others. It finds accidents: whoever
//! can write a snapshot decides what is used.

use std::time::Duration;

use vak_types::{Pattern, Timestamp};

use crate::bytes::{Reader, Writer};
use crate::counts::Counts;
use crate::hash::Seed;
use crate::meter::Meter;
use crate::ring::Ring;
use crate::set::{Entry, KindTerms, Set};
use crate::shard::Shard;
use crate::subject::Key;
use crate::time::Tick;
use crate::word::State;
use crate::{Error, Kind, Limit, Limits, Per, Rate};

const MAGIC: [u8; 4] = *b"VAKL";
const VERSION: u8 = 1;

/// Not a secret: the hash under it is a checksum.
const CHECKSUM: Seed = Seed([0, 0]);

const PERS: [Per; 6] = [Per::Agent, Per::Operation, Per::AgentAndOperation, Per::Session, Per::Label, Per::Host];

pub(crate) fn export(counts: &Counts) -> Vec<u8> {
    let shards = counts.lock_all();
    let set = counts.current();
    let mut out = Writer::default();
    out.bytes(&MAGIC);
    out.u8(VERSION);
    counts.seed.0.iter().for_each(|part| out.u64(*part));
    out.count(set.entries.len());
    set.entries.iter().for_each(|entry| write_limit(&mut out, entry));
    for shard in &shards {
        write_shard(&mut out, &set, shard);
    }
    let mut bytes = out.into_bytes();
    bytes.extend(CHECKSUM.hash(&bytes).to_le_bytes());
    bytes
}

/// The limits as they were, with what was used of them. They cover every
/// operation: which ones they did is not in a snapshot.
pub(crate) fn import(bytes: &[u8], keys_max: usize, now: Timestamp) -> Result<Limits, Error> {
    let mut input = Reader::new(bytes);
    if input.bytes()? != MAGIC {
        return Err(input.damaged("this is no snapshot"));
    }
    match input.u8()? {
        VERSION => {}
        version => return Err(Error::SnapshotVersion { version }),
    }
    let mut input = input.without_checksum(|bytes| CHECKSUM.hash(bytes))?;
    let seed = Seed([input.u64()?, input.u64()?]);
    let count = input.count()?;
    if count > Limits::LIMITS_MAX {
        return Err(input.damaged("there are too many limits"));
    }
    let mut limits = Vec::new();
    for _ in 0..count {
        limits.push(read_limit(&mut input)?);
    }
    let limits = Limits::seeded(limits, keys_max, seed)?;
    let (set, counts) = (limits.set(), limits.counts());
    for mut shard in counts.lock_all() {
        read_shard(&mut input, set, &mut shard)?;
        shard.sweep(set, now);
        if !counts.room.claim(shard.keys()) {
            return Err(Error::SnapshotKeys { keys_max });
        }
    }
    input.end()?;
    Ok(limits)
}

fn write_limit(out: &mut Writer, entry: &Entry) {
    let limit = &entry.limit;
    out.text(limit.name.as_str());
    out.count(PERS.iter().position(|per| *per == limit.per).unwrap_or(0));
    out.duration(limit.hold);
    match &limit.kind {
        Kind::Rate { rate, cost } => {
            let (burst, actions, period_ns) = rate.parts();
            out.u8(0);
            [u64::from(burst), u64::from(actions), period_ns].iter().for_each(|part| out.u64(*part));
            // No attribute's name is empty.
            out.text(cost.as_deref().unwrap_or_default());
        }
        Kind::Quota { actions, window, refund } => {
            out.u8(1);
            out.u64(*actions);
            out.duration(*window);
            out.u8(u8::from(*refund));
        }
        Kind::Concurrency { at_once } => {
            out.u8(2);
            out.u64(*at_once);
        }
        Kind::Budget { amount, window, cost, refund } => {
            out.u8(3);
            out.u64(*amount);
            // No window is zero long.
            out.duration(window.unwrap_or_default());
            out.text(cost);
            out.u8(u8::from(*refund));
        }
    }
}

fn read_limit(input: &mut Reader<'_>) -> Result<Limit, Error> {
    let name = input.text()?.parse().map_err(|_| input.damaged("a limit has no valid name"))?;
    let per = *PERS.get(input.count()?).ok_or_else(|| input.damaged("a limit is per something unknown"))?;
    let hold = input.duration()?;
    let kind = match input.u8()? {
        0 => {
            let (burst, actions, period) = (input.u64()?, input.u64()?, input.duration()?);
            let [burst, actions] = [burst, actions].map(|number| u32::try_from(number).unwrap_or(0));
            let rate = Rate::new(burst, actions, period).map_err(|_| input.damaged("a rate is not possible"))?;
            let cost = Some(input.text()?).filter(|cost| !cost.is_empty()).map(str::to_owned);
            Kind::Rate { rate, cost }
        }
        1 => Kind::Quota { actions: input.u64()?, window: input.duration()?, refund: input.flag()? },
        2 => Kind::Concurrency { at_once: input.u64()? },
        3 => {
            let (amount, window) = (input.u64()?, input.duration()?);
            let window = (window > Duration::ZERO).then_some(window);
            Kind::Budget { amount, window, cost: input.text()?.to_owned(), refund: input.flag()? }
        }
        _ => return Err(input.damaged("a limit is of an unknown kind")),
    };
    Ok(Limit { hold, ..Limit::new(name, per, Pattern::every(), kind) })
}

fn write_shard(out: &mut Writer, set: &Set, shard: &Shard) {
    // By position, which is what the numbers of the first set are.
    let positioned = |key: Key| {
        let position = set.entries.iter().position(|entry| entry.number == key.limit())?;
        Some(key.with_limit(u8::try_from(position + 1).ok()?).0)
    };
    let words = shard.words.iter().map(|(key, bits)| (positioned(key), State::of(bits).arrival.0));
    let words: Vec<_> = words.filter_map(|(key, arrival)| Some((key?, arrival))).filter(|word| word.1 > 0).collect();
    out.count(words.len());
    for (key, arrival) in words {
        out.u64(key);
        out.u64(arrival);
    }
    let meters = shard.meters.iter().filter(|meter| !meter.is_idle());
    let meters: Vec<_> = meters.filter_map(|meter| Some((positioned(meter.key)?, meter))).collect();
    out.count(meters.len());
    for (key, meter) in meters {
        out.u64(key);
        write_ring(out, &meter.spent);
        write_ring(out, &meter.held);
    }
}

fn read_shard(input: &mut Reader<'_>, set: &Set, shard: &mut Shard) -> Result<(), Error> {
    for _ in 0..input.count()? {
        let (key, arrival) = (Key(input.u64()?), input.u64()?);
        let is_rate = matches!(set.numbered(key.limit()).map(|entry| entry.terms), Some(KindTerms::Rate(_)));
        if !is_rate || shard.words.find(key).is_some() {
            return Err(input.damaged("a key is there twice or has no limit"));
        }
        shard.words.insert(key, State { arrival: Tick(arrival), pending: 0 }.bits());
    }
    for _ in 0..input.count()? {
        let key = Key(input.u64()?);
        let is_meter = matches!(set.numbered(key.limit()).map(|entry| entry.terms), Some(KindTerms::Meter(_)));
        if !is_meter || shard.meter_as_is(key).is_some() {
            return Err(input.damaged("a key is there twice or has no limit"));
        }
        let mut meter = Meter::new(key, &mut shard.epochs);
        (meter.spent, meter.held) = (read_ring(input)?, read_ring(input)?);
        shard.insert_meter(meter);
    }
    Ok(())
}

/// The slices that have something in them.
fn write_ring<const N: usize>(out: &mut Writer, ring: &Ring<N>) {
    out.u64(ring.head);
    let filled = || ring.cells.iter().enumerate().filter(|(_, amount)| **amount > 0);
    out.count(filled().count());
    for (at, amount) in filled() {
        out.count(at);
        out.u64(*amount);
    }
}

fn read_ring<const N: usize>(input: &mut Reader<'_>) -> Result<Ring<N>, Error> {
    let mut ring = Ring { head: input.u64()?, cells: [0; N] };
    for _ in 0..input.count()? {
        let (at, amount) = (input.count()?, input.u64()?);
        *ring.cells.get_mut(at).ok_or_else(|| input.damaged("an amount is in no slice"))? = amount;
    }
    Ok(ring)
}
