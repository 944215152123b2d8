//! Everything CI runs.

use std::process::Command;

use anyhow::{Result, bail};

use crate::run::{self, cargo, joined, linting, step};
use crate::{components, tools};

const CHECKS: &[&str] = &["fmt", "lint", "rust", "doc"];

/// The component that is a workspace of its own; it says why.
const APART: &str = "components/policies/cedar/Cargo.toml";

fn apart(command: &str) -> Command {
    let mut cargo = linting(&[command, "--manifest-path", APART, "--target-dir"]);
    cargo.arg(run::target().join("apart"));
    cargo
}

/// Runs the checks named, or all of them when none is.
pub(crate) fn run(checks: &[&str]) -> Result<()> {
    let checks = if checks.is_empty() { CHECKS } else { checks };
    if let Some(unknown) = checks.iter().find(|check| !CHECKS.contains(check)) {
        bail!("no check is called `{unknown}`; there are {}", CHECKS.join(", "));
    }
    std::thread::scope(|scope| {
        // While what comes before compiles, and leaves a core to others.
        let mut ahead = checks.contains(&"rust").then(|| {
            let ahead: [fn() -> Result<()>; 2] = [tools::for_tests, components::compile_all];
            ahead.map(|work| scope.spawn(work))
        });
        for check in checks {
            match *check {
                "fmt" => {
                    step("format");
                    run::run(&mut cargo(&["fmt", "--all", "--check"]))?;
                    run::run(&mut cargo(&["fmt", "--check", "--manifest-path", APART]))?;
                }
                "lint" => {
                    step("all of the checkout, with lints");
                    run::run(&mut linting(&["build", "--workspace", "--all-targets"]))?;
                    run::run(apart("build").arg("--all-targets"))?;
                }
                "rust" => {
                    step("what the tests run against");
                    run::run(&mut linting(&["build", "--workspace", "--bins"]))?;
                    ahead.take().into_iter().flatten().try_for_each(joined)?;
                    components::pack()?;
                    tools::python_wheel()?;
                    step("tests");
                    run::run(&mut linting(&["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"]))?;
                    run::run(&mut apart("test"))?;
                }
                _ => {
                    step("documentation's examples");
                    run::run(&mut linting(&["test", "--workspace", "--doc"]))?;
                }
            }
        }
        Ok(())
    })
}
