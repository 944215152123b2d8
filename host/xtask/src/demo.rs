//! The product in a minute.

use anyhow::Result;

use crate::components;
use crate::run::{self, cargo, step};

/// Builds everything and runs the demonstration, which leaves its folder to
/// play with.
pub(crate) fn run() -> Result<()> {
    step("building (some minutes the first time)");
    run::run(&mut cargo(&["build", "--package", "vak-cli", "--package", "vak-file-server", "--package", "vak-demo"]))?;
    components::build()?;
    run::run(&mut cargo(&["run", "--quiet", "--package", "vak-demo"]))
}
