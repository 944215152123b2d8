//! `vak component inspect` and `diff`.

use crate::site::{SIGNED_AT, Site, manifest, without_digests};
use serde_json::{Value, json};
use vak_trust::{Package, PrivateKey, Validity};

/// A skill that imports what it asks for and more.
const SKILL: &str = r#"(component
    (import "vak:host/log@0.1.0" (instance (export "write" (func))))
    (import "vak:host/secrets@0.1.0" (instance (export "get" (func))))
    (import "wasi:cli/environment@0.2.6" (instance (export "get-environment" (func))))
    (import "wasi:sockets/tcp@0.2.6" (instance (export "connect" (func))))
    (instance $none)
    (export "vak:skill/skill@0.1.0" (instance $none)))"#;

const GRANTS: &str = "source = 'https://example.org/notes'\n\
    [grants]\nlog = true\ndirectories = { '/notes' = 'write', '/work' = 'read' }\n\
    [grants.http.'*.example.org']\nmethods = ['GET', 'POST']\n\
    [limits]\nmemory_bytes_max = 1048576\n";

fn skill(site: &Site) -> Package {
    site.package("notes", &(manifest("notes", "1.2.0", "skill") + GRANTS), SKILL)
}

#[test]
fn inspect_tells_everything_at_a_glance() {
    let site = Site::new();
    let package = skill(&site);
    let told = site.run(&["component", "inspect", "notes.wasm"]);
    let expected = format!(
        "name       notes 1.2.0, a skill\n\
         about      Does.\n\
         component  sha256:…, {} bytes\n\
         manifest   sha256:…\n\
         interface  vak:skill/skill@0.1.0\n\
         licence    MIT\n\
         source     https://example.org/notes\n\
         imports    vak:host/log@0.1.0          needs `log`\n\
        \x20          vak:host/secrets@0.1.0      needs `secrets`, which it does not ask for: it will not load\n\
        \x20          wasi:cli/environment@0.2.6  a stand-in that gives no access\n\
        \x20          wasi:sockets/tcp@0.2.6      this host has no such thing: it will not load\n\
         exports    vak:skill/skill@0.1.0\n\
         asks for   it may write lines to the host's log\n\
        \x20          it may read and change files in `/notes`\n\
        \x20          it may read files in `/work`\n\
        \x20          it may send GET, POST requests to every host below `example.org` on port 443\n\
         limits     memory_bytes_max = 1048576\n\
         signed by  `ann` (sha256:…)\n\
        \x20            believed as publisher, reviewer\n\
        \x20            from 2026-01-02T03:04:05Z on\n\
        \x20            counts\n\
         verifies   yes\n",
        package.component.len()
    );
    assert_eq!((told.code, without_digests(&told.out)), (0, expected), "{}", told.err);

    // Installed, and used by a section that grants a part.
    site.ok(&["install", "notes.wasm"]);
    let section = "[[skills]]\nname = 'mine'\npackage = 'notes'\n\
        [skills.grants]\nlog = true\nclock = true\n\
        directories = { '/notes' = { host = 'files' } }\n\
        [[skills]]\nname = 'file'\ncomponent = './notes.wasm'\n";
    site.configure("", section);
    let told = site.ok(&["component", "inspect", "notes"]);
    let (_, used) = told.split_once("used by").unwrap();
    assert_eq!(
        used,
        "    skill `mine`\n\
        \x20            granted: it may write lines to the host's log\n\
        \x20            granted: it may read files in `/notes`\n\
        \x20            MISSING: it may read and change files in `/notes`\n\
        \x20            MISSING: it may read files in `/work`\n\
        \x20            MISSING: it may send GET, POST requests to every host below `example.org` on port 443\n"
    );
    let told = site.ok(&["component", "inspect", "notes.wasm"]);
    assert!(told.contains("used by    skill `file`\n             MISSING: it may write lines"), "{told}");

    let told: Value = serde_json::from_str(&site.ok(&["component", "inspect", "notes", "--json"])).unwrap();
    assert_eq!(told["manifest"]["version"], "1.2.0");
    assert_eq!(told["component"], json!(package.digests().0));
    assert_eq!(
        told["imports"][1],
        json!({
            "name": "vak:host/secrets@0.1.0",
            "needs": "needs `secrets`, which it does not ask for: it will not load",
            "links": false,
        })
    );
    assert_eq!(told["verifies"], true);
    assert_eq!(told["signatures"][0]["name"], "ann");
    assert_eq!(told["signatures"][0]["roles"], json!(["publisher", "reviewer"]));
    assert_eq!(told["signatures"][0]["signed_at"], SIGNED_AT);
    assert_eq!(told["used_by"][0]["granted"][1], "it may read files in `/notes`");
}

#[test]
fn inspect_says_what_is_wrong() {
    let site = Site::new();
    let package = skill(&site);
    let since = Validity::new(SIGNED_AT.parse().unwrap(), None).unwrap();
    let short = Validity::new(SIGNED_AT.parse().unwrap(), Some("2026-01-03T00:00:00Z".parse().unwrap())).unwrap();
    let told = |package: Package| {
        package.write(&site.path("x.wasm")).unwrap();
        let ran = site.run(&["component", "inspect", "x.wasm"]);
        assert_eq!(ran.code, 1, "{ran:?}");
        without_digests(&ran.out)
    };
    let unsigned = told(Package { bundle: None, ..package.clone() });
    assert!(unsigned.contains("signed by  nobody\nverifies   NO: the component has no signature"), "{unsigned}");

    let stranger = PrivateKey::generate().unwrap();
    let two = package.clone().sign(&site.ann, short).countersign(&stranger, since).unwrap();
    assert!(told(two).ends_with(
        "signed by  `ann` (sha256:…)\n\
        \x20            believed as publisher, reviewer\n\
        \x20            from 2026-01-02T03:04:05Z to 2026-01-03T00:00:00Z\n\
        \x20            DOES NOT COUNT: the signature by `ann` expired at 2026-01-03T00:00:00Z\n\
        \x20          somebody unknown, who names the key sha256:…\n\
        \x20            DOES NOT COUNT: no trusted key made it; what it says of itself proves nothing\n\
         verifies   NO: it needs a signature by a publisher; the signature by `ann` expired at 2026-01-03T00:00:00Z; no \
         trusted key made the signature that names `sha256:…`; add its key under [[trust.keys]]\n"
    ));
    let key = stranger.public().to_string();
    // The publisher that the configuration trusts is not among those given.
    let told_with_key = site.ok(&["component", "inspect", "x.wasm", "--key", &key]);
    assert!(told_with_key.ends_with("counts\nverifies   yes\n"), "{told_with_key}");

    // More than one signature is needed, and there is one.
    site.configure("rules = [{ require = { all_of = [{ key = 'ann' }, { key = 'bob' }] } }]", "");
    let one = told(package.clone());
    assert!(one.ends_with("counts\nverifies   NO: it needs a signature by (`ann` and `bob`)\n"), "{one}");
    site.configure("", "");

    let other = told(Package { component: b"\0asm".to_vec(), ..package.clone() });
    assert!(other.contains("component  sha256:…, 4 bytes\n           NOT VALID: "), "{other}");
    assert!(other.contains("verifies   NO: the signature is over another component"), "{other}");
    // Nothing in a file writes to the reader's terminal.
    let hostile = br#"{"\u001b]0;x\u0007\u202e":1}"#.to_vec();
    let hostile = told(Package { manifest: hostile, ..package.clone() });
    assert!(hostile.contains(r"NOT VALID: the packed manifest is not valid: unknown field `\u{1b}]0;x\u{7}\u{202e}`"));
    assert!(!hostile.contains(['\u{1b}', '\u{7}', '\u{202e}']));
    let bundle = package.bundle.clone().unwrap();
    let text = String::from_utf8(bundle).unwrap().replace("\"hint\":\"sha256:", "\"hint\":\"\\u001b[31m");
    let text = text.replace("\"sig\":\"", "\"sig\":\"AAAA");
    let hostile = told(Package { bundle: Some(text.into_bytes()), ..package });
    assert!(hostile.contains(r"who names the key \u{1b}[31m") && !hostile.contains('\u{1b}'), "{hostile}");

    site.fails(&["component", "inspect", "absent.wasm"], 2, "No such file");
    site.fails(&["component", "inspect", "absent"], 2, "no package `absent` is installed");
    site.fails(&["component", "inspect", ".."], 2, "no package `..` is installed");
    site.fails(&["component", "inspect", "notes.wasm", "--config", "other.toml"], 2, "the configuration `other.toml`");
    std::fs::remove_file(site.path("vak.toml")).unwrap();
    site.fails(&["component", "inspect", "notes"], 2, "without a `vak.toml` there is no store; use `--config`");
    assert_eq!(site.run(&["component", "inspect", "notes.wasm"]).code, 1);
}

#[test]
fn diff_tells_what_a_new_version_would_change() {
    let site = Site::new();
    skill(&site);
    let grants = "[grants]\nlog = true\nsecrets = ['mail']\ndirectories = { '/notes' = 'read', '/work' = 'write' }\n\
        [limits]\nfuel_max = 5\nmemory_bytes_max = 2097152\n\
        [config_schema]\ntype = 'object'\n\
        [tool]\ndescription = 'Notes.'\ninput_schema = { type = 'object' }\n";
    let text = manifest("notes", "2.0.0", "skill").replace("'MIT'", "'Apache-2.0'") + grants;
    let component = SKILL.replace("wasi:sockets/tcp", "wasi:filesystem/types");
    site.signed("new", &text, wat::parse_str(component).unwrap(), &site.bob);
    let told = site.run(&["component", "diff", "notes.wasm", "new.wasm"]);
    let expected = "\
old               notes 1.2.0, verifies
new               notes 2.0.0, verifies
WIDENS            it may read the secret `mail`
                  it may read and change files in `/work`
drops             it may read and change files in `/notes`
                  it may send GET, POST requests to every host below `example.org` on port 443
version           was  1.2.0
                  is   2.0.0
licence           was  MIT
                  is   Apache-2.0
source            was  https://example.org/notes
                  is   not given
signed by         was  `ann` (sha256:…)
                  is   `bob` (sha256:…)
memory_bytes_max  was  1048576
                  is   2097152
fuel_max          was  not given
                  is   5
config schema     changed
tool text         changed
tool input        changed
imports           new  wasi:filesystem/types@0.2.6
                  gone wasi:sockets/tcp@0.2.6
";
    assert_eq!((told.code, without_digests(&told.out).as_str()), (1, expected), "{}", told.err);

    // The other way round it widens too; a version beside itself does not.
    assert_eq!(site.run(&["component", "diff", "new.wasm", "notes.wasm"]).code, 1);
    site.ok(&["install", "notes.wasm"]);
    let told = site.ok(&["component", "diff", "notes", "notes.wasm"]);
    assert_eq!(told, "old     notes 1.2.0, verifies\nnew     notes 1.2.0, verifies\nWIDENS  nothing\n");
    let told = site.run(&["component", "diff", "notes", "new.wasm", "--json"]);
    assert_eq!(told.code, 1);
    let told: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(told["widens"], json!(["it may read the secret `mail`", "it may read and change files in `/work`"]));
    assert_eq!(told["changed"][0], json!({ "part": "version", "old": "1.2.0", "new": "2.0.0" }));
    assert_eq!(told["imports_added"], json!(["wasi:filesystem/types@0.2.6"]));
    assert_eq!(told["new"]["verifies"], true);

    std::fs::remove_file(site.path("new.sigstore.json")).unwrap();
    let told = site.run(&["component", "diff", "notes", "new.wasm"]);
    assert!(told.out.contains("new               notes 2.0.0, DOES NOT VERIFY: the component has no signature"));
    assert!(told.out.contains("                  is   nobody\n"), "{}", told.out);
    site.fails(&["component", "diff", "notes", "absent.wasm"], 2, "error: `absent.wasm`: the package file");
    std::fs::write(site.path("new.wasm"), "no").unwrap();
    site.fails(&["component", "diff", "notes", "new.wasm"], 2, "error: `new.wasm`: ");
    site.fails(&["component", "diff", "notes"], 2, "NEW");
}
