//! An index from both sides, and those who stand between them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod attacks;
mod names;
mod network;
mod published;
mod stand;
