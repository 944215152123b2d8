//! The HTTP server.

mod load;
mod served;
mod wrk;

use crate::fixture::rules;
use crate::machine::{busy_sync, sync};
use crate::print::{Row, quantile};
use load::{BATCH, offered};
use served::Served;

/// Decisions after which memory is looked at, beside before the first. By the
/// first of them the tables are full, by which it is seen whether it grows on.
const WARM: usize = 100_000;
const MANY: usize = 1_000_000;

/// Servers of which the rate is the median: it varies by a fifth.
const RUNS: usize = 3;

/// How many a second are to be decided, each on disk before it is answered.
const OFFERED: u32 = 10_000;

/// Decisions over loopback with keep-alive and 64 connections, by one policy;
/// client and server share the machine. Nobody reports outcomes, and all wait.
pub(crate) fn rows() -> Vec<Row> {
    let waiting = "limits = { waiting_max = 10_000_000, waiting_per_agent_max = 10_000_000 }";
    let mut rows = Vec::new();
    for (release, bar) in [("durable", f64::from(OFFERED)), ("accepted", 25_000.0)] {
        let mut measured: Vec<_> = (0..RUNS).map(|_| asked(waiting, release)).collect();
        measured.sort_by(|one, other| one.rate.total_cmp(&other.rate));
        let (slowest, fastest) = (measured[0].rate, measured[RUNS - 1].rate);
        let wrk::Measured { rate, p50, p99 } = measured[RUNS / 2];
        let text = format!("by `wrk`, median of {slowest:.0} to {fastest:.0}; p50 {p50:.2} ms, p99 {p99:.2} ms");
        let what = format!("HTTP decide, {release}, {} connections", load::CONNECTIONS);
        rows.push(Row::at_least(&what, rate, bar, "/s", text));
    }
    {
        let served = Served::start(&rules(20), waiting, "durable");
        let (sync, busy) = (sync(served.folder()), busy_sync(served.folder()));
        let mut millis = offered(served.address(), served.token(), OFFERED);
        let (p50, p99) = (quantile(&mut millis, 0.5), quantile(&mut millis, 0.99));
        let text = format!(
            "{p99:.2} ms; p50 {p50:.2} ms; a sync {sync:.3} ms, its p99 {busy:.2} ms while something else takes both cores"
        );
        let what = format!("… p99 when {OFFERED} a second are asked for");
        rows.push(Row::at_most(&what, p99 / sync, 6.0, "syncs", text));
    }
    let served = Served::start(&rules(20), "", "accepted");
    let idle = served.megabytes();
    rows.push(Row::at_most("memory of an idle server", idle, 60.0, "MB", String::new()));
    let mut connection = load::Batches::to(served.address(), served.token());
    (0..WARM / BATCH).for_each(|_| connection.ask());
    let warm = served.megabytes();
    (WARM / BATCH..MANY / BATCH).for_each(|_| connection.ask());
    let many = served.megabytes();
    let text = format!("{many:.1} MB; after {WARM} {warm:.1} MB; each ended, most of them unreported");
    rows.push(Row::at_most("… more after 1,000,000 decisions", 100.0 * (many / idle - 1.0), 10.0, "%", text));
    rows
}

/// A new server, asked as fast as it answers.
fn asked(waiting: &str, release: &str) -> wrk::Measured {
    let served = Served::start(&rules(20), waiting, release);
    wrk::load(served.address(), served.token(), served.folder())
}
