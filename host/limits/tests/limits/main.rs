//! The limits as a host uses them.
#![allow(clippy::unwrap_used)]

mod clock;
mod keys;
mod reference;
mod sharing;
mod support;
mod threads;
