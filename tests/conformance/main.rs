//! The audit log and signatures of packages against implementations of their
//! formats that are not this one: verifiers in Python that were written from
//! `host/audit/FORMAT.md` and `host/trust/FORMAT.md`, the test vectors of
//! Certificate Transparency, and other people's crates.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod agree;
mod crashes;
mod decoding;
mod logs;
mod made_elsewhere;
mod oracle;
mod packages;
mod tampering;
mod third_party;
mod vectors;
mod verifiers;
