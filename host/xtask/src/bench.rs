//! The benchmark table.

use anyhow::Result;

use crate::run::{self, cargo, step};
use crate::{components, tools};

/// Builds everything optimised and prints the table, or the parts of it that
/// are named.
pub(crate) fn run(sections: &[&str]) -> Result<()> {
    let wanted = |section: &str| sections.is_empty() || sections.iter().any(|word| section.starts_with(word));
    components::build()?;
    if wanted("javascript") {
        step("what a policy in JavaScript is built with");
        if let Err(error) = tools::npm_for_guests() {
            eprintln!("no policy in JavaScript will be measured: {error:#}");
        }
    }
    step("benchmarks");
    run::run(&mut cargo(&["build", "--release", "--package", "vak-cli", "--package", "vak-file-server"]))?;
    if wanted("engines") {
        // Alone, so that what it uses is not united with what VAK uses.
        run::run(&mut cargo(&["build", "--release", "--package", "vak-bench-engines", "--features", "engines"]))?;
    }
    run::run(cargo(&["bench", "--package", "vak-bench", "--bench", "table", "--"]).args(sections))
}
