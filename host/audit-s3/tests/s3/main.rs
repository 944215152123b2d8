//! Logs in buckets of two real servers: `s3s-fs`, which keeps objects as files,
//! so that a test can alter one and restart the server, and moto, which has
//! versions, Object Lock and writes under a condition that exactly one wins.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod archive;
#[path = "../../../audit/tests/common/log.rs"]
mod common;
mod conformance;
mod faults;
mod fences;
mod following;
mod http;
mod lying;
mod proxy;
mod servers;
mod site;
#[path = "../../../audit/tests/suite/mod.rs"]
mod suite;
mod tampering;
mod uploading;
