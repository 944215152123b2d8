//! The limits as a host uses them.
#![cfg(not(loom))]
#![allow(clippy::unwrap_used, clippy::panic)]

mod clock;
mod keys;
mod outcomes;
mod reference;
mod replacing;
mod shadow;
mod sharing;
mod support;
mod threads;
