//! The MCP gateway as its clients see it: the real `vak mcp`, driven over
//! standard input and output.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod attacks;
mod filesystem;
mod filtered;
mod governed;
mod labels;
mod leaving;
mod log;
mod misbehaving;
mod pins;
mod python;
mod raw;
mod reloading;
mod several;
mod site;
