//! JavaScript and Python in the real engine: loaded, configured with the limits of
//! every component, and asked.

use std::path::Path;
use std::process::{Command, Stdio};

use vak_test_support::{Site, publisher_key};
use vak_trust::{Manifest, Package, Validity};
use vak_types::Timestamp;

use crate::building::interfaces;
use crate::project::{built, ran, vak, venv};

/// A host whose rules permit everything and whose policy and skill are of one
/// language.
fn site(language: &'static str) -> Site {
    let section = |kind: &'static str, table: &str| {
        let component = built(kind, language);
        Package::read(&component)
            .unwrap()
            .sign(&publisher_key(), Validity::since(Timestamp::from_nanos(0)))
            .write(&component)
            .unwrap();
        format!("[[{table}]]\nname = '{language}-{kind}'\ncomponent = '{}'", component.display())
    };
    Site::new()
        .rules("[[rule]]\nid = 'all'\neffect = 'permit'\n")
        .section(&section("policy", "policies"))
        .section(&section("skill", "skills"))
}

fn with(config: &Path, arguments: &[&str], input: &str) -> String {
    let mut vak = Command::new(env!("CARGO_BIN_EXE_vak"));
    vak.args(arguments).arg("--config").arg(config);
    vak.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = vak.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    [output.stdout, output.stderr].map(|stream| String::from_utf8(stream).unwrap()).concat()
}

fn decides_and_runs(language: &'static str) {
    let site = site(language);
    let decide = |arguments: &str| {
        let action = format!(
            r#"{{"agent":"ada","session":"s1","operation":"files/read","resource":"mcp:files/read","arguments":{arguments}}}"#
        );
        with(&site.config(), &["decide"], &action)
    };
    let secret = decide(r#"{"options":{"paths":["/work/README.md","/work/.env"]}}"#);
    for part in ["\"deny\"", &format!("{language}-policy"), "no-secrets", "`/work/.env` holds secrets"] {
        assert!(secret.contains(part), "{language}, {part}: {secret}");
    }
    let fine = decide(r#"{"path":"/work/README.md"}"#);
    assert!(fine.contains("\"allow\""), "{language}: {fine}");
    // Some kilobytes of arguments fit into the limits of a policy.
    let long = decide(&format!(r#"{{"path":"notes.txt","content":"{}"}}"#, "so on and on ".repeat(1_000)));
    assert!(long.contains("\"allow\""), "{language}: {long}");
    let run = |input: &str| {
        with(&site.config(), &["skill", "run", "--agent", "ada", &format!("{language}-skill"), input], "")
    };
    let counted: serde_json::Value = serde_json::from_str(&run(r#"{"text":"to be\nor not to be"}"#)).unwrap();
    assert_eq!(counted, serde_json::json!({ "characters": 18, "words": 6, "lines": 2 }), "{language}");
    let refused = run(r#"{"words":3}"#);
    assert!(refused.contains("`text` is not a string"), "{language}: {refused}");
}

/// Every template answers its own cases as it says, and is measured with them.
#[test]
fn templates_pass_their_cases() {
    let projects = ["policy", "scorer", "adapter", "skill"].map(|kind| (kind, "rust"));
    for (kind, language) in projects.into_iter().chain([("skill", "js"), ("skill", "python")]) {
        let component = built(kind, language);
        let folder = component.ancestors().nth(2).unwrap();
        let tested = ran(vak().arg("test").arg(folder));
        assert!(tested.well && tested.said.contains("2 passed, 0 failed"), "{kind} in {language}: {}", tested.said);
    }
    let component = built("policy", "rust");
    let folder = component.ancestors().nth(2).unwrap();
    let measured = ran(vak().args(["bench", "--calls", "20"]).arg(folder));
    assert!(measured.well && measured.said.contains("median"), "{}", measured.said);
    assert!(!measured.said.contains("warning"), "{}", measured.said);
}

#[test]
fn javascript_decides_and_runs() {
    decides_and_runs("js");
}

#[test]
fn python_decides_and_runs() {
    decides_and_runs("python");
}

/// What `componentize-py` makes by itself has an interpreter that imports sockets,
/// used or not. `vak build` has it made without, and that one loads and runs above.
#[test]
fn python_with_sockets_is_refused_and_what_is_built_here_has_none() {
    let built = built("skill", "python");
    let project = built.ancestors().nth(2).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let component = folder.path().join("thing.wasm");
    let mut componentize = Command::new(venv().join("bin/componentize-py"));
    componentize.args(["--quiet", "--wit-path", "wit", "--world", "component", "componentize"]);
    componentize.args(["--python-path", "src", "skill", "--output"]).arg(&component).current_dir(project);
    let made = ran(&mut componentize);
    assert!(made.well, "{}", made.said);
    let found = |component: &Path| interfaces(component).imports;
    assert_eq!(found(&built), Vec::<String>::new());
    let found = found(&component);
    let sockets = found.iter().filter(|import| import.starts_with("wasi:sockets/"));
    assert!(sockets.count() > 0, "{found:?}");

    let manifest = std::fs::read_to_string(project.join("vak-component.toml")).unwrap();
    Package::unsigned(std::fs::read(&component).unwrap(), &Manifest::from_toml(&manifest).unwrap())
        .sign(&publisher_key(), Validity::since(Timestamp::from_nanos(0)))
        .write(&component)
        .unwrap();
    let site = Site::new().section(&format!("[[skills]]\nname = 'counts'\ncomponent = '{}'", component.display()));
    let refused = site.try_host().err().unwrap().to_string();
    let import = refused.strip_prefix("component `counts`: imports `");
    let import = import.and_then(|import| import.strip_suffix("`, which its manifest does not ask for"));
    assert!(import.is_some_and(|import| import.starts_with("wasi:sockets/")), "{refused}");
}
