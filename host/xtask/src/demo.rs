//! The product in a minute.

use anyhow::Result;

use crate::components;
use crate::run::{self, cargo, step};

/// Builds everything and runs the demonstration, which leaves its folder to
/// play with.
pub(crate) fn run() -> Result<()> {
    step("building (some minutes the first time)");
    components::build()?;
    run::run(&mut cargo(&["run", "--quiet", "--package", "vak-demo"]))
}
