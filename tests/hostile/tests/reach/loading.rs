//! What is refused before anything runs.

use std::os::unix::fs::symlink;

use serde_json::json;
use vak_engine::{CallLimits, LoadError, Problem, Request};
use vak_hostile::{WatPolicy, manifest};
use vak_plugin::load;
use vak_test_support::publisher_key;
use vak_trust::{Package, TrustPolicy, Unsigned, Validity};
use vak_types::{Capability, Granted, Kind};

use crate::skill::{Grants, NOW, engine, restrict};

fn problem(grants: &Grants) -> Problem {
    match grants.try_load() {
        Err(LoadError { problem, .. }) => problem,
        Ok(_) => panic!("it loads"),
    }
}

fn refused(grants: &Grants, message: &str) {
    let problem = problem(grants);
    assert!(matches!(problem, Problem::Grant(_)), "{problem}");
    let problem = problem.to_string();
    assert!(problem.contains(message), "{problem}");
}

#[test]
fn imports_need_a_request_and_a_grant() {
    let full = || Grants::new("lacks").with("clock").with("randomness");
    let without = |side: &str, right: &str| {
        let mut grants = full();
        let side = if side == "requested" { &mut grants.requested } else { &mut grants.granted };
        side.as_object_mut().unwrap().remove(right).unwrap();
        problem(&grants)
    };
    full().load();
    for (right, capability, interface) in [
        ("http", Capability::Http, "wasi:http/"),
        ("secrets", Capability::Secrets, "vak:host/secrets@"),
        ("memory", Capability::Memory, "vak:host/memory@"),
        ("log", Capability::Log, "vak:host/log@"),
    ] {
        let undeclared = without("requested", right);
        assert!(matches!(&undeclared, Problem::Undeclared { import } if import.starts_with(interface)), "{undeclared}");
        let problem = without("granted", right);
        assert!(
            matches!(&problem, Problem::NotGranted { capability: found, import }
                if *found == capability && import.starts_with(interface)),
            "{problem}"
        );
    }
    // What has a stand-in is only refused when it was asked for.
    for (right, capability) in [("clock", Capability::Clock), ("randomness", Capability::Randomness)] {
        let problem = without("granted", right);
        assert!(matches!(problem, Problem::NotGranted { capability: found, .. } if found == capability), "{problem}");
        let mut grants = full();
        grants.requested.as_object_mut().unwrap().remove(right);
        grants.load();
    }
    let mut http = full();
    http.granted["http"] = json!({ "elsewhere.invalid": {} });
    assert!(matches!(problem(&http), Problem::NotGranted { capability: Capability::Http, .. }));
}

#[test]
fn a_directory_has_to_be_one() {
    let grants = || Grants::new("no-directory");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("real")).unwrap();
    std::fs::write(path("file"), "").unwrap();
    symlink("real", path("link")).unwrap();
    symlink("file", path("file-link")).unwrap();
    grants().directory("/d", &path("real"), "read").load();
    // A link on the way is the operator's; the last part is what is granted.
    symlink(folder.path(), path("up")).unwrap();
    grants().directory("/d", &path("up/real"), "read").load();
    for (name, message) in [
        ("missing", "cannot be opened: No such file or directory"),
        ("file", "is not a directory"),
        ("link", "is a symbolic link; grant the directory that it leads to"),
        ("link/", "is a symbolic link"),
        ("link/.", "is a symbolic link"),
        ("file-link", "is a symbolic link"),
        ("file/below", "cannot be opened: Not a directory"),
    ] {
        refused(&grants().directory("/d", &path(name), "read"), message);
    }
}

/// What is done to a secret's file, and what is said of it.
type Changed<'a> = (&'a dyn Fn(&std::path::Path), &'a str);

#[test]
fn a_secret_is_a_file_of_the_owners_alone() {
    let with = |change: &dyn Fn(&std::path::Path)| {
        let grants = Grants::new("no-secret").secret("token", "value");
        change(&grants.path().join("token"));
        grants
    };
    with(&|_| {}).load();
    let cases: [Changed<'_>; 8] = [
        (&|path| restrict(path, 0o640), "others can read"),
        (&|path| restrict(path, 0o604), "(mode 0604); run `chmod 600"),
        (&|path| restrict(path, 0o602), "(mode 0602)"),
        (&|path| std::fs::remove_file(path).unwrap(), "No such file or directory"),
        (&|path| std::fs::write(path, "").unwrap(), "is empty or not UTF-8"),
        (&|path| std::fs::write(path, "\n").unwrap(), "is empty or not UTF-8"),
        (&|path| std::fs::write(path, b"\xff").unwrap(), "is empty or not UTF-8"),
        (&|path| std::fs::write(path, "x".repeat((64 << 10) + 1)).unwrap(), "has more than 65536 bytes"),
    ];
    for (change, message) in cases {
        refused(&with(change), message);
    }
    let mut grants = Grants::new("no-secret");
    grants.granted["secrets"]["unused"] = json!(grants.path());
    refused(&grants, "is not a file");
}

#[test]
fn no_grant_links_sockets_and_none_gives_a_policy_http() {
    let imports = |interface: &str, kind: Kind, grants: &str| {
        let import = format!("(import \"{interface}\" (instance (export \"f\" (func))))");
        let component = WatPolicy { before: import, ..WatPolicy::default() }.encode();
        let key = publisher_key();
        let package = Package::unsigned(component, &manifest(&kind.to_string(), grants));
        let package = package.sign(&key, Validity::since(NOW));
        let component = &TrustPolicy::of_publishers([key.public()]).verify(package, Unsigned::Refuse, NOW).unwrap();
        let granted: Granted =
            serde_json::from_value(json!({ "log": true, "http": { "*": { "private": true } } })).unwrap();
        let (name, limits) = (&"reaches".parse().unwrap(), CallLimits::of(kind));
        load(engine(), &Request { name, kind, component, config: None, grants: &granted, limits }, None)
            .unwrap_err()
            .problem
    };
    let cases = [
        ("wasi:sockets/tcp@0.2.6", Kind::Policy, ""),
        ("wasi:sockets/network@0.2.0", Kind::Policy, "log = true"),
        ("wasi:http/outgoing-handler@0.2.6", Kind::Policy, ""),
        ("wasi:http/types@0.2.6", Kind::Policy, "log = true"),
        ("vak:host/secrets@0.1.0", Kind::Policy, ""),
        ("vak:host/memory@0.1.0", Kind::Policy, ""),
        ("wasi:filesystem/types@0.3.0", Kind::Policy, ""),
    ];
    for (interface, kind, grants) in cases {
        let problem = imports(interface, kind, grants);
        assert!(matches!(&problem, Problem::Undeclared { import } if import == interface), "{interface}: {problem}");
    }
}
