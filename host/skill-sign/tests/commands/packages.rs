//! Signing, verifying and showing packages.

use std::os::unix::fs::symlink;

use crate::site::{Site, ran};

const TIME: &str = "2026-03-01T00:00:00Z";

#[test]
fn the_same_input_key_and_time_give_the_same_bytes() {
    let site = Site::new();
    let signature = |arguments: &str, epoch: Option<&str>| {
        let mut command = site.command(&format!("sign a.wasm --key k {arguments}"));
        epoch.map(|epoch| command.env("SOURCE_DATE_EPOCH", epoch));
        let ran = ran(&mut command);
        assert_eq!(ran.code, 0, "{ran:?}");
        site.read("a.sigstore.json")
    };
    let first = signature(&format!("--time {TIME} --expires 90d"), None);
    assert_eq!(signature(&format!("--time {TIME} --expires 2026-05-30T00:00:00Z"), None), first);
    assert_eq!(signature("--expires 90d", Some("1772323200")), first);
    assert_eq!(signature(&format!("--time {TIME} --expires 90d"), Some("7")), first, "the flag comes first");
    assert_ne!(signature("--expires 90d", Some("1772323201")), first);
    assert_ne!(signature("", None), first);
    let (_, lines) = site.json(&format!("sign a.wasm --key k --time {TIME} --expires 12h --json"));
    assert_eq!(lines[0]["signed_at"], TIME);
    assert_eq!(lines[0]["expires_at"], "2026-03-01T12:00:00Z");
    assert_eq!(lines[0]["signature"], "a.sigstore.json");
    assert_eq!(lines[0]["signatures"], 1);

    let mut command = site.command("sign a.wasm --key k");
    let wrong = ran(command.env("SOURCE_DATE_EPOCH", "yesterday"));
    assert!(wrong.code == 2 && wrong.err.contains("SOURCE_DATE_EPOCH is `yesterday`"), "{wrong:?}");
    for (arguments, part) in [
        ("--expires tomorrow", "it is neither a time such as"),
        ("--time 2026-03-01T00:00:00Z --expires 2026-02-01T00:00:00Z", "it has to end later"),
        ("--time 1969-12-31T00:00:00Z", "give a `--time` from 1970 to 9998"),
        ("--expires 9999999w", "past the year 9998"),
        ("--time now", "invalid value 'now'"),
    ] {
        site.not(2, &format!("sign a.wasm --key k {arguments}"), part);
    }
}

#[test]
fn it_verifies_with_a_key_or_with_the_rules_of_a_configuration() {
    let site = Site::new();
    site.fine("keygen other");
    let (key, other) = (site.public("k"), site.public("other"));
    site.not(1, &format!("verify a.wasm --key {key}"), "NOT VERIFIED a.wasm: the component has no signature");
    site.fine("sign a.wasm b.wasm --key k");
    let said = site.fine(&format!("verify a.wasm b.wasm --key {key}"));
    assert!(said.starts_with("verified a.wasm: policy a 1.2.3, sha256:"), "{said}");
    assert!(said.contains("\nverified b.wasm: policy b 1.2.3, "), "{said}");
    site.not(1, &format!("verify a.wasm --key {other}"), "NOT VERIFIED a.wasm: it needs a signature by a publisher");
    site.fine(&format!("verify a.wasm --key {other} --key {key}"));

    let trust = format!(
        "state = 'x'\nunknown = {{ to = 'this program' }}\n[trust]\ndevelopment = true\n\
         keys = [{{ name = 'k', public = '{key}' }},\n\
                 {{ name = 'other', public = '{other}', roles = ['reviewer'] }}]\n\
         [[trust.rules]]\nnames = ['a']\nrequire = {{ all_of = [{{ role = 'publisher' }}, {{ role = 'reviewer' }}] }}\n"
    );
    site.write("vak.toml", &trust);
    site.fine("verify b.wasm --trust vak.toml");
    site.not(1, "verify a.wasm b.wasm --trust vak.toml", "needs a signature by (a publisher and a reviewer)");
    site.fine("sign a.wasm --key other --add");
    let (code, lines) = site.json("verify a.wasm b.wasm --trust vak.toml --json");
    assert_eq!(code, 0);
    assert_eq!(lines[0]["verified"], true);
    assert_eq!(lines[0]["signers"].as_array().unwrap().len(), 2);
    assert_eq!(
        (&lines[1]["name"], &lines[1]["kind"], &lines[1]["version"]),
        (&"b".into(), &"policy".into(), &"1.2.3".into())
    );

    // Nothing unsigned passes, whatever is said of development.
    std::fs::remove_file(site.path("b.sigstore.json")).unwrap();
    let (code, lines) = site.json("verify b.wasm a.wasm --trust vak.toml --json");
    assert_eq!((code, &lines[0]["verified"], &lines[1]["verified"]), (1, &false.into(), &true.into()));
    assert!(lines[0]["reason"].as_str().unwrap().contains("has no signature"));
}

#[test]
fn what_cannot_be_checked_is_an_error() {
    let site = Site::new();
    site.fine("sign a.wasm --key k");
    let key = site.public("k");
    site.write("empty.toml", "");
    site.write("wrong.toml", "[trust]\nallow_all = true");
    site.write("not.toml", "trust");
    for (arguments, part) in [
        (format!("verify missing.wasm --key {key}"), "the package file `missing"),
        (format!("verify a.sigstore.json --key {key}"), "does not end in `.wasm`"),
        ("verify a.wasm".to_owned(), "--key <KEY>"),
        ("verify a.wasm --key ed25519:AAAA".to_owned(), "is not a public key"),
        ("verify --trust vak.toml".to_owned(), "<FILE>"),
        ("verify a.wasm --trust missing.toml".to_owned(), "the configuration `missing.toml`"),
        ("verify a.wasm --trust empty.toml".to_owned(), "the configuration `empty.toml` has no [trust]"),
        ("verify a.wasm --trust wrong.toml".to_owned(), "unknown field `allow_all`"),
        ("verify a.wasm --trust not.toml".to_owned(), "the configuration `not.toml`"),
        (format!("verify a.wasm --trust empty.toml --key {key}"), "cannot be used with"),
        ("sign missing.wasm --key k".to_owned(), "missing"),
        ("sign a.wasm --key missing".to_owned(), "the key file `missing`"),
        ("info missing.wasm".to_owned(), "missing"),
    ] {
        site.not(2, &arguments, part);
    }
    // The others are still checked, and an error outweighs what doesn't verify.
    let ran = site.run(&format!("verify b.wasm missing.wasm a.wasm --key {key}"));
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.out.starts_with("verified a.wasm") && ran.err.contains("NOT VERIFIED b.wasm"), "{ran:?}");
    assert!(ran.err.contains("1 of 3 files could not be dealt with"), "{ran:?}");
}

#[test]
fn signatures_are_replaced_or_added_to_and_nothing_else_is_touched() {
    let site = Site::new();
    site.fine("keygen other");
    let before = (site.read("a.wasm"), site.read("a.manifest.json"));
    site.fine(&format!("sign a.wasm --key k --time {TIME}"));
    let first = site.read("a.sigstore.json");
    site.fine("sign a.wasm --key other --add");
    assert!(site.read("a.sigstore.json").starts_with(&first), "what was there stays as it is");
    // The same key again replaces its own.
    site.fine(&format!("sign a.wasm --key other --add --time {TIME}"));
    site.fine(&format!("sign a.wasm --key k --add --time {TIME}"));
    assert_eq!(site.read("a.sigstore.json").lines().count(), 2);
    assert!(site.read("a.sigstore.json").ends_with(&first));
    site.fine(&format!("sign a.wasm --key k --time {TIME}"));
    assert_eq!(site.read("a.sigstore.json"), first);
    assert_eq!((site.read("a.wasm"), site.read("a.manifest.json")), before);
    assert!(!site.names().iter().any(|name| name.ends_with(".new")), "{:?}", site.names());

    // Beside what is not over these bytes, or no signature at all.
    std::fs::copy(site.path("a.sigstore.json"), site.path("b.sigstore.json")).unwrap();
    site.not(2, "sign b.wasm --key k --add", "is over other bytes; sign without `--add` to replace it");
    site.write("b.sigstore.json", "{");
    site.not(2, "sign b.wasm --key k --add", "the signature file is not a bundle");
    assert_eq!(site.read("b.sigstore.json"), "{");
    site.fine("sign b.wasm --key k");
    // What nobody could load is not signed.
    site.write("b.manifest.json", "{}");
    site.not(2, "sign b.wasm --key k", "the packed manifest is not valid");
}

#[test]
fn a_full_file_is_not_added_to() {
    let site = Site::new();
    for number in 0..16 {
        site.fine(&format!("keygen k{number}"));
        site.fine(&format!("sign a.wasm --key k{number} --add"));
    }
    let full = site.read("a.sigstore.json");
    site.not(2, "sign a.wasm --key k --add", "has 17 bundles; there are 1 to 16");
    assert_eq!(site.read("a.sigstore.json"), full);
    site.fine("sign a.wasm --key k7 --add");
}

/// Whoever can put a link into the folder must not choose what is overwritten.
#[test]
fn a_link_in_the_place_of_a_signature_is_replaced() {
    let site = Site::new();
    site.write("precious", "mine");
    symlink(site.path("precious"), site.path("a.sigstore.json")).unwrap();
    site.fine("sign a.wasm --key k");
    assert_eq!(site.read("precious"), "mine");
    assert!(site.path("a.sigstore.json").symlink_metadata().unwrap().is_file());
    std::fs::remove_file(site.path("a.sigstore.json")).unwrap();
    std::fs::create_dir(site.path("a.sigstore.json")).unwrap();
    site.not(2, "sign a.wasm --key k", "a.sigstore.json");
    assert!(!site.names().iter().any(|name| name.ends_with(".new")), "{:?}", site.names());
}

#[test]
fn info_tells_what_is_said_and_that_nothing_is_verified() {
    let site = Site::new();
    let unsigned = site.run("info a.wasm");
    assert!(unsigned.code == 1 && unsigned.out.contains("  is not signed"), "{unsigned:?}");
    site.fine(&format!("sign a.wasm b.wasm --key k --time {TIME} --expires 1d"));
    let said = site.fine("info a.wasm");
    for part in [
        "a.wasm (nothing here is verified)\n",
        "says it is the policy a 1.2.3",
        "says it is signed by sha256:",
        "at 2026-03-01T00:00:00Z, until 2026-03-02T00:00:00Z",
        "over this component",
        "over this manifest",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (code, lines) = site.json("info a.wasm b.wasm --json");
    assert_eq!((code, lines.len()), (0, 2));
    assert_eq!((&lines[0]["verified"], &lines[0]["fits"]), (&serde_json::Value::Null, &true.into()));
    assert_eq!(lines[0]["signatures"][0]["expires_at"], "2026-03-02T00:00:00Z");
    assert_eq!(lines[1]["says"]["name"], "b");

    // Anybody can write that, with anything in it.
    let forged = site.read("a.sigstore.json").replacen("\"hint\":\"", "\"hint\":\"\\u001b[31m\\u202e", 1);
    site.write("b.sigstore.json", &forged);
    let ran = site.run("info b.wasm");
    assert!(ran.code == 1 && ran.out.contains("over ANOTHER component, sha256:"), "{ran:?}");
    assert!(ran.out.contains("signed by \\u{1b}[31m\\u{202e}sha256:") && !ran.out.contains('\u{1b}'), "{ran:?}");
    site.write("b.sigstore.json", "{\"\u{1b}\": 1}");
    let ran = site.run("info b.wasm");
    assert!(ran.code == 1 && ran.out.contains("the signature file is not a bundle"), "{ran:?}");
    site.write("b.sigstore.json", "{\"a\u{202e}\": 1}");
    let ran = site.run("info b.wasm");
    assert!(ran.out.contains("unknown field `a\\u{202e}`"), "{ran:?}");
    let (code, lines) = site.json("info b.wasm --json");
    assert_eq!((code, lines[0]["errors"].as_array().unwrap().len()), (1, 1));
}
