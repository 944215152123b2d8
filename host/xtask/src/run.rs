//! Folders of the checkout, and running programs in them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::ScopedJoinHandle;

use anyhow::{Context as _, Result, bail};

/// The top of the checkout.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Where cargo builds to.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// A program this build made.
pub(crate) fn binary(profile: &str, name: &str) -> PathBuf {
    target().join(profile).join(name)
}

/// cargo itself, in the checkout.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // An absolute path, because tests run in the folders of their packages.
    cargo.args(arguments).current_dir(root()).env("VAK_COMPONENTS", crate::components::folder());
    cargo
}

/// What a build with lints is told in its environment.
pub(crate) const LINTS: [(&str, &str); 2] =
    [("CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER", "clippy-driver"), ("CLIPPY_ARGS", "--deny__CLIPPY_HACKERY__warnings")];

/// The same with lints, which are errors, wherever it compiles a crate of this
/// checkout. It is what `cargo clippy` does, but that only checks, and so looks at
/// everything that the checkout depends on once more. What tests start is not told of
/// it: some compile projects of their own.
pub(crate) fn linting(arguments: &[&str]) -> Command {
    let [(_, driver), (name, value)] = LINTS;
    let mut cargo = cargo(&["--config"]);
    cargo.arg(format!("build.rustc-workspace-wrapper = '{driver}'")).args(arguments).env(name, value);
    cargo
}

/// Runs a program to its end and says which one failed.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("starting {}", words(command)))?;
    match status.success() {
        true => Ok(()),
        false => bail!("{} ended with {status}", words(command)),
    }
}

/// Runs a program and gives back what it prints.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("starting {}", words(command)))?;
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout)?),
        false => bail!("{} ended with {}\n{}", words(command), output.status, String::from_utf8_lossy(&output.stderr)),
    }
}

/// What a thread ends in, which panics here if it did there.
pub(crate) fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn words(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    format!("`{}`", words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" "))
}

/// Prints what comes next.
pub(crate) fn step(what: &str) {
    eprintln!("\n== {what}");
}
