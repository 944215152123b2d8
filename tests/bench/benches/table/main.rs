//! The benchmark table: every figure beside the floor that was measured in the
//! same run, because machines are noisy and ratios are not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod adapters;
mod audit;
mod decisions;
mod durable;
mod engines;
mod fixture;
mod gateway;
mod javascript;
mod limits;
mod machine;
mod marketplace;
mod memory;
mod policy;
mod print;
mod reused;
mod server;
mod site;
mod skills;
mod trust;

/// A part of the table.
type Section = (&'static str, fn() -> Vec<print::Row>);

const SECTIONS: &[Section] = &[
    ("policy", policy::rows),
    ("reused", reused::rows),
    ("engines", engines::rows),
    ("javascript", javascript::rows),
    ("limits", limits::rows),
    ("trust", trust::rows),
    ("skills", skills::rows),
    ("adapters", adapters::rows),
    ("decisions", decisions::rows),
    ("durable", durable::rows),
    ("gateway", gateway::rows),
    ("server", server::rows),
    ("marketplace", marketplace::rows),
    ("site", site::rows),
    ("audit-writing", audit::writing),
    ("audit-reading", audit::reading),
];

/// All sections, or those whose names begin with one of the given.
fn main() {
    let names: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    println!("{}\n", machine::describe());
    let chosen = SECTIONS
        .iter()
        .filter(|(name, _)| names.is_empty() || names.iter().any(|word| name.starts_with(word.as_str())));
    let rows: Vec<_> = chosen.flat_map(|(_, rows)| rows()).collect();
    print::table(&rows);
}
