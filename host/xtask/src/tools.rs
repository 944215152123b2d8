//! Tools that are not part of a Rust toolchain: installed if possible, and
//! named exactly if not.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::run::{LINTS, output, root, run, target};

/// The target that guests are compiled for if they name no other: it has no
/// operating system, so what they import is what their WIT says.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Makes sure that everything is there that tests run against.
pub(crate) fn for_tests() -> Result<()> {
    npm_packages()?;
    python_packages()?;
    redis()?;
    chromium()?;
    docker_registry()
}

/// Makes sure that guests can be compiled for `target`.
pub(crate) fn wasm_target(target: &str) -> Result<()> {
    let library = || output(Command::new("rustc").args(["--print", "target-libdir", "--target", target]));
    let installed =
        || -> Result<bool> { Ok(Path::new(library()?.trim()).read_dir().is_ok_and(|mut it| it.next().is_some())) };
    if installed()? {
        return Ok(());
    }
    eprintln!("adding the Rust target {target}");
    let added = run(Command::new("rustup").args(["target", "add", target]));
    if installed()? {
        return Ok(());
    }
    added.with_context(|| format!("the Rust target {target} is missing; install it with `rustup target add {target}`"))
}

/// Makes sure that `node` and `npm` are there.
fn node() -> Result<()> {
    if has("node") && has("npm") {
        return Ok(());
    }
    eprintln!("installing node and npm");
    install(&["nodejs", "npm"]).context("node and npm are missing; install Node.js 20 or newer")
}

/// Makes sure that a Python that can make virtual environments is there.
fn python() -> Result<()> {
    let works = || {
        let mut check = Command::new("python3");
        check.args(["-c", "import venv, ensurepip, sys; sys.exit(sys.version_info < (3, 10))"]);
        check.stdout(Stdio::null()).stderr(Stdio::null());
        check.status().is_ok_and(|status| status.success())
    };
    if works() {
        return Ok(());
    }
    eprintln!("installing python3");
    install(&["python3", "python3-venv"]).context("python3 is missing; install Python 3.10 or newer with venv")?;
    match works() {
        true => Ok(()),
        false => bail!("python3 is too old or has no venv; install Python 3.10 or newer with venv"),
    }
}

/// Makes sure that `redis-server` is there. Tests start servers of their own.
fn redis() -> Result<()> {
    if has("redis-server") {
        return Ok(());
    }
    eprintln!("installing redis-server");
    install(&["redis-server"]).context("redis-server is missing; install Redis 5 or newer")
}

/// Makes sure that `docker-registry` is there. Tests start servers of their own;
/// the service that Debian starts with the package, if it does, is not theirs.
pub(crate) fn docker_registry() -> Result<()> {
    if has("docker-registry") {
        return Ok(());
    }
    eprintln!("installing docker-registry");
    install(&["docker-registry"]).context("docker-registry is missing; install Distribution 2.8 or newer")
}

/// Makes sure that `wrk` is there, which asks the server as fast as it answers.
pub(crate) fn wrk() -> Result<()> {
    // It has no option after which it ends with 0.
    if Command::new("wrk").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok() {
        return Ok(());
    }
    eprintln!("installing wrk");
    install(&["wrk"]).context("wrk is missing; install wrk 4.1 or newer")
}

/// Makes sure that `chromium` is there: pages are looked at in it.
fn chromium() -> Result<()> {
    if has("chromium") {
        return Ok(());
    }
    eprintln!("installing chromium");
    install(&["chromium"]).context("chromium is missing; install Chromium")
}

fn has(program: &str) -> bool {
    let mut version = Command::new(program);
    version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

/// Debian's packages, where this is Debian and we may.
fn install(packages: &[&str]) -> Result<()> {
    run(Command::new("apt-get").args(["update", "-qq"]))?;
    run(Command::new("apt-get").args(["install", "-y", "-qq", "--no-install-recommends"]).args(packages))
}

/// Installs the pinned npm packages that tests run against, each set in a folder
/// of its own.
fn npm_packages() -> Result<()> {
    node()?;
    npm_folder("tests/mcp/npm", "npm")?;
    npm_folder("tests/python/npm", "npm-python")?;
    npm_folder("tests/site/npm", "npm-site")?;
    npm_for_guests()
}

/// The part of them that builds components.
pub(crate) fn npm_for_guests() -> Result<()> {
    node()?;
    npm_folder("sdk/js", "npm-sdk")
}

fn npm_folder(source: &str, folder: &str) -> Result<()> {
    let (source, folder) = (root().join(source), target().join(folder));
    let files = ["package.json", "package-lock.json", ".npmrc"];
    if up_to_date(&source, &folder, &files) {
        return Ok(());
    }
    std::fs::create_dir_all(&folder)?;
    for file in files {
        std::fs::copy(source.join(file), folder.join(file)).with_context(|| format!("copying {file}"))?;
    }
    run(Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&folder))?;
    mark(&source, &folder, &files)
}

/// Installs the pinned Python packages that tests run against, each set in a
/// virtual environment of its own.
fn python_packages() -> Result<()> {
    python()?;
    python_environment("tests/mcp/python", "python")?;
    python_environment("tests/server/python", "python-server")?;
    python_environment("tests/conformance", "python-conformance")?;
    python_environment("host/audit-s3/tests/python", "moto")?;
    python_environment("sdk/python-guest", "python-guest")?;
    python_for_sdk()
}

/// The part of them that the Python SDK is tried with.
pub(crate) fn python_for_sdk() -> Result<()> {
    python()?;
    python_environment("tests/python/python", "python-sdk")
}

/// Builds the wheel of `sdk/python` from what the workspace builds, and installs it
/// beside the packages that it is tested with. That is built with lints by then.
pub(crate) fn python_wheel() -> Result<()> {
    let (environment, wheels) = (target().join("python-sdk"), target().join("wheels"));
    if wheels.exists() {
        std::fs::remove_dir_all(&wheels)?;
    }
    let python = environment.join("bin/python");
    let mut build = Command::new(environment.join("bin/maturin"));
    build.args(["build", "--quiet", "--profile", "dev", "--out"]).arg(&wheels).arg("--interpreter").arg(&python);
    // It says why.
    build.envs(LINTS).env("CARGO", root().join("tests/python/cargo.sh")).current_dir(root().join("sdk/python"));
    run(&mut build)?;
    let wheel = wheels.read_dir()?.next().context("maturin left no wheel")??.path();
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]);
    run(install.arg("--force-reinstall").arg(wheel))
}

fn python_environment(source: &str, folder: &str) -> Result<()> {
    let (source, folder) = (root().join(source), target().join(folder));
    let files = ["requirements.txt"];
    if up_to_date(&source, &folder, &files) {
        return Ok(());
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"]);
    run(pip.arg(source.join("requirements.txt")))?;
    mark(&source, &folder, &files)
}

/// A copy of what was installed from, written when the installation is done.
fn marker(folder: &Path) -> PathBuf {
    folder.join(".installed")
}

fn contents(source: &Path, files: &[&str]) -> Result<Vec<u8>> {
    let read = |file: &&str| std::fs::read(source.join(file)).with_context(|| format!("reading {file}"));
    Ok(files.iter().map(read).collect::<Result<Vec<_>>>()?.concat())
}

fn up_to_date(source: &Path, folder: &Path, files: &[&str]) -> bool {
    matches!((contents(source, files), std::fs::read(marker(folder))), (Ok(wanted), Ok(installed)) if wanted == installed)
}

fn mark(source: &Path, folder: &Path, files: &[&str]) -> Result<()> {
    Ok(std::fs::write(marker(folder), contents(source, files)?)?)
}
