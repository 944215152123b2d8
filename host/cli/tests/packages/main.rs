//! Packages from the command line: installing, inspecting, comparing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod component;
mod install;
mod memory;
mod site;
