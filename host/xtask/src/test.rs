//! Everything CI runs.

use anyhow::{Result, bail};

use crate::run::{self, cargo, step};
use crate::{components, tools};

const CHECKS: &[&str] = &["fmt", "clippy", "rust", "doc"];

/// Runs the checks named, or all of them when none is.
pub(crate) fn run(checks: &[&str]) -> Result<()> {
    for check in if checks.is_empty() { CHECKS } else { checks } {
        match *check {
            "fmt" => {
                step("format");
                run::run(&mut cargo(&["fmt", "--all", "--check"]))?;
            }
            "clippy" => {
                step("lints");
                run::run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;
            }
            "rust" => {
                step("what the tests run against");
                tools::npm_packages()?;
                tools::python_packages()?;
                components::build()?;
                step("tests");
                run::run(&mut cargo(&["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"]))?;
            }
            "doc" => {
                step("documentation's examples");
                run::run(&mut cargo(&["test", "--workspace", "--doc"]))?;
            }
            _ => bail!("no check is called `{check}`; there are {}", CHECKS.join(", ")),
        }
    }
    Ok(())
}
