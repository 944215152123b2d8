//! The published examples build and answer their cases, put over a new project as
//! their README says.

use std::fs;
use std::path::Path;

use crate::project::{Project, ran, vak};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

fn passes(example: &str, language: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../components/policies/examples").join(example);
    let project = Project::named(example, "policy", language);
    fs::remove_dir_all(project.path().join("tests")).unwrap();
    copy(&folder, &project.path());
    let built = project.build();
    assert!(built.well, "{example}: {}", built.said);
    let tested = ran(vak().arg("test").arg(project.path()));
    let cases = fs::read_dir(folder.join("tests")).unwrap().count();
    assert!(tested.well && tested.said.contains(&format!("{cases} passed, 0 failed")), "{example}: {}", tested.said);
}

#[test]
fn rust_counts_what_was_refused() {
    passes("three-strikes", "rust");
}

#[test]
fn javascript_asks_a_person() {
    passes("four-eyes", "js");
}

#[test]
fn python_knows_what_was_seen() {
    passes("no-exfiltration", "python");
}
