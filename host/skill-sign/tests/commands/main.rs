//! `vak-skill-sign` as a publisher uses it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod keys;
mod packages;
mod site;
