//! Hosts, upstreams and installed packages.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use vak_test_support::{Site, binary, components};

/// Rules that permit every tool of the upstream `up` and every skill.
pub(crate) const PERMIT_ALL: &str = "[[rule]]\nid = 'all'\neffect = 'permit'\noperations = ['up/*', 'skill/*']\n";

/// A host with these rules, the skill `calculator` and the gateway for the
/// upstream `up`, which may take `start_ms` to start and `call_ms` for a call.
pub(crate) fn site(rules: &str, start_ms: u64, call_ms: u64) -> Site {
    with_mcp(rules, &format!("upstream = 'up'\nstart_ms = {start_ms}\ncall_ms = {call_ms}"))
}

/// The same with these settings for the gateway.
pub(crate) fn with_mcp(rules: &str, settings: &str) -> Site {
    let mcp = format!("[mcp]\nagent = 'ada'\n{settings}");
    // A machine that is busy with other tests must not make a policy late.
    let limits = "[policies.limits]\nwall_ms_max = 10_000";
    Site::new().rules(rules).section(limits).skill("calculator").section(&mcp)
}

/// The same with more time than anything takes here.
pub(crate) fn patient(rules: &str) -> Site {
    site(rules, 60_000, 60_000)
}

/// The command of our own file server, over a folder with `notes.txt`.
pub(crate) fn file_server(site: &Site) -> Vec<OsString> {
    let files = files(site);
    vec![binary("vak-file-server").into(), files.into()]
}

/// A folder with `notes.txt` in it.
pub(crate) fn files(site: &Site) -> PathBuf {
    let files = site.path().join("files");
    std::fs::create_dir_all(&files).unwrap();
    std::fs::write(files.join("notes.txt"), "Buy milk.").unwrap();
    files.canonicalize().unwrap()
}

/// The command of an upstream that misbehaves as `mode` says and writes what
/// it gets to `upstream.log`.
pub(crate) fn misbehaving(site: &Site, mode: &str) -> Vec<OsString> {
    misbehaving_into(&site.path().join("upstream.log"), mode)
}

/// The same, writing to `log`.
pub(crate) fn misbehaving_into(log: &Path, mode: &str) -> Vec<OsString> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("upstreams/misbehaving.py");
    vec!["python3".into(), script.into(), mode.into(), log.into()]
}

/// `[[mcp.upstreams]]` for an upstream that is started so.
pub(crate) fn upstream(name: &str, command: &[OsString]) -> String {
    let words: Vec<_> = command.iter().map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    format!("[[mcp.upstreams]]\nname = '{name}'\ncommand = [{}]\n", words.join(", "))
}

/// The lines that the upstream got.
pub(crate) fn upstream_got(site: &Site) -> String {
    std::fs::read_to_string(site.path().join("upstream.log")).unwrap_or_default()
}

/// A file of the packages that the tests install below `target`.
pub(crate) fn installed(path: &str) -> PathBuf {
    let path = components().parent().unwrap().join(path);
    assert!(path.exists(), "`{}` is missing; run `cargo xtask test`", path.display());
    path
}
