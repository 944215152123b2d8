//! Ready guards over the arguments of an action, configured by a TOML text.
//!
//! ```toml
//! [secrets]
//! effect = "redact"
//!
//! [shell]
//! commands = ["/**/command"]
//!
//! [paths]
//! roots = ["/work"]
//! ```
//!
//! An empty text means all guards with their defaults. A guard never permits:
//! it finds something and forbids, escalates or obliges the host to redact, or
//! it has nothing to say. What it cannot examine it forbids and says so.
//! `PATTERNS.md` lists what each guard finds, and what it does not.

mod arguments;
mod config;
mod globs;
mod guard;
mod injection;
mod paths;
mod personal;
mod policy;
mod redact;
mod secrets;
mod shell;
mod sql;
mod ssrf;

#[cfg(test)]
mod corpus;

pub use policy::Patterns;

vak_sdk::export_configurable_policy!(Patterns);
