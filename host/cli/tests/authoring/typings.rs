//! The typings agree with the templates and with what the tools make.

use std::path::Path;
use std::process::Command;

use crate::project::{Project, node_modules, ran, venv};

const KINDS: [&str; 4] = ["policy", "scorer", "adapter", "skill"];

fn type_check(project: &Project) -> crate::project::Ran {
    let tsc = node_modules().join(".bin/tsc");
    ran(Command::new(tsc).args(["--project", "jsconfig.json"]).current_dir(project.path()))
}

#[test]
fn javascript_templates_type_check() {
    for kind in KINDS {
        let project = Project::new(kind, "js");
        let ran = type_check(&project);
        assert!(ran.well, "{kind}: {}", ran.said);
    }
}

#[test]
fn a_wrong_answer_does_not_type_check() {
    let cases = [
        ("effect: 'forbid', rule: 'no-secrets', reason", "effect: 'forbidden', reason", "'\"forbidden\"'"),
        ("JSON.parse(action.arguments)", "JSON.parse(action.argument)", "'argument' does not exist"),
        ("tag: 'mistyped'", "tag: 'wrong'", "'\"wrong\"'"),
        ("  describe() {", "  explain() {", "'explain' does not exist in type 'Policy'"),
    ];
    for (old, new, part) in cases {
        let project = Project::new("policy", "js");
        project.edit("src/policy.js", old, new);
        let ran = type_check(&project);
        assert!(!ran.well && ran.said.contains(part), "{part}: {}", ran.said);
    }
}

/// The stubs say what `componentize-py` makes of our WIT: the same classes with
/// the same fields, and protocols with the same functions.
#[test]
fn python_stubs_say_what_the_tool_makes() {
    for kind in KINDS {
        let project = Project::new(kind, "python");
        project.edit("wit/world.wit", "// import", "import");
        project.edit("wit/world.wit", "// export", "export");
        let made = project.path().join("made");
        let mut bindings = Command::new(venv().join("bin/componentize-py"));
        bindings.args(["--quiet", "--wit-path", "wit", "--world", "component", "bindings"]).arg(&made);
        let generated = ran(bindings.current_dir(project.path()));
        assert!(generated.well, "{kind}: {}", generated.said);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/authoring/compare_stubs.py");
        let mut compare = Command::new(venv().join("bin/python"));
        let compared = ran(compare.arg(script).arg(&made).arg(project.path().join("typings")));
        assert!(compared.well, "{kind}: {}", compared.said);
        assert!(compared.said.contains("compared"), "{kind}: {}", compared.said);
    }
}
