//! `vak install`, `remove` and `list`, and hosts that load what is installed.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::site::{Ran, SIGNED_AT, Site, manifest, now, snapshot, without_digests};
use vak_test_support::components;
use vak_trust::{Package, Validity};
use vak_types::Digest;

const EMPTY: &str = "(component)";

/// `no-shell`, a real policy, in a package of this version.
fn real(site: &Site, file: &str, version: &str) -> Package {
    let component = std::fs::read(components().join("no-shell.wasm")).unwrap();
    site.signed(file, &manifest("no-shell", version, "policy"), component, &site.ann)
}

#[test]
fn a_package_is_introduced_installed_listed_and_removed() {
    let site = Site::new();
    let text = manifest("notes", "1.0.0", "skill");
    site.package("notes", &format!("{text}[grants]\nclock = true\ndirectories = {{ '/notes' = 'write' }}"), EMPTY);
    assert_eq!(site.ok(&["list"]), "");
    let told = site.ok(&["install", "notes.wasm"]);
    assert_eq!(
        without_digests(&told),
        "name       notes 1.0.0, a skill\n\
         about      Does.\n\
         licence    MIT\n\
         component  sha256:…\n\
         signed by  `ann` (sha256:…)\n\
         asks for   it may see what time it is\n\
        \x20          it may read and change files in `/notes`\n\n\
         installed notes 1.0.0\n"
    );
    let before = snapshot(&site.path("state"));
    let told = site.ok(&["install", "notes.wasm"]);
    assert!(told.ends_with("\nnotes 1.0.0 is installed already; nothing changed\n"), "{told}");
    assert_eq!(snapshot(&site.path("state")), before);

    site.signed("other", &manifest("other-one", "12.0.0-rc.1", "policy"), wat::parse_str(EMPTY).unwrap(), &site.bob);
    site.ok(&["install", "other.wasm"]);
    assert_eq!(
        without_digests(&site.ok(&["list"])),
        "notes      1.0.0        skill   ann  sha256:…\nother-one  12.0.0-rc.1  policy  bob  sha256:…\n"
    );
    let listed: serde_json::Value = serde_json::from_str(&site.ok(&["list", "--json"])).unwrap();
    assert_eq!(listed[0]["name"], "notes");
    assert_eq!(listed[0]["signers"], serde_json::json!(["ann"]));
    assert_eq!(listed[1]["component"], Digest::of(&wat::parse_str(EMPTY).unwrap()).to_string());
    assert_eq!(listed[1]["problem"], serde_json::Value::Null);

    site.configure("", "[[policies]]\nname = 'mine'\npackage = 'other-one'\n");
    let Ran { code, out, err } = site.run(&["remove", "other-one"]);
    assert_eq!((code, out.as_str()), (0, "removed other-one\n"));
    assert_eq!(err, "warning: policy `mine` of the configuration uses it and won't load\n");
    site.fails(&["remove", "other-one"], 2, "error: no package `other-one` is installed; run `vak install FILE`");
    site.fails(&["remove", "../notes"], 2, "character '/'");
    assert_eq!(site.ok(&["list"]).lines().count(), 1);
}

#[test]
fn replacing_what_widens_takes_a_yes() {
    let site = Site::new();
    let text = |version| manifest("notes", version, "skill");
    site.package("old", &text("1.0.0"), EMPTY);
    site.package("wider", &format!("{}[grants]\nsecrets = ['mail']", text("1.1.0")), EMPTY);
    site.signed("taken", &text("0.9.0"), wat::parse_str(EMPTY).unwrap(), &site.bob);
    site.ok(&["install", "old.wasm"]);
    let before = snapshot(&site.path("state"));

    let Ran { code, err, .. } = site.run(&["install", "wider.wasm"]);
    assert_eq!(
        (code, err.as_str()),
        (
            1,
            "\nThis would replace notes 1.0.0 by 1.1.0, and:\n\
             * It asks for more than the installed version:\n\
            \x20   it may read the secret `mail`\n\
             notes 1.0.0 stays installed; agree on a terminal or with --yes\n"
        )
    );
    assert_eq!(snapshot(&site.path("state")), before);
    let Ran { code, err, .. } = site.run(&["install", "taken.wasm"]);
    assert_eq!(
        (code, without_digests(&err).as_str()),
        (
            1,
            "\nThis would replace notes 1.0.0 by 0.9.0, and:\n\
             * It is older than the installed version, 1.0.0.\n\
             * It is by somebody else, who may be taking over the name:\n\
            \x20   installed  `ann` (sha256:…)\n\
            \x20   this one   `bob` (sha256:…)\n\
             notes 1.0.0 stays installed; agree on a terminal or with --yes\n"
        )
    );
    assert_eq!(snapshot(&site.path("state")), before);
    // What is piped in is no answer.
    let mut piped = site.command(&["install", "wider.wasm"]);
    let mut piped = piped.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // It does not read it, and may be gone before it is written.
    if let Err(error) = std::io::Write::write_all(&mut piped.stdin.take().unwrap(), b"y\n") {
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    }
    assert_eq!(piped.wait().unwrap().code(), Some(1));

    assert_eq!(at_a_terminal(&site, "wider.wasm", "n").0, 1);
    assert_eq!(at_a_terminal(&site, "wider.wasm", "").0, 1);
    assert_eq!(snapshot(&site.path("state")), before);
    let (code, told) = at_a_terminal(&site, "wider.wasm", "y");
    assert!(code == 0 && told.contains("installed notes 1.1.0 in place of 1.0.0"), "{told}");
    let told = site.ok(&["install", "taken.wasm", "--yes"]);
    assert!(told.ends_with("\ninstalled notes 0.9.0 in place of 1.1.0\n"), "{told}");
}

/// Installs with a terminal at which somebody answers.
fn at_a_terminal(site: &Site, file: &str, answer: &str) -> (i32, String) {
    const SCRIPT: &str = "import os, pty, sys\n\
        pid, terminal = pty.fork()\n\
        if pid == 0: os.execv(sys.argv[1], sys.argv[1:2] + ['install', sys.argv[2]])\n\
        told = b''\n\
        while b'[y/N] ' not in told: told += os.read(terminal, 1000)\n\
        os.write(terminal, sys.argv[3].encode() + b'\\n')\n\
        try:\n\
        \x20   while part := os.read(terminal, 1000): told += part\n\
        except OSError: pass\n\
        sys.stdout.buffer.write(told)\n\
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n";
    let mut python = Command::new("python3");
    python.args(["-c", SCRIPT, env!("CARGO_BIN_EXE_vak"), file, answer]).current_dir(site.path(""));
    let Ran { code, out, .. } = Ran::of(&mut python);
    (code, out)
}

#[test]
fn what_is_not_trusted_is_not_installed() {
    let site = Site::new();
    let good = site.package("good", &manifest("notes", "1.0.0", "skill"), EMPTY);
    let write = |package: Package| package.write(&site.path("bad.wasm")).unwrap();
    let refused = |part: &str| {
        site.fails(&["install", "bad.wasm", "--yes"], 2, &format!("error: {part}"));
        assert!(!site.path("state/store").exists());
    };
    write(Package { bundle: None, ..good.clone() });
    refused("the component has no signature");
    site.configure("development = true", "");
    refused("the component has no signature");
    site.configure("", "");
    let bundle = good.bundle.clone().unwrap();
    write(Package { bundle: Some(bundle[..100].to_vec()), ..good.clone() });
    refused("the signature file is not a bundle");
    write(Package { component: b"other".to_vec(), ..good.clone() });
    refused("the signature is over another component");
    write(good.clone());
    site.configure(&format!("revoked_digests = ['{}']", Digest::of(&good.component)), "");
    refused("`sha256:");
    site.configure(&format!("revoked_keys = ['{}']", site.ann.public().id()), "");
    refused("it needs a signature by a publisher; the key of `ann` is revoked");
    site.configure("", "");
    let time = |text: &str| text.parse().unwrap();
    let expired = Validity::new(time("2026-01-01T00:00:00Z"), Some(time("2026-01-02T00:00:00Z"))).unwrap();
    write(good.clone().sign(&site.ann, expired));
    refused("it needs a signature by a publisher; the signature by `ann` expired at 2026-01-02T00:00:00Z");
    site.fails(&["install", "absent.wasm"], 2, "No such file or directory");
    site.fails(&["install", "vak.toml"], 2, "does not end in `.wasm`");
    // A manifest in which somebody wrote to the reader's terminal.
    let hostile = br#"{"na\u001b[2Jme":1}"#.to_vec();
    let hostile = Package { manifest: hostile, ..good };
    write(hostile.sign(&site.ann, Validity::new(time(SIGNED_AT), None).unwrap()));
    let ran = site.run(&["install", "bad.wasm"]);
    assert!(ran.code == 2 && ran.err.contains(r"unknown field `na\u{1b}[2Jme`"), "{ran:?}");
}

#[test]
fn a_host_loads_what_is_installed_and_verifies_it_again() {
    let site = Site::new();
    let section = |more: &str| format!("[[policies]]\nname = 'mine'\n{more}\n");
    let package = section("package = 'no-shell'\nversion = '^1.2'");
    let verify = &["component", "verify"];
    for (more, error) in [
        ("", "component `mine`: give exactly one of `component = \"FILE.wasm\"` and `package = \"NAME\"`"),
        ("component = 'a.wasm'\npackage = 'a'", "component `mine`: give exactly one of"),
        ("component = 'a.wasm'\nversion = '1'", "component `mine`: `version` is for an installed `package`"),
        ("version = '1'", "component `mine`: give exactly one of"),
        ("package = '../a'", "character '/'"),
        ("package = 'a'\nversion = 'newest'", "unexpected character 'n' while parsing major version number"),
        ("package = 'a'", "component `mine`: no package `a` is installed; run `vak install FILE`"),
    ] {
        site.configure("", &section(more));
        site.fails(verify, 2, error);
    }
    site.configure("", &package);
    let installed = real(&site, "new", "1.2.3");
    real(&site, "old", "1.1.0");
    site.ok(&["install", "new.wasm"]);
    let told = site.ok(verify);
    assert!(told.starts_with(&format!("policy mine: {}, signed by", Digest::of(&installed.component))), "{told}");
    site.ok(&["config", "show"]);

    site.ok(&["install", "old.wasm", "--yes"]);
    let error = "component `mine`: `no-shell` 1.1.0 is installed and its `version` asks for `^1.2`; install one that \
                 fits with `vak install FILE`, or change `version`";
    site.fails(verify, 2, error);
    site.ok(&["install", "new.wasm"]);

    // Trust is what it is at load, not what it was at installation.
    site.configure(&format!("revoked_digests = ['{}']", Digest::of(&installed.component)), &package);
    site.fails(verify, 2, "is revoked; choose another version");
    let listed = site.run(&["list"]);
    assert!(listed.code == 1 && listed.out.contains("\n  NOT LOADABLE: `sha256:"), "{listed:?}");
    site.configure("", &package);
    let blob = site.path("state/store/blobs").join(Digest::of(&installed.component).to_hex());
    let mut bytes = installed.component.clone();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&blob, bytes).unwrap();
    site.fails(verify, 2, "component `mine`: the installed package `no-shell` is damaged: what is stored as `sha256:");
    let listed = site.run(&["list"]);
    assert!(listed.code == 1 && listed.out.contains("NOT LOADABLE: the installed package `no-shell` is damaged"));
    site.fails(&["component", "inspect", "no-shell"], 2, "is damaged: what is stored as");
    // The same once more puts it right.
    site.ok(&["install", "new.wasm"]);
    site.ok(verify);
    let record = site.path("state/store/names/no-shell.json");
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, text.replace("1.2.3", "1.2.4")).unwrap();
    site.fails(verify, 2, "is damaged: its manifest is of `no-shell` 1.2.3; run `vak remove no-shell`");
    std::fs::write(&record, "\u{1b}[2J").unwrap();
    let listed = site.run(&["list"]);
    assert!(listed.code == 1 && listed.out.starts_with("no-shell  ?  ?  -  ?\n  NOT LOADABLE: "), "{listed:?}");
    site.ok(&["remove", "no-shell"]);
    site.fails(verify, 2, "no package `no-shell` is installed");
}

#[test]
fn a_disk_that_takes_no_more_is_told_and_nothing_is_half_there() {
    let site = Site::new();
    site.package("old", &manifest("notes", "1.0.0", "skill"), EMPTY);
    site.ok(&["install", "old.wasm"]);
    let large = format!("(component (core module (memory 1) (data (i32.const 0) \"{}\")))", "x".repeat(40_000));
    site.package("new", &manifest("notes", "2.0.0", "skill"), &large);
    let limited = |ignore: &str| {
        let mut bash = Command::new("bash");
        let script = format!("{ignore} ulimit -f 8; exec '{}' install new.wasm", env!("CARGO_BIN_EXE_vak"));
        bash.args(["-c", &script]).current_dir(site.path("")).stdin(Stdio::null());
        Ran::of(&mut bash)
    };
    let ran = limited("trap '' XFSZ;");
    assert!(
        ran.code == 2 && ran.err.contains("error: the store, at `") && ran.err.contains("File too large"),
        "{ran:?}"
    );
    assert_eq!(site.whole(now()).as_deref(), Some("1.0.0"));
    // Killed by the system in the middle of a write.
    assert_eq!(limited("").code, -1);
    assert_eq!(site.whole(now()).as_deref(), Some("1.0.0"));
    assert_eq!(site.count("aside"), 1);
    site.ok(&["install", "new.wasm"]);
    assert_eq!((site.whole(now()).as_deref(), site.count("aside"), site.count("blobs")), (Some("2.0.0"), 0, 3));

    site.fails(&["install", "new.wasm", "--set", "state=log.key"], 2, "Not a directory");
    site.fails(&["install", "new.wasm", "--set", "state=/proc/vak"], 2, "error: the store, at `/proc/vak/store`: ");
}

/// Two versions of one package.
fn two_versions(site: &Site) {
    for version in ["1.0.0", "2.0.0"] {
        let filling = version.repeat(4_000);
        let component = format!("(component (core module (memory 1) (data (i32.const 0) \"{filling}\")))");
        site.package(version, &manifest("notes", version, "skill"), &component);
    }
}

#[test]
fn several_processes_at_once_leave_a_whole_store() {
    let site = Site::new();
    two_versions(&site);
    let install =
        |file: &str| site.command(&["install", file, "--yes"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let remove = || site.command(&["remove", "notes"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    for round in 0..50 {
        let both = match round % 3 {
            0 => [install("1.0.0.wasm"), install("1.0.0.wasm")],
            1 => [install("1.0.0.wasm"), install("2.0.0.wasm")],
            _ => [install("2.0.0.wasm"), remove()],
        };
        let [one, other] = both.map(|child| child.unwrap().wait().unwrap().code().unwrap());
        assert_eq!((one, other), (0, 0), "round {round}");
        let installed = site.whole(now());
        let expected: &[Option<&str>] = match round % 3 {
            0 => &[Some("1.0.0")],
            1 => &[Some("1.0.0"), Some("2.0.0")],
            _ => &[Some("2.0.0"), None],
        };
        assert!(expected.contains(&installed.as_deref()), "round {round}: {installed:?}");
        let files = if installed.is_some() { 3 } else { 0 };
        assert_eq!((site.count("aside"), site.count("blobs")), (0, files), "round {round}");
    }
}

#[test]
fn a_process_that_is_killed_leaves_a_whole_store() {
    let site = Site::new();
    two_versions(&site);
    site.ok(&["install", "1.0.0.wasm"]);
    let start = Instant::now();
    site.ok(&["install", "2.0.0.wasm"]);
    let whole = start.elapsed();
    let (mut random, mut killed, mut interrupted) = (0x5eed_u64, 0, 0);
    for round in 0..100 {
        let (from, to) = [("1.0.0", "2.0.0"), ("2.0.0", "1.0.0")][round % 2];
        site.ok(&["install", &format!("{from}.wasm"), "--yes"]);
        let mut child = site.command(&["install", &format!("{to}.wasm"), "--yes"]);
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // From its start to well after its end.
        std::thread::sleep(Duration::from_micros((random >> 33) % (whole.as_micros() as u64 * 5 / 4)));
        child.kill().unwrap();
        killed += usize::from(child.wait().unwrap().code().is_none());
        let installed = site.whole(now()).unwrap();
        assert!(installed == from || installed == to, "round {round}: {installed}");
        interrupted += usize::from(site.count("aside") > 0 || site.count("blobs") > 3);
        site.ok(&["install", &format!("{to}.wasm"), "--yes"]);
        assert_eq!((site.whole(now()).as_deref(), site.count("aside")), (Some(to), 0), "round {round}");
        assert_eq!(site.count("blobs"), 3, "round {round}");
    }
    assert!(killed > 20 && interrupted > 0, "{killed} were killed, {interrupted} of them while they wrote");
}
