//! How long calls take.

use std::fmt;
use std::time::{Duration, Instant};

/// How long calls took, one after another on one thread.
#[derive(Debug, Clone)]
pub struct Pace {
    sorted: Vec<Duration>,
}

impl Pace {
    /// Measures `calls` calls, after a tenth as many that don't count.
    pub(crate) fn of(calls: usize, mut call: impl FnMut()) -> Self {
        for _ in 0..calls / 10 {
            call();
        }
        let mut sorted: Vec<_> = (0..calls.max(1))
            .map(|_| {
                let start = Instant::now();
                call();
                start.elapsed()
            })
            .collect();
        sorted.sort();
        Self { sorted }
    }

    /// How many were measured.
    pub fn calls(&self) -> usize {
        self.sorted.len()
    }

    /// The longest that `percent` of 100 calls took.
    pub fn percentile(&self, percent: usize) -> Duration {
        let at = (self.sorted.len() * percent.min(100) / 100).min(self.sorted.len() - 1);
        self.sorted[at]
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = |percent| self.percentile(percent).as_secs_f64() * 1e6;
        write!(
            f,
            "median {:.1} µs, p90 {:.1} µs, p99 {:.1} µs, longest {:.1} µs",
            micros(50),
            micros(90),
            micros(99),
            micros(100)
        )
    }
}
