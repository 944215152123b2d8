//! Indexes to show: one for the eye, one that is hostile, and a large one.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc)]

mod market;
mod packages;

pub use market::Market;
pub use packages::{Made, crowd, hostile, shelf};
