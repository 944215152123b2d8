//! A policy made of declarative rules, configured by a TOML or JSON text.
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
//! have forbidden or escalated and cannot be evaluated, because a fact is
//! missing or has another type, forbids and says so. `RULES.md` is the
//! reference of the language.
//!
//! The text is read once, at installation, into an index by operation, resource
//! and agent ([`Rules`]); a call looks at the rules that can apply and at no
//! other, so its cost does not grow with their number.

mod condition;
mod config;
mod earlier;
mod explain;
mod fact;
mod glob;
mod index;
mod lint;
mod lookup;
mod nearest;
mod network;
mod number;
mod obligation;
mod outlook;
mod path;
mod pattern;
mod regex;
mod rules;
mod test;
mod tree;
mod wanted;
mod window;

pub use earlier::Past;
pub use rules::Rules;

vak_sdk::export_configurable_policy!(Rules, nearest);
