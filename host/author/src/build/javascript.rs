//! JavaScript, through npm and `componentize-js`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::tool::Tool;
use super::{BuildError, Project, io_error};
use crate::embedded;

const COMPONENTIZE: &str = "componentize-js";
const PACKAGE: &str = "node_modules/@bytecodealliance/componentize-js";

const NODE: Tool = Tool { program: "node", hint: "install Node.js 20 or newer, https://nodejs.org" };
const NPM: Tool = Tool { program: "npm", hint: "install Node.js 20 or newer with npm, https://nodejs.org" };

/// What the JavaScript engine could use of the system. No kind of component is
/// granted any of it, and an import without a grant is refused at load.
const DISABLED: [&str; 5] = ["stdio", "random", "clocks", "http", "fetch-event"];

/// Builds with the tools in `named`, or with the project's own.
pub(super) fn build(project: &Project<'_>, named: Option<&Path>) -> Result<Vec<u8>, BuildError> {
    let source = project.source("js")?;
    let modules = match named {
        Some(modules) => given(project, modules)?,
        None => own(project)?,
    };
    (project.progress)("compiling with componentize-js");
    // It parses the source as well, but does not say where an error is.
    NODE.run("reading the source", NODE.command(project.folder).arg("--check").arg(&source))?;
    let work = tempfile::tempdir().map_err(|error| io_error(&std::env::temp_dir(), error))?;
    let (output, script) = (work.path().join("component.wasm"), work.path().join("build.mjs"));
    fs::write(&script, embedded::text("sdk/js/tool/build.mjs")).map_err(|error| io_error(&script, error))?;
    let order = json!({
        "modules": modules,
        "source": source,
        "wit": project.folder.join("wit"),
        "world": "component",
        "output": output,
        "disableFeatures": DISABLED,
    });
    let mut node = NODE.command(project.folder);
    project.warn(&NODE.run("compiling", node.arg(&script).env("VAK_BUILD", order.to_string()))?);
    fs::read(&output).map_err(|_| BuildError::NoOutput(COMPONENTIZE))
}

/// The tools that were named, if they are of the version that the project pins.
fn given(project: &Project<'_>, modules: &Path) -> Result<PathBuf, BuildError> {
    let modules = fs::canonicalize(modules).map_err(|source| io_error(modules, source))?;
    let wanted = pinned(project)?;
    match installed(&modules) {
        Some(found) if found == wanted => Ok(modules),
        found => {
            let found = found.unwrap_or_else(|| "in no version".to_owned());
            Err(BuildError::OtherVersion { path: modules, tool: COMPONENTIZE, found, wanted })
        }
    }
}

/// The project's own tools, installed if they are missing or of another version.
fn own(project: &Project<'_>) -> Result<PathBuf, BuildError> {
    let (modules, wanted) = (project.folder.join("node_modules"), pinned(project)?);
    if installed(&modules).is_none_or(|found| found != wanted) {
        (project.progress)("installing componentize-js with npm, some 400 MB, once");
        let mut npm = NPM.command(project.folder);
        // Scripts of packages are not needed, and nobody looked at them.
        NPM.run("installing componentize-js", npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))?;
    }
    Ok(modules)
}

/// The version in the project's lock.
fn pinned(project: &Project<'_>) -> Result<String, BuildError> {
    let path = project.folder.join("package-lock.json");
    version(&path).ok_or(BuildError::NotPinned { path, tool: COMPONENTIZE })
}

/// The version in a folder of modules, by the lock that npm leaves there when it
/// has installed everything.
fn installed(modules: &Path) -> Option<String> {
    version(&modules.join(".package-lock.json"))
}

fn version(lock: &Path) -> Option<String> {
    let lock: Value = serde_json::from_str(&fs::read_to_string(lock).ok()?).ok()?;
    Some(lock["packages"][PACKAGE]["version"].as_str()?.to_owned())
}
