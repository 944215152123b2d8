//! Python, through pip and `componentize-py`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::tool::{Tool, run};
use super::{BuildError, Project, io_error};

const COMPONENTIZE: &str = "componentize-py";

const PYTHON: Tool =
    Tool { program: "python3", hint: "install Python 3.10 or newer with venv, https://www.python.org" };

/// Builds with the tools in `named`, or with the project's own.
pub(super) fn build(project: &Project<'_>, named: Option<&Path>) -> Result<Vec<u8>, BuildError> {
    let source = project.source("py")?;
    let venv = match named {
        Some(venv) => given(project, venv)?,
        None => own(project)?,
    };
    (project.progress)("compiling with componentize-py");
    let work = tempfile::tempdir().map_err(|error| io_error(&std::env::temp_dir(), error))?;
    let output = work.path().join("component.wasm");
    let mut componentize = Command::new(program(&venv));
    componentize.current_dir(project.folder).env("VIRTUAL_ENV", &venv);
    // Without `--stub-wasi` the interpreter imports files, clocks and sockets. No
    // kind of component is granted them, and an import without a grant is
    // refused at load.
    componentize.args(["--quiet", "--wit-path", "wit", "--world", "component", "componentize", "--stub-wasi"]);
    componentize.args(["--python-path", "src", "--output"]).arg(&output).args(source.file_stem());
    project.warn(&run("compiling", &mut componentize).map_err(in_python)?);
    fs::read(&output).map_err(|_| BuildError::NoOutput(COMPONENTIZE))
}

/// The part of what `componentize-py` says that is about the project: it wraps
/// the message into the traceback and the backtrace of its own program.
fn in_python(error: BuildError) -> BuildError {
    let BuildError::Tool { what, told } = error else { return error };
    let message = told.split_once("AssertionError: ").map_or(&*told, |(_, message)| message);
    let message = ["\nStack backtrace:", "\nCaused by:"]
        .iter()
        .fold(message, |message, end| message.split_once(end).map_or(message, |(message, _)| message));
    BuildError::Tool { what, told: message.trim().to_owned() }
}

/// The tools that were named, if they are of the version that the project pins.
fn given(project: &Project<'_>, venv: &Path) -> Result<PathBuf, BuildError> {
    let venv = fs::canonicalize(venv).map_err(|source| io_error(venv, source))?;
    let wanted = pinned(project)?;
    match installed(&venv) {
        Some(found) if found == wanted => Ok(venv),
        found => {
            let found = found.unwrap_or_else(|| "in no version".to_owned());
            Err(BuildError::OtherVersion { path: venv, tool: COMPONENTIZE, found, wanted })
        }
    }
}

/// The project's own tools, installed if they are missing, of another version,
/// or from other requirements.
fn own(project: &Project<'_>) -> Result<PathBuf, BuildError> {
    let (venv, requirements) = (project.folder.join(".venv"), requirements(project));
    let wanted = pinned(project)?;
    let text = fs::read(&requirements).map_err(|source| io_error(&requirements, source))?;
    // What was installed from. An environment without it is the author's own.
    let marker = venv.join(".vak-requirements.txt");
    let same = fs::read(&marker).is_ok_and(|installed| installed == text) || !marker.exists();
    if same && installed(&venv).is_some_and(|found| found == wanted) {
        return Ok(venv);
    }
    (project.progress)("installing componentize-py with pip, once");
    PYTHON.run("making a virtual environment", PYTHON.command(project.folder).args(["-m", "venv"]).arg(&venv))?;
    let mut pip = Command::new(venv.join("bin/python"));
    pip.current_dir(project.folder).args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--force-reinstall",
        "--disable-pip-version-check",
    ]);
    run("installing componentize-py", pip.args(["--require-hashes", "--requirement"]).arg(&requirements))?;
    fs::write(&marker, text).map_err(|source| io_error(&marker, source))?;
    Ok(venv)
}

fn requirements(project: &Project<'_>) -> PathBuf {
    project.folder.join("requirements.txt")
}

/// The version in the project's requirements.
fn pinned(project: &Project<'_>) -> Result<String, BuildError> {
    let path = requirements(project);
    let text = fs::read_to_string(&path).map_err(|source| io_error(&path, source))?;
    let version = text.lines().find_map(|line| {
        let version = line.strip_prefix(COMPONENTIZE)?.strip_prefix("==")?;
        version.split_whitespace().next().map(str::to_owned)
    });
    version.ok_or(BuildError::NotPinned { path, tool: COMPONENTIZE })
}

/// The version that a virtual environment has and that runs.
fn installed(venv: &Path) -> Option<String> {
    let output = Command::new(program(venv)).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.trim().strip_prefix(COMPONENTIZE).map(|version| version.trim().to_owned())
}

fn program(venv: &Path) -> PathBuf {
    venv.join("bin").join(COMPONENTIZE)
}
