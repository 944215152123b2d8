//! The audit log against implementations of its format that are not this one:
//! a verifier in Python that was written from `host/audit/FORMAT.md`, the test
//! vectors of Certificate Transparency, and other people's crates.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod agree;
mod crashes;
mod decoding;
mod logs;
mod made_elsewhere;
mod oracle;
mod tampering;
mod third_party;
mod vectors;
mod verifiers;
