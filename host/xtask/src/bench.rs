//! The benchmark table.

use anyhow::Result;

use crate::components;
use crate::run::{self, cargo, step};

/// Builds everything optimised and prints the table.
pub(crate) fn run() -> Result<()> {
    components::build()?;
    step("benchmarks");
    run::run(&mut cargo(&["build", "--release", "--package", "vak-cli", "--package", "vak-file-server"]))?;
    run::run(&mut cargo(&["bench", "--package", "vak-bench"]))
}
