//! What filters may use.

use jaq_core::data::JustLut;
use jaq_core::load::parse::Def;
use jaq_core::native::Fun;
use jaq_json::Val;

/// What reaches out of a filter, or would tell nothing here: time stands still,
/// there is no environment, and nobody reads a log.
const ABSENT: [&str; 12] = [
    "debug",
    "debug_empty",
    "env",
    "halt",
    "halt_error",
    "input",
    "inputs",
    "localtime",
    "now",
    "stderr",
    "stderr_empty",
    "strflocaltime",
];

pub(crate) type Data = JustLut<Val>;

/// Filters that are defined by others.
pub(crate) fn definitions() -> impl Iterator<Item = Def<&'static str>> {
    let all = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    all.filter(|definition| !ABSENT.contains(&definition.name))
}

/// Filters that are built in.
pub(crate) fn functions() -> impl Iterator<Item = Fun<Data>> {
    let all = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    all.filter(|(name, _, _)| !ABSENT.contains(name))
}
