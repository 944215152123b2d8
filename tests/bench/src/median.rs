//! How long a call takes.

use std::time::{Duration, Instant};

/// Calls are timed in batches of about this length: long against reading the
/// clock, short against what the system takes the processor away for.
const BATCH: Duration = Duration::from_micros(20);

const WARM_UP: Duration = Duration::from_millis(500);
const MEASURED: Duration = Duration::from_secs(2);

/// The median over batches of what a call takes, in nanoseconds.
pub fn median_ns(mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut calls = 0_u32;
    while start.elapsed() < WARM_UP {
        call();
        calls += 1;
    }
    let batch = (BATCH.as_secs_f64() / (start.elapsed() / calls).as_secs_f64()).ceil() as u32;
    let mut nanos = Vec::new();
    let start = Instant::now();
    while start.elapsed() < MEASURED {
        let start = Instant::now();
        for _ in 0..batch {
            call();
        }
        nanos.push(start.elapsed().as_nanos() as f64 / f64::from(batch));
    }
    nanos.sort_by(f64::total_cmp);
    nanos[nanos.len() / 2]
}
