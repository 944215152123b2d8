//! Building, packing and signing the components of this checkout.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::run::{binary, cargo, joined, output, root, run, target};
use crate::tools;

/// Where the signed components are left.
pub(crate) fn folder() -> PathBuf {
    target().join("components")
}

/// A crate with a `vak-component.toml`.
struct Guest {
    folder: PathBuf,
    package: String,
    /// What it is compiled for: `package.metadata.vak.target`.
    target: String,
}

/// Builds every component and signs it with a key that belongs to this
/// checkout alone: `publisher.key`, made on the first run.
pub(crate) fn build() -> Result<()> {
    let guests = guests()?;
    let bar = ProgressBar::with_draw_target(Some(guests.len() as u64), ProgressDrawTarget::hidden());
    bar.set_style(ProgressStyle::with_template("components {bar:30} {pos}/{len} {msg}")?);
    // Most of the time each of the two leaves a core to the other.
    std::thread::scope(|scope| {
        let compiling = scope.spawn(|| compile(&guests, &bar));
        // The whole workspace: cargo chooses the features of what is shared by all that
        // it builds together.
        run(&mut cargo(&["build", "--workspace", "--bins"]))?;
        bar.set_draw_target(ProgressDrawTarget::stderr());
        joined(compiling)
    })?;
    pack_all(&guests)?;
    bar.finish_with_message("built and signed");
    Ok(())
}

/// Signs every component, once they and the programs are compiled.
pub(crate) fn pack() -> Result<()> {
    pack_all(&guests()?)
}

fn pack_all(guests: &[Guest]) -> Result<()> {
    let folder = folder();
    std::fs::create_dir_all(&folder)?;
    // What tests compiled of the components before.
    let compiled = folder.join(".compiled");
    if compiled.exists() {
        std::fs::remove_dir_all(&compiled)?;
    }
    let key = publisher(&folder)?;
    guests.iter().try_for_each(|guest| guest.pack(&folder, &key))
}

/// Compiles every component, which needs nothing else of the workspace.
pub(crate) fn compile_all() -> Result<()> {
    compile(&guests()?, &ProgressBar::hidden())
}

fn compile(guests: &[Guest], bar: &ProgressBar) -> Result<()> {
    for target in guests.iter().map(|guest| guest.target.as_str()).collect::<BTreeSet<_>>() {
        tools::wasm_target(target)?;
    }
    for guest in guests {
        bar.set_message(guest.package.clone());
        guest.compile()?;
        bar.inc(1);
    }
    Ok(())
}

fn vak() -> Command {
    Command::new(binary("debug", "vak"))
}

fn publisher(folder: &Path) -> Result<PathBuf> {
    let key = folder.join("publisher.key");
    let public = match key.exists() {
        true => output(vak().args(["key", "public"]).arg(&key))?,
        false => output(vak().args(["key", "new"]).arg(&key))?,
    };
    std::fs::write(folder.join("publisher.pub"), public)?;
    Ok(key)
}

/// Every crate below `components/` and `tests/` that has a manifest.
fn guests() -> Result<Vec<Guest>> {
    let mut guests = Vec::new();
    let mut folders = vec![root().join("components"), root().join("tests")];
    while let Some(folder) = folders.pop() {
        if folder.join("vak-component.toml").exists() {
            // An example is no crate: its test puts it over one.
            if folder.join("Cargo.toml").exists() {
                guests.push(Guest::read(folder)?);
            }
            continue;
        }
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    guests.sort_by(|one, other| one.package.cmp(&other.package));
    Ok(guests)
}

impl Guest {
    fn read(folder: PathBuf) -> Result<Self> {
        let path = folder.join("Cargo.toml");
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let table: toml::Table = toml::from_str(&text)?;
        let package = table.get("package").with_context(|| format!("{} has no package", path.display()))?;
        let name = package.get("name").and_then(toml::Value::as_str);
        let name = name.with_context(|| format!("{} names no package", path.display()))?.to_owned();
        let target = package.get("metadata").and_then(|metadata| metadata.get("vak")).and_then(|vak| vak.get("target"));
        let target = target.and_then(toml::Value::as_str).unwrap_or(tools::WASM).to_owned();
        Ok(Self { folder, package: name, target })
    }

    fn compile(&self) -> Result<()> {
        // One package at a time: a component has one world, and cargo would
        // unite the features of all that it builds together. The crate type is
        // given here because these symbols cannot be linked natively.
        // Some are workspaces of their own; all share a folder for what is built.
        let arguments = ["rustc", "--quiet", "--package", &self.package, "--lib", "--crate-type", "cdylib"];
        let mut compile = cargo(&arguments);
        compile.arg("--manifest-path").arg(self.folder.join("Cargo.toml")).arg("--target-dir").arg(target());
        compile.args(["--profile", "guest", "--target", &self.target]);
        run(&mut compile)
    }

    fn pack(&self, folder: &Path, key: &Path) -> Result<()> {
        let module = self.package.replace('-', "_");
        let module = target().join(&self.target).join("guest").join(format!("{module}.wasm"));
        let manifest = self.folder.join("vak-component.toml");
        let mut pack = vak();
        pack.arg("pack").arg(&module).arg("--manifest").arg(&manifest).arg("--output").arg(folder);
        let packed = output(&mut pack)?;
        let name = packed.split_whitespace().nth(1).context("`vak pack` printed nothing")?;
        // The same time in every build: so the same component is the same package,
        // and counts wherever a test sets its clock.
        output(vak().arg("sign").arg("--key").arg(key).args(["--time", "2020-01-01T00:00:00Z"]).arg(name))?;
        Ok(())
    }
}
