//! What the benchmarks of `benches/` share with those of the other policy
//! engines in `engines/`: rules of one meaning for all, and a way of measuring.

#![forbid(unsafe_code)]

mod median;
mod same_rules;

pub use median::median_ns;
pub use same_rules::{Asked, Effect, Rule, TEAM, asked, rules};
