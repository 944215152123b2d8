//! Every template gives a complete project, and the vendored SDK is ours.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use toml::Table;
use vak_author::{Language, NewProject};
use vak_trust::Manifest;
use vak_types::Kind;

const KINDS: [Kind; 4] = [Kind::Policy, Kind::Scorer, Kind::Adapter, Kind::Skill];

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn check(kind: Kind, language: Language) {
    let parent = tempfile::tempdir().unwrap();
    let project = NewProject { kind, language, name: "my-thing".parse().unwrap() };
    let folder = project.write(parent.path()).unwrap();
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1, "something beside the project was left");
    let read = |path: &str| fs::read_to_string(folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));

    let manifest = Manifest::from_toml(&read("vak-component.toml")).unwrap();
    assert_eq!((manifest.name.as_str(), manifest.kind), ("my-thing", kind));
    assert!(read(language.marker()).contains("my-thing"));
    for path in files(&folder) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("vak-template") && !text.contains("vak-kind"), "{} has a placeholder", path.display());
    }
    for needed in ["README.md", ".gitignore"] {
        assert!(!read(needed).is_empty());
    }
    let wit = if language == Language::Rust { "wit" } else { "wit/deps" };
    for package in ["types".to_owned(), "host".to_owned(), kind.to_string()] {
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../wit/{package}/{package}.wit"));
        assert_eq!(read(&format!("{wit}/{package}/{package}.wit")), fs::read_to_string(ours).unwrap());
    }
    let cases: Vec<PathBuf> = fs::read_dir(folder.join("tests")).unwrap().map(|case| case.unwrap().path()).collect();
    assert!(cases.len() >= 2, "one case and its counterpart");
    for case in cases {
        for file in ["input.json", "expected.json"] {
            let text = fs::read_to_string(case.join(file)).unwrap();
            serde_json::from_str::<serde_json::Value>(&text).unwrap();
        }
    }
}

#[test]
fn every_template_gives_a_complete_project() {
    for kind in KINDS {
        for language in Language::ALL {
            check(kind, language);
        }
    }
}

/// The manifest of the vendored SDK is written by hand, because ours takes its
/// versions from the workspace.
#[test]
fn the_vendored_sdk_is_ours() {
    let read = |path: &str| -> Table {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
        toml::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    };
    let (ours, workspace) = (read("sdk/rust/Cargo.toml"), read("Cargo.toml"));
    let vendored = read("sdk/rust/template/sdk.toml.in");
    assert_eq!(vendored["features"], ours["features"]);
    let names =
        |manifest: &Table| -> Vec<String> { manifest["dependencies"].as_table().unwrap().keys().cloned().collect() };
    assert_eq!(names(&vendored), names(&ours));
    for name in names(&ours) {
        assert_eq!(vendored["dependencies"][&name], workspace["workspace"]["dependencies"][&name], "{name}");
    }
    let package = workspace["workspace"]["package"].as_table().unwrap();
    for key in ["version", "edition", "rust-version", "license"] {
        assert_eq!(vendored["package"][key], package[key], "{key}");
    }
}
