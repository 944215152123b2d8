//! The dependency table: which crate may know which. A new edge is a decision,
//! so it is made here, in the open, and not by a line in some `Cargo.toml`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// Every crate below `host/`, and what embeds it in another language, and the
/// crates of this workspace it may use.
const EDGES: &[(&str, &[&str])] = &[
    ("vak-types", &[]),
    // These are of one rank: none knows another.
    ("vak-audit", &["vak-types"]),
    ("vak-limits", &["vak-types"]),
    ("vak-memory", &["vak-types"]),
    ("vak-session", &["vak-types"]),
    ("vak-pipeline", &["vak-types"]),
    ("vak-trust", &["vak-types"]),
    // What several hosts share has a clock and a network, so it is beside.
    ("vak-limits-redis", &["vak-limits", "vak-types"]),
    // Whoever audits needs nothing that could act.
    ("vak-audit-verify", &["vak-audit", "vak-types"]),
    // A store of its own, so that nobody else compiles what talks to S3.
    ("vak-audit-s3", &["vak-audit", "vak-audit-verify", "vak-types"]),
    // Whoever signs needs nothing that could run what is signed.
    ("vak-skill-sign", &["vak-trust", "vak-types"]),
    // What a publisher needs is not what a host needs.
    ("vak-author", &["vak-trust", "vak-types"]),
    ("vak-registry", &["vak-trust", "vak-types"]),
    // Moves bytes, and knows neither what is in them nor whom to trust.
    ("vak-oci", &["vak-types"]),
    // What is published, found and withdrawn; whom the operator trusts it is not told.
    ("vak-marketplace", &["vak-oci", "vak-registry", "vak-trust", "vak-types"]),
    ("vak-engine", &["vak-trust", "vak-types"]),
    ("vak-wasi", &["vak-engine", "vak-types"]),
    ("vak-plugin", &["vak-engine", "vak-memory", "vak-pipeline", "vak-trust", "vak-types", "vak-wasi"]),
    // Tries components out, and is no host.
    ("vak-workbench", &["vak-engine", "vak-memory", "vak-pipeline", "vak-plugin", "vak-trust", "vak-types"]),
    (
        "vak",
        &[
            "vak-audit",
            "vak-engine",
            "vak-limits",
            "vak-limits-redis",
            "vak-memory",
            "vak-pipeline",
            "vak-plugin",
            "vak-registry",
            "vak-session",
            "vak-trust",
            "vak-types",
        ],
    ),
    // What is served is none of its business.
    ("vak-serving", &[]),
    ("vak-server", &["vak", "vak-serving", "vak-types"]),
    ("vak-oci", &["vak-trust", "vak-types"]),
    ("vak-marketplace", &["vak-oci", "vak-registry", "vak-trust", "vak-types"]),
    // Pages of an index: a marketplace needs no host.
    ("vak-marketplace-site", &["vak-marketplace", "vak-oci", "vak-registry", "vak-serving", "vak-trust", "vak-types"]),
    // What embeds the library is no surface of another's.
    ("vak-python", &["vak", "vak-types"]),
    (
        "vak-cli",
        &[
            "vak",
            "vak-audit",
            "vak-audit-verify",
            "vak-author",
            "vak-marketplace",
            "vak-marketplace-site",
            "vak-oci",
            "vak-pipeline",
            "vak-plugin",
            "vak-registry",
            "vak-server",
            "vak-serving",
            "vak-session",
            "vak-skill-sign",
            "vak-trust",
            "vak-types",
            "vak-workbench",
        ],
    ),
    ("xtask", &[]),
];

/// The crates without clock, files, network, randomness or runtime, and all
/// that they may use from elsewhere.
const PURE: &[(&str, &[&str])] = &[
    ("vak-types", &["serde", "serde_json", "sha2", "thiserror"]),
    ("vak-limits", &["hashbrown", "smallvec", "thiserror"]),
    ("vak-pipeline", &[]),
];

/// What the source of a pure crate does not name: the standard library has
/// clocks and files too.
const IMPURE: &[&str] = &["SystemTime", "Instant", "std::env", "std::fs", "std::net", "std::process", "rand::"];

/// Every crate of the workspace, with its folder from the workspace's root.
fn packages() -> Vec<(String, Package)> {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let root = metadata.workspace_root;
    let folder = |package: &Package| package.manifest_path.parent().unwrap().strip_prefix(&root).unwrap().to_string();
    metadata.packages.into_iter().map(|package| (folder(&package), package)).collect()
}

/// What the crate itself is built from; its tests may use what they like.
fn dependencies(package: &Package) -> impl Iterator<Item = (&str, bool)> {
    let built = package.dependencies.iter().filter(|dependency| dependency.kind != DependencyKind::Development);
    built.map(|dependency| (dependency.name.as_str(), dependency.path.is_some()))
}

fn row(table: &[(&str, &'static [&'static str])], package: &Package) -> Option<&'static [&'static str]> {
    table.iter().find(|(name, _)| *name == package.name.as_str()).map(|(_, may_use)| *may_use)
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

#[test]
fn dependencies_point_one_way() {
    for (folder, package) in packages() {
        let name = &package.name;
        let may_use = match folder.split('/').next().unwrap() {
            "host" => row(EDGES, &package).unwrap_or_else(|| {
                panic!("`{name}` is new below host/; add it to EDGES in tests/architecture/main.rs")
            }),
            // Guests know the host by its interfaces alone.
            "components" => &["vak-sdk"],
            "sdk" => row(EDGES, &package).unwrap_or(&["vak-sdk"]),
            // Tests look into everything, and nothing may use them.
            "tests" => continue,
            _ => panic!("`{name}` lies in `{folder}`; say in tests/architecture/main.rs what may be there"),
        };
        for (other, _) in dependencies(&package).filter(|(_, internal)| *internal) {
            assert!(may_use.contains(&other), "`{name}` uses `{other}`; it may use {may_use:?} (tests/architecture)");
        }
    }
}

#[test]
fn only_engine_wasi_and_plugin_name_wasmtime() {
    for (_, package) in packages() {
        let names = dependencies(&package).any(|(other, _)| other.starts_with("wasmtime"));
        let may = ["vak-engine", "vak-plugin", "vak-wasi"].contains(&package.name.as_str());
        assert!(!names || may, "`{}` names wasmtime; go through the engine", package.name);
    }
}

/// What can open files and sockets for a guest is in one crate, and the engine
/// can be used, and read, without it.
#[test]
fn only_wasi_names_wasi() {
    for (_, package) in packages() {
        let names = dependencies(&package).any(|(other, _)| other.starts_with("wasmtime-wasi"));
        assert_eq!(names, package.name == "vak-wasi", "`{}`; only `vak-wasi` may reach out for a guest", package.name);
    }
}

#[test]
fn the_decision_path_has_no_clock_files_network_or_randomness() {
    for (_, package) in packages() {
        let Some(may_use) = row(PURE, &package) else { continue };
        let name = &package.name;
        for (other, _) in dependencies(&package).filter(|(_, internal)| !internal) {
            assert!(may_use.contains(&other), "`{name}` uses `{other}`; it may use {may_use:?} (tests/architecture)");
        }
        for path in sources(package.manifest_path.parent().unwrap().join("src").as_std_path()) {
            let text = fs::read_to_string(&path).unwrap();
            let impure = IMPURE.iter().find(|impure| text.contains(**impure));
            assert_eq!(impure, None, "in {}: time and the like are arguments in `{name}`", path.display());
        }
    }
}

#[test]
fn every_crate_says_what_it_is() {
    for (folder, package) in packages() {
        if package.name == "xtask" || folder.starts_with("tests") {
            continue;
        }
        let target = package.targets.iter().find(|target| !target.is_custom_build() && !target.is_test());
        let root = &target.unwrap().src_path;
        let text = fs::read_to_string(root).unwrap();
        assert!(text.starts_with("//! "), "`{root}` does not open with a paragraph that says what the crate is");
    }
}

/// The programs of auditors and publishers are small enough to be read: no
/// engine, no runtime, no network.
#[test]
fn small_programs_link_neither_engine_nor_runtime() {
    for (program, library) in [("vak-audit-verify", "vak-audit "), ("vak-skill-sign", "vak-trust ")] {
        let tree = std::process::Command::new(env!("CARGO"))
            .args(["tree", "--offline", "--locked", "--package", program, "--edges", "normal", "--prefix", "none"])
            .output()
            .unwrap();
        let tree = String::from_utf8(tree.stdout).unwrap();
        assert!(tree.contains(library), "{tree}");
        for name in ["wasmtime", "tokio", "cranelift", "aws", "hyper", "rustls"] {
            assert!(!tree.lines().any(|line| line.starts_with(name)), "{program} links {name}");
        }
    }
}
