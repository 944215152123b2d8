//! A policy in JavaScript, made as its author makes it.

use std::path::{Path, PathBuf};
use std::process::Command;

use vak_bench::median_ns;
use vak_pipeline::Guard as _;
use vak_test_support::{Site, binary, components};
use vak_types::Effect;

use crate::fixture::action;
use crate::print::Row;

/// The policy that `vak new` starts with. There is no row where its tools were
/// not installed; `cargo xtask bench` says why.
pub(crate) fn rows() -> Vec<Row> {
    let modules = components().parent().unwrap().join("npm-sdk/node_modules");
    if !modules.exists() {
        eprintln!("no JavaScript policy is measured: `{}` is missing", modules.display());
        return Vec::new();
    }
    let folder = tempfile::tempdir().unwrap();
    let component = build(folder.path(), &modules);
    let bytes = std::fs::metadata(&component).unwrap().len();
    let site = Site::new().section(&format!("[[policies]]\nname = 'js'\ncomponent = '{}'", component.display()));
    let host = site.host();
    let (policies, action) = (host.policies(), action());
    let nanos = median_ns(|| assert_eq!(policies[0].evaluate(&action, None).unwrap().effect, Effect::Abstain));
    let text = format!("the component has {:.1} MB", bytes as f64 / 1e6);
    vec![Row::at_most("JavaScript policy, fresh instance", nanos / 1e6, 0.25, "ms", text)]
}

fn build(folder: &Path, modules: &Path) -> PathBuf {
    let component = folder.join("judge/dist/judge.wasm");
    let vak = || {
        let mut vak = Command::new(binary("vak"));
        vak.env("VAK_NODE_MODULES", modules).current_dir(folder);
        vak
    };
    run(vak().args(["new", "policy", "judge", "--lang", "js"]));
    run(vak().args(["build", "judge"]));
    run(vak().arg("sign").arg("--key").arg(components().join("publisher.key")).arg(&component));
    component
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
