//! Whole decisions with a durable ledger, many at a time.

use std::collections::HashSet;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vak::Receipt;
use vak_test_support::Site;

use crate::fixture::{request, rules};
use crate::print::{Row, quantile};

const IN_FLIGHT: usize = 1_024;
const MEASURED: Duration = Duration::from_secs(6);

/// Throughput with 1,024 in flight beside a loop that appends and syncs as many
/// bytes in as large batches.
pub(crate) fn rows() -> Vec<Row> {
    let limit = "[[limits]]\nname = 'many'\nper = 'agent'\nburst = 1000000\nactions = 1000000\nperiod_s = 1";
    let site = Site::new().rules(&rules(20)).section(limit);
    let host = Arc::new(site.host());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let start = Instant::now();
    let (decisions, batches) = runtime.block_on(async {
        let workers: Vec<_> = (0..IN_FLIGHT).map(|_| tokio::spawn(work(host.clone(), start + MEASURED))).collect();
        let mut decisions = 0;
        let mut batches = HashSet::new();
        for worker in workers {
            let (count, checkpoints) = worker.await.unwrap();
            decisions += count;
            batches.extend(checkpoints);
        }
        (decisions, batches.len())
    });
    let rate = decisions as f64 / start.elapsed().as_secs_f64();
    drop(runtime);
    let bytes = std::fs::metadata(host.log()).unwrap().len();
    Arc::into_inner(host).unwrap().close().unwrap();

    let batch = decisions / batches.max(1);
    let entry = usize::try_from(bytes).unwrap() / decisions.max(1);
    let raw = raw_loop(site.path(), batch, entry);
    let text = format!("append and sync of {batch} × {entry} B: {raw:.0} /s");
    vec![
        Row::at_least("whole decision, durable, 1,024 in flight", rate, 30_000.0, "/s", text),
        Row::at_least("… as a share of the raw loop", 100.0 * rate / raw, 60.0, "%", String::new()),
    ]
}

async fn work(host: Arc<vak::Host>, end: Instant) -> (usize, HashSet<Arc<str>>) {
    let mut decisions = 0;
    let mut checkpoints = HashSet::new();
    let request = request();
    while Instant::now() < end {
        let decided = host.decide(&host.stamp(request.clone()).unwrap()).await;
        assert!(decided.verdict.is_allow());
        if let Some(Receipt::Durable { checkpoint, .. }) = decided.receipt {
            checkpoints.insert(checkpoint);
        }
        decisions += 1;
    }
    (decisions, checkpoints)
}

/// Entries a second that plain appends of `batch` entries of `entry` bytes and
/// an fdatasync each reach: the median of a second's batches.
fn raw_loop(folder: &std::path::Path, batch: usize, entry: usize) -> f64 {
    let mut file = std::fs::File::create(folder.join("raw")).unwrap();
    let bytes = vec![0x5a; batch * entry];
    let start = Instant::now();
    let mut seconds = Vec::new();
    while start.elapsed() < Duration::from_secs(2) {
        let turn = Instant::now();
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
        seconds.push(turn.elapsed().as_secs_f64());
    }
    batch as f64 / quantile(&mut seconds, 0.5)
}
