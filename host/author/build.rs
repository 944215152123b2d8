//! Puts the templates, the guest SDK and the interfaces into the program, so
//! that `vak new` needs nothing beside it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What is embedded, from the top of the checkout.
const FOLDERS: [&str; 5] = ["sdk/js", "sdk/python-guest", "sdk/rust/src", "sdk/rust/template", "wit"];

/// What tools leave in these folders.
const LEFT_BY_TOOLS: [&str; 5] = ["node_modules", ".venv", "__pycache__", "dist", "target"];

fn main() -> io::Result<()> {
    let variable = |name: &str| env::var_os(name).map(PathBuf::from).ok_or_else(|| io::Error::other(name.to_owned()));
    let root = variable("CARGO_MANIFEST_DIR")?.join("../..").canonicalize()?;
    let mut files = Vec::new();
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed={}", root.join(folder).display());
        collect(&root.join(folder), &mut files)?;
    }
    files.sort();
    let mut table = String::from("&[\n");
    for file in files {
        let name = file.strip_prefix(&root).map_err(io::Error::other)?;
        writeln!(table, "({:?}, include_str!({file:?})),", name).map_err(io::Error::other)?;
    }
    fs::write(variable("OUT_DIR")?.join("embedded.rs"), table + "]\n")
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let left = LEFT_BY_TOOLS.iter().any(|name| entry.file_name() == *name);
        match entry.file_type()?.is_dir() {
            true if left => {}
            true => collect(&entry.path(), files)?,
            false => files.push(entry.path()),
        }
    }
    Ok(())
}
