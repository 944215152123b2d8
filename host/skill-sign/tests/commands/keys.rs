//! Keys: private, never overwritten, and their passphrases never shown.

use std::fs::Permissions;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::site::{PROGRAM, Site, ran};

const PASSPHRASE: &str = "correct horse battery";

#[test]
fn keys_are_private_and_never_overwritten() {
    let site = Site::new();
    for (name, format) in [("pem", ""), ("raw", "--format raw")] {
        let public = site.fine(&format!("keygen {name} {format}"));
        assert!(public.starts_with("ed25519:"), "{public}");
        assert_eq!(std::fs::metadata(site.path(name)).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(site.fine(&format!("public {name}")), public);
        let before = std::fs::read(site.path(name)).unwrap();
        site.not(2, &format!("keygen {name}"), "exists; choose another name or move it away");
        // Not even a passphrase is asked for.
        site.not(2, &format!("keygen {name} --encrypt"), "exists; choose another name");
        assert_eq!(std::fs::read(site.path(name)).unwrap(), before);
    }
    assert_eq!(std::fs::read(site.path("raw")).unwrap().len(), 32);
    symlink(site.path("elsewhere"), site.path("link")).unwrap();
    site.not(2, "keygen link", "exists");
    assert!(!site.path("elsewhere").exists());
    site.not(2, "keygen missing/key", "No such file");
    site.not(2, "keygen r --format raw --encrypt", "a raw key can't be encrypted");
    assert!(!site.path("r").exists());
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let site = Site::new();
    for mode in [0o640, 0o604, 0o660, 0o644] {
        std::fs::set_permissions(site.path("k"), Permissions::from_mode(mode)).unwrap();
        let part = format!("`k` has mode {mode:04o}; run `chmod 600` on it");
        site.not(2, "public k", &part);
        site.not(2, "sign a.wasm --key k", &part);
    }
    assert!(!site.path("a.sigstore.json").exists());
    std::fs::set_permissions(site.path("k"), Permissions::from_mode(0o400)).unwrap();
    site.fine("sign a.wasm --key k");
}

#[test]
fn public_keys_are_shown_for_other_tools() {
    let site = Site::new();
    let (code, lines) = site.json("public k --json");
    let [object] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((code, object["public"].as_str().unwrap()), (0, site.public("k").as_str()));
    let pem = site.fine("public k --pem");
    assert_eq!(object["pem"].as_str().unwrap(), pem);
    assert!(object["id"].as_str().unwrap().starts_with("sha256:"));
    // RFC 8410: twelve fixed bytes and the key, in base64 together.
    let line = pem.lines().nth(1).unwrap();
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA"), "{pem}");
    assert_eq!(line["MCowBQYDK2VwAyEA".len()..], site.public("k")["ed25519:".len()..]);
    site.not(2, "public a.wasm", "has mode 0644");
    let (_, made) = site.json("keygen n --json");
    assert_eq!(made[0]["public"].as_str().unwrap(), site.public("n"));
    assert_eq!(made[0]["file"], "n");
}

#[test]
fn an_encrypted_key_takes_its_passphrase_from_a_file_or_the_environment() {
    let site = Site::new();
    let with = |arguments: &str, passphrase: &str| ran(site.command(arguments).env("VAK_KEY_PASSPHRASE", passphrase));
    let secret = |name: &str, text: &str, mode| {
        site.write(name, text);
        std::fs::set_permissions(site.path(name), Permissions::from_mode(mode)).unwrap();
    };
    let short = with("keygen e --encrypt", "short");
    assert!(short.code == 2 && short.err.contains("a passphrase needs at least 8 characters; this one has 5"));
    assert!(!site.path("e").exists());
    let made = with("keygen e --encrypt", PASSPHRASE);
    assert_eq!(made.code, 0, "{made:?}");
    assert!(site.read("e").starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));

    assert_eq!(with("public e", PASSPHRASE).out, made.out);
    let wrong = with("sign a.wasm --key e", "incorrect horse");
    assert!(wrong.code == 2 && wrong.err.contains("the passphrase does not open the key file `e`"), "{wrong:?}");
    assert!(!wrong.err.contains("incorrect horse"));
    secret("p", &format!("{PASSPHRASE}\n"), 0o600);
    assert_eq!(site.fine("public e --passphrase-file p"), made.out);
    secret("p", &format!("{PASSPHRASE}\r\nmore\n"), 0o600);
    site.fine("sign a.wasm --key e --passphrase-file p");
    // The file counts, not the environment.
    assert_eq!(with("public e --passphrase-file p", "another one").code, 0);

    secret("p", PASSPHRASE, 0o644);
    site.not(2, "public e --passphrase-file p", "the passphrase file `p` has mode 0644; run `chmod 600` on it");
    secret("p", "\nx", 0o600);
    site.not(2, "public e --passphrase-file p", "begins with an empty line");
    secret("p", &"x".repeat(2_000), 0o600);
    site.not(2, "public e --passphrase-file p", "longer than 1024 bytes");
    site.not(2, "public e --passphrase-file missing", "the passphrase file `missing`");
}

/// Runs the program on a terminal of its own, where a line is typed at each
/// prompt, and gives everything the terminal shows.
fn on_a_terminal(site: &Site, arguments: &str, typed: &[&str]) -> (i32, String) {
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &format!("{PROGRAM} {arguments}"), "/dev/null"]);
    script.current_dir(site.folder.path()).env_remove("VAK_KEY_PASSPHRASE");
    let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut shown = Vec::new();
    for line in typed {
        let mut byte = [0];
        let before = shown.len();
        while !shown[before..].ends_with(b": ") && output.read(&mut byte).unwrap() == 1 {
            shown.extend(byte);
        }
        // A terminal shows what is typed until it is told not to, after the
        // prompt.
        std::thread::sleep(Duration::from_millis(500));
        input.write_all(format!("{line}\n").as_bytes()).unwrap();
    }
    output.read_to_end(&mut shown).unwrap();
    (child.wait().unwrap().code().unwrap(), String::from_utf8(shown).unwrap())
}

#[test]
fn a_terminal_is_asked_twice_and_shows_nothing() {
    let site = Site::new();
    let (code, shown) = on_a_terminal(&site, "keygen e --encrypt", &[PASSPHRASE, PASSPHRASE]);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("Passphrase for `e`: ") && shown.contains("The same again: "), "{shown}");
    assert!(shown.contains("ed25519:") && !shown.contains("horse"), "{shown}");

    let (code, shown) = on_a_terminal(&site, "keygen f --encrypt", &[PASSPHRASE, "correct house battery"]);
    assert!(code == 2 && shown.contains("the two passphrases differ; nothing was written"), "{shown}");
    assert!(!site.path("f").exists());

    let (code, shown) = on_a_terminal(&site, "sign a.wasm --key e", &[PASSPHRASE]);
    assert!(code == 0 && shown.contains("Passphrase of `e`: "), "{shown}");
    assert!(shown.contains("signed a.wasm by sha256:") && !shown.contains("horse"), "{shown}");
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let site = Site::new();
    std::fs::write(site.path("p"), PASSPHRASE).unwrap();
    std::fs::set_permissions(site.path("p"), Permissions::from_mode(0o600)).unwrap();
    site.fine("keygen e --encrypt --passphrase-file p");
    // `setsid` takes away the terminal that tests may have been started from.
    let mut command = Command::new("setsid");
    command.args(["--wait", PROGRAM, "public", "e"]).current_dir(site.folder.path()).stdin(Stdio::null());
    let ran = ran(command.env_remove("VAK_KEY_PASSPHRASE"));
    assert_eq!(ran.code, 2, "{ran:?}");
    let part = "there is no terminal to ask for the passphrase; give `--passphrase-file` or set VAK_KEY_PASSPHRASE";
    assert!(ran.err.contains(part), "{ran:?}");
}
