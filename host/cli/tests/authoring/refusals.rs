//! What cannot be started or built, and what the author is told.

use std::path::Path;

use crate::project::{Project, ran, vak};

fn refuses(name: &str, parent: &Path, part: &str) {
    let ran = ran(vak().args(["new", "policy", "--lang", "js", "--path"]).arg(parent).arg("--").arg(name));
    assert!(!ran.well && ran.said.contains(part), "{name:?}: {}", ran.said);
}

#[test]
fn names_that_are_paths_options_or_look_alikes_are_refused() {
    let parent = tempfile::tempdir().unwrap();
    for name in ["..", "a/b", "/tmp/x", "a\\b", "no-\u{455}hell", "A", "a b", "a\n"] {
        refuses(name, parent.path(), "use lower-case letters a to z, digits and single hyphens");
    }
    for name in ["-x", "--help", "a--b", "7up", ""] {
        refuses(name, parent.path(), "is not words between single hyphens");
    }
    refuses(&"a".repeat(65), parent.path(), "the name has 65 bytes; the most is 64");
    assert_eq!(parent.path().read_dir().unwrap().count(), 0);
}

#[test]
fn what_is_there_stays_as_it_is() {
    let parent = tempfile::tempdir().unwrap();
    let at = |name: &str| parent.path().join(name);
    std::fs::create_dir(at("full")).unwrap();
    std::fs::write(at("full/mine"), "mine").unwrap();
    std::fs::write(at("file"), "mine").unwrap();
    std::os::unix::fs::symlink(parent.path(), at("link")).unwrap();
    std::os::unix::fs::symlink(at("nowhere"), at("dangling")).unwrap();
    for name in ["full", "file", "link", "dangling"] {
        refuses(name, parent.path(), "exists and is not an empty folder; choose another name or remove it");
    }
    assert_eq!(std::fs::read_to_string(at("full/mine")).unwrap(), "mine");
    assert_eq!(parent.path().read_dir().unwrap().count(), 4, "something was left");
    // An empty folder is as good as none.
    std::fs::create_dir(at("empty")).unwrap();
    let ran = ran(vak().args(["new", "skill", "empty", "--lang", "rust", "--path"]).arg(parent.path()));
    assert!(ran.well && at("empty/Cargo.toml").exists(), "{}", ran.said);
}

#[test]
fn a_folder_that_cannot_be_written_gets_nothing() {
    let parent = tempfile::tempdir().unwrap();
    std::fs::write(parent.path().join("file"), "").unwrap();
    refuses("fine", &parent.path().join("file"), "writing `");
    assert_eq!(parent.path().read_dir().unwrap().count(), 1);
}

#[test]
fn what_is_no_project_is_not_built() {
    let folder = tempfile::tempdir().unwrap();
    let build = || ran(vak().arg("build").arg(folder.path())).said;
    assert!(build().contains("has neither Cargo.toml, package.json nor pyproject.toml"), "{}", build());
    for marker in ["package.json", "pyproject.toml"] {
        std::fs::write(folder.path().join(marker), "").unwrap();
    }
    assert!(build().contains("has package.json and pyproject.toml; a project is in one language"), "{}", build());
    let missing = ran(vak().args(["build", "/nowhere/at/all"])).said;
    assert!(missing.contains("error: `/nowhere/at/all`: No such file"), "{missing}");
}

/// A language, its source, a part of it, what it is replaced with, and what has
/// to be in the message.
const BROKEN: [(&str, &str, &str, &str, &[&str]); 7] = [
    ("rust", "src/lib.rs", "Finding::abstain()", "7", &["expected `Finding`, found integer", "src/lib.rs:"]),
    ("js", "src/policy.js", "evaluate(action) {", "evaluate(action) {{{", &["SyntaxError", "src/policy.js:"]),
    ("js", "src/policy.js", "export const policy", "export const rules", &["does not export", "policy"]),
    ("js", "src/policy.js", "// @ts-check", "noSuchThing();", &["noSuchThing is not defined", "src/policy.js:1"]),
    ("python", "src/policy.py", "def strings(value: Any)", "def strings(value: Any", &["SyntaxError", "policy.py"]),
    ("python", "src/policy.py", "def describe", "def explain", &["abstract method 'describe'"]),
    ("python", "src/policy.py", "class Policy(exports.Policy)", "class Rules", &["no attribute 'Policy'"]),
];

#[test]
fn what_a_compiler_says_is_shown() {
    for (language, file, old, new, parts) in BROKEN {
        let project = Project::new("policy", language);
        project.edit(file, old, new);
        let ran = project.build();
        assert!(!ran.well && !project.path().join("dist").exists(), "{language}: {}", ran.said);
        for part in parts {
            assert!(ran.said.contains(part), "{language}, {part}: {}", ran.said);
        }
        // Where the tool itself lies, and what called it, says nothing.
        for noise in ["Stack backtrace", "compiler-artifact", "sys.exit("] {
            assert!(!ran.said.contains(noise), "{language}, {noise}: {}", ran.said);
        }
    }
}

#[test]
fn what_a_compiler_warns_of_is_shown() {
    let project = Project::new("policy", "rust");
    project.edit("src/lib.rs", "fn names_secret", "fn unused() {}\n\nfn names_secret");
    let ran = project.build();
    assert!(ran.well && ran.said.contains("function `unused` is never used"), "{}", ran.said);
}

#[test]
fn missing_tools_are_named_with_what_to_do() {
    let nothing = tempfile::tempdir().unwrap();
    let cases = [
        ("rust", "rustc is missing; install Rust with rustup"),
        ("js", "npm is missing; install Node.js 20 or newer with npm"),
        ("python", "python3 is missing; install Python 3.10 or newer with venv"),
    ];
    for (language, part) in cases {
        let project = Project::new("policy", language);
        let mut vak = vak();
        vak.env_remove("VAK_NODE_MODULES").env_remove("VAK_VENV").env("PATH", nothing.path());
        let ran = project.build_by(&mut vak);
        assert!(!ran.well && ran.said.contains(part), "{language}: {}", ran.said);
    }
}

#[test]
fn tools_of_another_version_are_refused() {
    let nothing = tempfile::tempdir().unwrap();
    for (language, variable) in [("js", "VAK_NODE_MODULES"), ("python", "VAK_VENV")] {
        let project = Project::new("policy", language);
        let ran = project.build_by(vak().env(variable, nothing.path()));
        assert!(
            !ran.well && ran.said.contains("in no version, and the project asks for 0.2"),
            "{language}: {}",
            ran.said
        );
    }
    let project = Project::new("policy", "python");
    project.edit("requirements.txt", "componentize-py==0.25.0", "componentize-py==0.24.0");
    let ran = project.build();
    assert!(!ran.well && ran.said.contains("componentize-py 0.25.0, and the project asks for 0.24.0"), "{}", ran.said);
    project.edit("requirements.txt", "componentize-py==", "componentize-py>=");
    let ran = project.build();
    assert!(!ran.well && ran.said.contains("does not pin componentize-py"), "{}", ran.said);
}

#[test]
fn a_manifest_and_a_source_have_to_be_there() {
    let project = Project::new("skill", "js");
    std::fs::rename(project.path().join("src/skill.js"), project.path().join("src/main.js")).unwrap();
    let ran = project.build();
    assert!(ran.said.contains("src/skill.js` is missing; the source of a skill is there"), "{}", ran.said);
    project.edit("vak-component.toml", "kind = \"skill\"", "kind = \"plugin\"");
    let ran = project.build();
    assert!(
        ran.said.contains("vak-component.toml`: ") && ran.said.contains("unknown variant `plugin`"),
        "{}",
        ran.said
    );
    std::fs::remove_file(project.path().join("vak-component.toml")).unwrap();
    assert!(project.build().said.contains("vak-component.toml`: No such file"));
}
