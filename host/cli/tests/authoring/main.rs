//! `vak new` and `vak build` in three languages, as an author uses them, and
//! what they built in the real engine.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod building;
mod engine;
mod examples;
mod project;
mod refusals;
mod remembering;
mod typings;
