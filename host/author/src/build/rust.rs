//! Rust, through cargo.

use std::fs;
use std::path::{Path, PathBuf};

use super::tool::Tool;
use super::{BuildError, Project, io_error};

/// No operating system, so that a component imports what its WIT says.
const TARGET: &str = "wasm32-unknown-unknown";

const CARGO: Tool = Tool { program: "cargo", hint: "install Rust with rustup, https://rustup.rs" };
const RUSTC: Tool = Tool { program: "rustc", hint: "install Rust with rustup, https://rustup.rs" };
const RUSTUP: Tool = Tool {
    program: "rustup",
    hint: "it would add the Rust target wasm32-unknown-unknown; install Rust with it, https://rustup.rs, or the target from where your Rust is from",
};

/// A guest starts with a fresh memory on every call. Rust's default 1 MiB shadow
/// stack would be 1 MiB of address range that the host resets each time.
const LINK: [&str; 2] = ["-C", "link-arg=-zstack-size=65536"];

pub(super) fn build(project: &Project<'_>) -> Result<Vec<u8>, BuildError> {
    const WHAT: &str = "compiling";
    target(project)?;
    (project.progress)("compiling with cargo");
    let mut cargo = CARGO.command(project.folder);
    // The crate type is given here because the symbols of a component cannot be
    // linked natively, and `cargo test` does that.
    cargo.args(["rustc", "--quiet", "--release", "--lib", "--crate-type", "cdylib", "--target", TARGET]);
    cargo.args(["--message-format", "json-render-diagnostics", "--"]).args(LINK);
    let output = CARGO.run(WHAT, &mut cargo)?;
    project.warn(&output);
    let module = module(&String::from_utf8_lossy(&output.stdout)).ok_or(BuildError::NoOutput("cargo"))?;
    fs::read(&module).map_err(|source| io_error(&module, source))
}

/// The module that cargo says it wrote: the last one, after all dependencies.
fn module(messages: &str) -> Option<PathBuf> {
    let messages = messages.lines().rev().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut written = messages.filter(|message| message["reason"] == "compiler-artifact").flat_map(|message| {
        let files = message["filenames"].as_array().cloned().unwrap_or_default();
        files.into_iter().filter_map(|file| file.as_str().map(PathBuf::from))
    });
    written.find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
}

/// Makes sure that there is a standard library for the target.
fn target(project: &Project<'_>) -> Result<(), BuildError> {
    const WHAT: &str = "looking for the Rust target";
    let installed = || -> Result<bool, BuildError> {
        let mut rustc = RUSTC.command(project.folder);
        let output = RUSTC.run(WHAT, rustc.args(["--print", "target-libdir", "--target", TARGET]))?;
        let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(Path::new(&folder).read_dir().is_ok_and(|mut entries| entries.next().is_some()))
    };
    if installed()? {
        return Ok(());
    }
    (project.progress)("adding the Rust target wasm32-unknown-unknown");
    RUSTUP.run("adding the Rust target", RUSTUP.command(project.folder).args(["target", "add", TARGET])).map(drop)
}
