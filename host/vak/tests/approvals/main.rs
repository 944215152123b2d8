//! A person answers what was escalated: once, before it expires, and for that
//! action alone.

#![allow(clippy::unwrap_used, clippy::panic)]

mod again;
mod answers;
mod forging;
mod restarts;
mod skills;
mod support;
mod times;
