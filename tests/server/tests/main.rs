//! The HTTP server as its clients see it: the real `vak serve`, driven over
//! sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod adapters;
mod approvals;
mod bodies;
mod claude_code;
mod client;
mod decisions;
mod draining;
mod execute;
mod floods;
mod ids;
mod leaving;
mod marketplace;
mod metrics;
mod openapi;
mod reloading;
mod requests;
mod served;
mod tls;
mod tools;
mod who;
