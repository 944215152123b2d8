//! A marketplace from the publisher to the host that runs what it offers, by the
//! commands that people use and through a real registry.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use vak_test_support::{Docker, binary, components, publisher};
use vak_types::Digest;

use crate::client::Client;
use crate::served::{PATIENCE, RULES, Served, ada};
use vak_test_support::Site;

/// Who keeps it: keys, index, and a registry.
struct Market {
    folder: TempDir,
    registry: Docker,
}

fn vak(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(binary("vak"));
    let output = command.args(arguments).current_dir(folder).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

/// Runs a command that has to end well.
fn done(folder: &Path, arguments: &[&str]) -> String {
    let (code, text) = vak(folder, arguments);
    assert_eq!(code, 0, "vak {}: {text}", arguments.join(" "));
    text
}

const SIGNING: [&str; 4] = ["--index", "index", "--key", "market.key"];

impl Market {
    fn new() -> Self {
        let market = Self { folder: tempfile::tempdir().unwrap(), registry: Docker::start() };
        for key in ["root.key", "market.key", "other.key"] {
            market.done(&["key", "new", key]);
        }
        let registry = market.registry.location();
        let init = ["marketplace", "init", "--name", "market", "--registry", &registry, "--root-key", "root.key"];
        market.signed(&init);
        market.signed(&["marketplace", "publisher", "first-party", "--public", &publisher()]);
        market
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn done(&self, arguments: &[&str]) -> String {
        done(self.path(), arguments)
    }

    fn signed(&self, arguments: &[&str]) -> String {
        self.done(&[arguments, &SIGNING].concat())
    }

    /// Publishes a component that is built.
    fn publish(&self, name: &str) {
        let file = components().join(format!("{name}.wasm"));
        self.signed(&["publish", file.to_str().unwrap()]);
    }

    /// Publishes one as another version.
    fn publish_as(&self, name: &str, version: &str) {
        let (from, to) = (components(), self.path());
        let file = format!("{name}.wasm");
        // A custom section makes it another component.
        let section =
            [&[0, u8::try_from(version.len() + 1).unwrap(), u8::try_from(version.len()).unwrap()], version.as_bytes()];
        let component = [&std::fs::read(from.join(&file)).unwrap()[..], &section.concat()].concat();
        std::fs::write(to.join(&file), component).unwrap();
        let manifest = std::fs::read_to_string(from.join(format!("{name}.manifest.json"))).unwrap();
        let manifest = manifest.replacen(r#""version":"0.1.0""#, &format!(r#""version":"{version}""#), 1);
        std::fs::write(to.join(format!("{name}.manifest.json")), manifest).unwrap();
        let key = from.join("publisher.key");
        self.done(&["sign", "--key", key.to_str().unwrap(), &file]);
        self.signed(&["publish", &file]);
    }

    /// The lines with which a host knows it.
    fn section(&self) -> String {
        let index = self.path().join("index");
        let root = index.join("metadata/1.root.json");
        format!(
            "[[marketplaces]]\nname = 'market'\nindex = '{}'\nroot = '{}'\nrefresh_s = 1\n",
            index.display(),
            root.display()
        )
    }

    /// A host that has the packages that its commands install.
    fn site(&self) -> Site {
        Site::new().section(&self.section())
    }
}

/// Which blob of the registry has the component of a package.
fn component_hex(name: &str) -> String {
    Digest::of(&std::fs::read(components().join(format!("{name}.wasm"))).unwrap()).to_hex()
}

#[test]
fn what_is_published_is_found_added_updated_and_removed() {
    let market = Market::new();
    market.publish("calculator");
    market.publish("hash");
    let site = market.site();
    let here = site.path();
    let found = done(here, &["search", "ARITHMETIC"]);
    assert!(found.contains("calculator  0.1.0") && !found.contains("hash"), "{found}");
    let added = done(here, &["add", "calculator@^0.1", "hash"]);
    assert!(added.contains("asks for") && added.contains("installed hash 0.1.0"), "{added}");
    let lock = std::fs::read_to_string(here.join("vak.lock")).unwrap();
    assert!(lock.contains(&component_hex("hash")), "{lock}");
    let audited: Value = serde_json::from_str(&done(here, &["audit-skills", "--json"])).unwrap();
    assert_eq!(audited[0]["publisher"], "first-party", "{audited}");
    assert_eq!(audited[0]["signers"].as_array().unwrap().len(), 1);

    // The lock file alone is enough to have the same again.
    let again = market.site();
    std::fs::copy(here.join("vak.lock"), again.path().join("vak.lock")).unwrap();
    done(again.path(), &["add", "--locked"]);
    assert_eq!(done(again.path(), &["list"]), done(here, &["list"]));

    market.publish_as("calculator", "0.1.5");
    market.publish_as("calculator", "0.2.0");
    let updated = done(here, &["update"]);
    assert!(updated.contains("installed calculator 0.1.5 in place of 0.1.0"), "{updated}");
    // The lock is still about the old one, and gets it.
    done(again.path(), &["add", "--locked", "--yes"]);
    assert!(done(again.path(), &["list"]).contains("calculator  0.1.0"));
    done(here, &["remove", "hash"]);
    let lock = std::fs::read_to_string(here.join("vak.lock")).unwrap();
    assert!(lock.contains("0.1.5") && !lock.contains("hash"), "{lock}");

    market.signed(&["yank", "calculator@0.1.5", "--reason", "it sums slowly"]);
    let (code, text) = vak(here, &["audit-skills"]);
    assert!(code == 1 && text.contains("yanked: it sums slowly"), "{code} {text}");
    let back = done(here, &["update", "--yes"]);
    assert!(back.contains("installed calculator 0.1.0 in place of 0.1.5"), "{back}");
    let (code, text) = vak(here, &["add", "calculator@=0.1.5"]);
    assert!(code == 2 && text.contains("was yanked: it sums slowly"), "{code} {text}");
    market.signed(&["yank", "calculator@0.1.5", "--undo"]);
    done(here, &["update"]);
    let (id, text) = ("M-2026-1", "It sums wrongly from 2 to the 53 on.");
    let advise = ["marketplace", "advise", "calculator", "--id", id, "--severity", "high", "--affected", "<0.2"];
    market.signed(&[&advise[..], &["--title", "Wrong sums", "--text", text]].concat());
    let (code, text) = vak(here, &["audit-skills"]);
    assert!(code == 1 && text.contains("M-2026-1 (high): Wrong sums"), "{code} {text}");
}

#[test]
fn a_registry_that_has_other_bytes_installs_nothing() {
    let market = Market::new();
    market.publish("calculator");
    let site = market.site();
    let blob = market.registry.blob_file(&component_hex("calculator"));
    let bytes = std::fs::read(&blob).unwrap();
    let mut other = bytes.clone();
    *other.last_mut().unwrap() ^= 1;
    for (bad, part) in [(other, "has other bytes"), (bytes[..bytes.len() / 2].to_vec(), ""), (Vec::new(), "")] {
        std::fs::write(&blob, bad).unwrap();
        let (code, text) = vak(site.path(), &["add", "calculator"]);
        assert!(code == 2 && text.contains(part), "{code} {text}");
        assert!(!site.path().join("vak.lock").exists());
        assert_eq!(done(site.path(), &["list"]), "");
    }
    std::fs::write(&blob, bytes).unwrap();
    done(site.path(), &["add", "calculator"]);
}

#[test]
fn a_mirror_serves_where_there_is_no_network() {
    let market = Market::new();
    market.publish("calculator");
    market.publish("text-stats");
    let site = market.site();
    let mirror = tempfile::tempdir().unwrap();
    let folder = mirror.path().to_str().unwrap();
    let copied = done(site.path(), &["mirror", folder]);
    assert!(copied.contains("2 images"), "{copied}");
    let root = market.path().join("index/metadata/1.root.json");
    std::fs::copy(root, mirror.path().join("root.json")).unwrap();
    drop(market);
    let section = "[[marketplaces]]\nname = 'market'\nindex = 'MIRROR/index'\nroot = 'MIRROR/root.json'\nregistry = 'MIRROR/images'";
    let offline = Site::new().section(&section.replace("MIRROR", folder));
    done(offline.path(), &["add", "text-stats", "calculator"]);
    assert!(done(offline.path(), &["list"]).contains("text-stats"));
}

#[test]
fn two_installs_at_once_are_one_after_the_other() {
    let market = Market::new();
    for name in ["calculator", "hash", "text-stats", "regex"] {
        market.publish(name);
    }
    let site = market.site();
    std::thread::scope(|scope| {
        for names in [["calculator", "hash"], ["hash", "text-stats"], ["regex", "calculator"], ["hash", "regex"]] {
            let here = site.path();
            scope.spawn(move || done(here, &["add", names[0], names[1]]));
        }
    });
    let lock = std::fs::read_to_string(site.path().join("vak.lock")).unwrap();
    assert_eq!(lock.matches("[package.").count(), 4, "{lock}");
    assert_eq!(done(site.path(), &["list"]).lines().count(), 4);
}

fn calculate(client: &mut Client) -> Value {
    client.post("/v1/execute", &json!({"agent": "ada", "skill": "calculator", "input": {"expression": "1+1"}})).json()
}

/// Asks until the answer is such a one.
fn until(client: &mut Client, mut wanted: impl FnMut(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let answer = calculate(client);
        if wanted(&answer) {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "{answer}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_host_that_runs_hears_of_what_was_withdrawn_and_takes_what_is_new() {
    let market = Market::new();
    market.publish("calculator");
    let (token, lines) = ada();
    let site = market.site().rules(RULES);
    done(site.path(), &["add", "calculator"]);
    let site = site
        .section("[[skills]]\nname = 'calculator'\npackage = 'calculator'")
        .section(&format!("[server]\nlisten = '127.0.0.1:0'\n{lines}"));
    let served = Served::start(site);
    let mut client = served.client(&token);
    let fine = |answer: &Value| answer["verdict"]["decision"] == "allow";
    let first = until(&mut client, fine);
    assert_eq!(first["outcome"]["output"]["value"], 2.0, "{first}");

    market.signed(&["yank", "calculator@0.1.0", "--revoke", "--reason", "it sums for others"]);
    // Nobody tells the host but the marketplace.
    let denied = until(&mut client, |answer| answer["verdict"]["decision"] == "deny");
    assert!(denied.to_string().contains("it sums for others"), "{denied}");
    market.publish_as("calculator", "0.1.1");
    done(served.site.path(), &["update", "--yes"]);
    until(&mut client, fine);
    let ended = served.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn a_configuration_that_would_send_a_token_anywhere_is_none() {
    let section = "[[marketplaces]]\nname = 'market'\nindex = 'index'\nroot = 'root.json'\n";
    for (more, part) in [
        ("token = 'token.txt'\n", "a `token` is for a `registry`"),
        (section, "two marketplaces are named `market`"),
        ("refresh = 1\n", "unknown field `refresh`"),
    ] {
        let site = Site::new().section(&format!("{section}{more}"));
        let (code, text) = vak(site.path(), &["list"]);
        assert!(code == 2 && text.contains(part), "{code} {text}");
    }
}
