//! How many entries become durable, and what one costs.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use vak_audit::{FileStore, Receipt, SqliteStore, Store, Tier};

use super::sample::{ENTRY_BYTES, Sample, open};
use crate::print::{Row, quantile};

const IN_FLIGHT: usize = 1_024;
const MEASURED: Duration = Duration::from_secs(6);
const ACCEPTED: u32 = 1_000_000;

pub(super) fn rows(folder: &Path) -> Vec<Row> {
    let file = Durable::of(folder, Box::new(FileStore::open(&folder.join("segments")).unwrap()));
    let sqlite = Durable::of(folder, Box::new(SqliteStore::open(&folder.join("audit.sqlite")).unwrap()));
    let share = 100.0 * file.rate / file.raw;
    vec![
        Row::at_least("entries of 512 B, durable, 1,024 in flight, segments", file.rate, 100_000.0, "/s", file.floor()),
        Row::at_least("… as a share of the raw loop", share, 60.0, "%", String::new()),
        Row::at_most("… p99, in syncs of the raw loop", file.p99 / file.sync, 6.0, "×", file.latency()),
        Row::at_least("the same, SQLite", sqlite.rate, 60_000.0, "/s", sqlite.floor()),
        accepted(folder),
    ]
}

/// What was measured with one kind of storage.
struct Durable {
    rate: f64,
    /// Seconds.
    p99: f64,
    /// Entries in a commit, on average.
    batch: usize,
    /// Entries a second of the raw loop, and seconds a turn of it.
    raw: f64,
    sync: f64,
}

impl Durable {
    fn of(folder: &Path, store: Box<dyn Store>) -> Self {
        let log = open(store);
        let sample = Sample::new();
        let append = || async {
            let start = Instant::now();
            let receipt = log.append(sample.draft(), Tier::Durable).await.unwrap();
            (receipt, start.elapsed())
        };
        let mut appends: FuturesUnordered<_> = (0..IN_FLIGHT).map(|_| append()).collect();
        let (start, mut seconds) = (Instant::now(), Vec::new());
        let (mut commits, mut last) = (0, None::<Arc<str>>);
        while start.elapsed() < MEASURED {
            let (receipt, took) = block_on(appends.next()).unwrap();
            let Receipt::Durable { checkpoint, .. } = receipt else { panic!("not durable") };
            // Entries of one commit share their checkpoint and come together.
            if !last.as_ref().is_some_and(|last| Arc::ptr_eq(last, &checkpoint)) {
                commits += 1;
                last = Some(checkpoint);
            }
            seconds.push(took.as_secs_f64());
            appends.push(append());
        }
        let rate = seconds.len() as f64 / start.elapsed().as_secs_f64();
        while block_on(appends.next()).is_some() {}
        drop(appends);
        log.close().unwrap();
        let batch = seconds.len() / commits;
        let sync = raw_loop(folder, batch);
        Self { rate, p99: quantile(&mut seconds, 0.99), batch, raw: batch as f64 / sync, sync }
    }

    fn floor(&self) -> String {
        format!("append and sync of {} × {ENTRY_BYTES} B: {:.0} /s", self.batch, self.raw)
    }

    fn latency(&self) -> String {
        format!("p99 {:.2} ms, a sync {:.2} ms", self.p99 * 1e3, self.sync * 1e3)
    }
}

/// Seconds that a plain append of `batch` entries and an fdatasync take, as a
/// mean: what a log that does nothing else would reach.
fn raw_loop(folder: &Path, batch: usize) -> f64 {
    let path = folder.join("raw");
    let mut file = std::fs::File::create(&path).unwrap();
    let bytes = vec![0x5a; batch * ENTRY_BYTES];
    let (start, mut turns) = (Instant::now(), 0_u32);
    while start.elapsed() < MEASURED / 2 {
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
        turns += 1;
    }
    std::fs::remove_file(path).unwrap();
    start.elapsed().as_secs_f64() / f64::from(turns)
}

/// CPU time of an accepted entry, its caller's and the committer's, until all
/// of them are on disk.
fn accepted(folder: &Path) -> Row {
    let log = open(Box::new(FileStore::open(&folder.join("accepted")).unwrap()));
    let sample = Sample::new();
    let cpu = cpu();
    for _ in 0..ACCEPTED {
        block_on(log.append(sample.draft(), Tier::Accepted)).unwrap();
    }
    log.close().unwrap();
    let micros = (self::cpu() - cpu).as_secs_f64() * 1e6 / f64::from(ACCEPTED);
    let start = Instant::now();
    for _ in 0..ACCEPTED {
        std::hint::black_box(sample.draft());
    }
    let encode = start.elapsed().as_secs_f64() * 1e6 / f64::from(ACCEPTED);
    Row::at_most("append, accepted, CPU an entry", micros, 3.0, "µs", format!("encoding it: {encode:.2} µs"))
}

/// User and system time of this process, from Linux's clock ticks of 10 ms.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let ticks: u64 =
        stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(2).flat_map(str::parse::<u64>).sum();
    Duration::from_millis(ticks * 10)
}
