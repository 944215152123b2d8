//! A policy made of declarative rules, configured by a TOML text.
//!
//! ```toml
//! [[rule]]
//! id = "read-workspace"
//! effect = "permit"
//! operations = ["files/read_*"]
//! when = [{ argument = "/path", within = "/workspace" }]
//! ```
//!
//! One forbid outweighs every permit, whatever their order. A rule that could
//! have forbidden or escalated and cannot be evaluated, because an argument is
//! missing or has another type, forbids and says so.
//!
//! The text is read once, at installation, into an index by operation and
//! resource ([`Rules`]); a call looks at the rules that can apply and at no
//! other, so its cost does not grow with their number.

mod condition;
mod config;
mod index;
mod pattern;
mod rules;
mod tree;

pub use rules::Rules;

vak_sdk::export_configurable_policy!(Rules);
