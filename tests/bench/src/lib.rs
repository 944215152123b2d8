//! What the benchmarks in `benches/` share.

#![forbid(unsafe_code)]

mod median;

pub use median::median_ns;
