//! The Python SDK as it is installed: its wheel, its types and its examples.
//!
//! What is tested is in `cases`, in Python, which runs the real host and the real
//! server; here it is started. `cargo xtask test` builds and installs the wheel.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod certificates;

use std::path::{Path, PathBuf};
use std::process::Command;

use vak_test_support::{binary, components};

/// A file of the packages that the tests install below `target`.
fn installed(path: &str) -> PathBuf {
    let path = components().parent().unwrap().canonicalize().unwrap().join(path);
    assert!(path.exists(), "`{}` is missing; run `cargo xtask test`", path.display());
    path
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A Python that has the wheel, or a program beside it.
fn python(module: &str) -> Command {
    let mut python = Command::new(installed("python-sdk/bin/python"));
    python.args(["-m", module]).current_dir(here().join("cases")).env("PYTHONDONTWRITEBYTECODE", "1");
    python.env("PYTHONPATH", here().join("cases"));
    python
}

#[track_caller]
fn passes(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// Runs the cases in a folder, with what they need to know.
fn pytest(folder: &Path) -> Command {
    let mut pytest = python("pytest");
    pytest.args(["-q", "--tb=short", "-p", "no:cacheprovider", "-o", "faulthandler_timeout=300"]).arg(folder);
    pytest.env("VAK_COMPONENTS", components().canonicalize().unwrap()).env("VAK_PROGRAM", binary("vak"));
    pytest
}

#[test]
fn cases_pass() {
    let tls = tempfile::tempdir().unwrap();
    certificates::write(tls.path());
    let mut pytest = pytest(Path::new("."));
    pytest.env("VAK_TLS", tls.path()).env("VAK_PYTHON_README", here().join("../../sdk/python/README.md"));
    pytest.env("VAK_EXAMPLES", examples());
    passes(&mut pytest);
}

/// Every framework in every situation; the table is committed.
#[test]
fn frameworks_do_what_the_matrix_says() {
    passes(&mut pytest(&matrix()));
}

fn examples() -> PathBuf {
    here().join("../../sdk/python/examples")
}

fn matrix() -> PathBuf {
    here().join("../conformance/adapters")
}

/// What the stubs say is what is there, and the cases use it as they say.
#[test]
fn stubs_are_true_and_strict() {
    let cache = tempfile::tempdir().unwrap();
    for folder in [PathBuf::from("."), matrix(), examples()] {
        passes(python("mypy").args(["--strict", "--cache-dir"]).arg(cache.path()).arg(folder));
    }
    let allowed = here().join("python/stubtest-allowed");
    passes(python("mypy.stubtest").args(["vak", "--allowlist"]).arg(allowed));
}

#[test]
fn another_type_checker_agrees() {
    let mut pyright = Command::new("node");
    pyright.arg(installed("npm-python/node_modules/pyright/index.js")).arg("--pythonpath");
    passes(pyright.arg(installed("python-sdk/bin/python")).arg(here().join("cases")));
}
