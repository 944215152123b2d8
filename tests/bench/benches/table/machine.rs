//! What machine this is, and what it can do.

use std::fs::{File, read_to_string};
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::print::quantile;

/// Processor, cores, memory, kernel and load, in one line.
pub(crate) fn describe() -> String {
    let field = |file: &str, name: &str| {
        let text = read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "{}, {} cores, {} of memory, Linux {}, load {}",
        field("/proc/cpuinfo", "model name"),
        std::thread::available_parallelism().map_or(0, usize::from),
        field("/proc/meminfo", "MemTotal"),
        kernel.trim(),
        load.split(' ').next().unwrap_or_default(),
    )
}

/// Milliseconds that an append of one entry and its fdatasync take, mostly.
pub(crate) fn sync(folder: &Path) -> f64 {
    quantile(&mut syncs(folder), 0.5)
}

/// The 99th percentile of that when as many threads as there are cores do
/// something else, as a server and its clients do.
pub(crate) fn busy_sync(folder: &Path) -> f64 {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let mut millis = syncs(folder);
        done.store(true, Ordering::Relaxed);
        quantile(&mut millis, 0.99)
    })
}

fn syncs(folder: &Path) -> Vec<f64> {
    let mut file = File::create(folder.join("raw-sync")).unwrap();
    let sync = |_| {
        let start = Instant::now();
        file.write_all(&[0x5a; 512]).unwrap();
        file.sync_data().unwrap();
        start.elapsed().as_secs_f64() * 1e3
    };
    (0..2_000).map(sync).collect()
}
