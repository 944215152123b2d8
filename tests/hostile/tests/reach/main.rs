//! What a component may touch is what it was granted: everything that is not,
//! tried by real components against real files and servers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod directories;
mod early;
mod http;
mod http_abuse;
mod http_fetch;
mod loading;
mod log;
mod memory;
mod notes;
mod secrets;
mod server;
mod skill;
mod still;
mod through_host;
mod waiting;
