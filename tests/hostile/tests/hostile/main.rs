//! Hostile components, stopped: each with its own failure, recorded, within
//! its limits, and with a host that goes on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod answers;
mod configuring;
mod flips;
mod loading;
mod parallel;
mod policies;
mod skills;
mod tampering;
