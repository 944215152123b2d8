//! The benchmark table.

use anyhow::Result;

use crate::components;
use crate::run::{self, cargo, step};

/// Builds everything optimised and prints the table, or the parts of it that
/// are named.
pub(crate) fn run(sections: &[&str]) -> Result<()> {
    components::build()?;
    step("benchmarks");
    run::run(&mut cargo(&["build", "--release", "--package", "vak-cli", "--package", "vak-file-server"]))?;
    run::run(cargo(&["bench", "--package", "vak-bench", "--bench", "table", "--"]).args(sections))
}
