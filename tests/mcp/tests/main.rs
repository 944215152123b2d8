//! The MCP gateway as its clients see it: the real `vak mcp`, and `vak serve`, which
//! has it too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod approvals;
mod attacks;
mod conformance;
mod disconnected;
mod filesystem;
mod filtered;
mod governed;
mod http;
mod labels;
mod leaving;
mod listening;
mod log;
mod misbehaving;
mod mounted;
mod pins;
mod python;
mod questions;
mod raw;
mod reloading;
mod remote;
mod resources;
mod revived;
mod several;
mod site;
