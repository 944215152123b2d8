//! The real program, asked as browsers, programs and attackers ask.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod browser;
mod files;
mod following;
mod pages;
mod served;
mod uploads;
