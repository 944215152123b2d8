//! `std::time` under the name of a crate that asks a browser for the time.
//!
//! The shell parser's cache depends on `web-time`, which takes every
//! `wasm32-unknown-unknown` for a browser and imports JavaScript. A guest has no
//! JavaScript, and the caches in use have no clock. The workspace puts this in
//! its place.

pub use std::time::*;
