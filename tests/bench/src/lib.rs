//! Nothing but benchmarks lives here: see `benches/`, run by `cargo xtask bench`.

#![forbid(unsafe_code)]
