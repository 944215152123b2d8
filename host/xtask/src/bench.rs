//! The benchmark table.

use std::process::Command;

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
    if wanted("marketplace") {
        tools::docker_registry()?;
    }
    if wanted("server") {
        tools::wrk()?;
    }
    step("benchmarks");
    run::run(&mut cargo(&["build", "--release", "--package", "vak-cli", "--package", "vak-file-server"]))?;
    if wanted("engines") {
        // Alone, so that what it uses is not united with what VAK uses.
        run::run(&mut cargo(&["build", "--release", "--package", "vak-bench-engines", "--features", "engines"]))?;
    }
    if wanted("python") {
        python()?;
        if !sections.is_empty() && sections.iter().all(|section| "python".starts_with(section)) {
            return Ok(());
        }
    }
    run::run(cargo(&["bench", "--package", "vak-bench", "--bench", "table", "--"]).args(sections))
}

/// What the Python SDK takes: measured in Python, with the native part as it would
/// be installed.
fn python() -> Result<()> {
    step("the Python SDK");
    tools::python_for_sdk()?;
    run::run(&mut cargo(&["build", "--release", "--package", "vak-cli", "--package", "vak-python"]))?;
    let package = run::target().join("bench-python");
    if package.exists() {
        std::fs::remove_dir_all(&package)?;
    }
    let (folder, site) = (package.join("vak"), package.join("site"));
    std::fs::create_dir_all(&folder)?;
    std::fs::create_dir_all(&site)?;
    for file in run::root().join("sdk/python/vak").read_dir()? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "py") {
            std::fs::copy(&path, folder.join(path.file_name().unwrap_or_default()))?;
        }
    }
    std::fs::copy(run::binary("release", "lib_native.so"), folder.join("_native.abi3.so"))?;
    let mut speed = Command::new(run::target().join("python-sdk/bin/python"));
    speed.arg(run::root().join("tests/bench/python/speed.py")).arg(&site);
    speed.arg(run::binary("release", "vak")).arg(components::folder()).env("PYTHONPATH", &package);
    run::run(&mut speed)
}
