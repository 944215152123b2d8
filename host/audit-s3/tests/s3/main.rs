//! Logs in buckets of two real servers: `s3s-fs`, which keeps objects as files,
//! so that a test can alter one and restart the server, and moto, which has
//! versions, Object Lock and writes under a condition that exactly one wins.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod archive;
mod conformance;
mod faults;
mod fences;
mod following;
mod http;
mod proxy;
mod servers;
mod site;
mod stores;
mod tampering;
