//! Other files while the server runs: it notices by itself.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use vak::PrivateKey;
use vak_audit::{Body, LogReader, Signer};
use vak_registry::{Store, Withdrawal, WithdrawalKind, Withdrawals};
use vak_test_support::{Site, binary, components, publisher_key};
use vak_trust::{Manifest, Package, Validity};
use vak_types::{Digest, Source, Timestamp};

use crate::client::Client;
use crate::served::{RULES, Served, action, ada, recorded, site, until};

const FORBIDS: &str = "[[rule]]\nid = 'none'\neffect = 'forbid'\n";

fn decision(client: &mut Client) -> String {
    client.post("/v1/decide", &action("files/read")).decision().to_owned()
}

fn decides(served: &Served, token: &str, wanted: &str) {
    let mut client = served.client(token);
    until(|| decision(&mut client) == wanted, wanted);
}

/// As editors and our own store do it: another file takes its name.
fn replace(path: &Path, text: impl AsRef<[u8]>) {
    let aside = path.with_extension("aside");
    std::fs::write(&aside, text).unwrap();
    std::fs::rename(aside, path).unwrap();
}

fn health(served: &Served) -> serde_json::Value {
    Client::to(served.address(), None).get("/ready").json()
}

/// The log verifies, also for `vak audit verify`; each verdict is by the rules that
/// the configuration before it names; so many configurations decided.
#[track_caller]
fn sound(served: Served) -> (Site, usize) {
    let site = served.stop().site;
    recorded(&site);
    let key = PrivateKey::read(&site.path().join("log.key")).unwrap();
    let verifier = Signer::new("example.org/test".parse().unwrap(), &key.seed()).verifier().to_string();
    let log = site.path().join("state/audit.sqlite");
    let verified =
        Command::new(binary("vak")).args(["audit", "verify", "--key", &verifier]).arg(&log).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let reader = LogReader::open(&log).unwrap();
    let (mut components, mut configurations) = (Vec::new(), 0);
    for entry in reader.entries(0, u64::MAX) {
        match entry.unwrap().body {
            Body::Configuration(configuration) => {
                components = configuration.components;
                configurations += 1;
            }
            Body::Decision(_, decision) => {
                for reason in &decision.verdict.reasons {
                    if let Source::Component(component) = &reason.source {
                        assert!(components.contains(component), "{reason:?}");
                    }
                }
            }
            _ => {}
        }
    }
    (site, configurations)
}

#[test]
fn other_rules_take_over_under_load_and_no_verdict_is_lost() {
    let (served, token) = Served::ada("", "");
    let rules = served.site.path().join("rules.toml");
    let end = AtomicBool::new(false);
    let asked: usize = std::thread::scope(|threads| {
        let clients: Vec<_> = (0..4)
            .map(|_| {
                threads.spawn(|| {
                    let (mut client, mut count) = (served.client(&token), 0);
                    while !end.load(Ordering::Relaxed) {
                        let decision = decision(&mut client);
                        assert!(["allow", "deny"].contains(&decision.as_str()), "{decision}");
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        for round in 0..4 {
            let (text, wanted) = if round % 2 == 0 { (FORBIDS, "deny") } else { (RULES, "allow") };
            match round < 2 {
                true => replace(&rules, text),
                false => std::fs::write(&rules, text).unwrap(),
            }
            decides(&served, &token, wanted);
        }
        end.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    let (site, configurations) = sound(served);
    assert_eq!(configurations, 5);
    assert!(recorded(&site).len() > asked);
}

#[test]
fn what_does_not_load_leaves_the_old_and_says_so() {
    let (served, token) = Served::ada("", "");
    let config = served.site.config();
    let text = std::fs::read_to_string(&config).unwrap();
    let rules = served.site.path().join("rules.toml");
    let broken: [(&Path, &str); 4] = [
        (&config, &text[..text.len() / 2]),
        (&config, "state = 'elsewhere'"),
        (&rules, "[[rule]]\nid = 'half'\n"),
        (&rules, "[[rule"),
    ];
    for (round, (path, half)) in broken.into_iter().enumerate() {
        let whole = std::fs::read_to_string(path).unwrap();
        replace(path, half);
        served.until_metric(&token, "vak_configuration_stale", 1.0);
        assert!(served.metric(&token, "vak_reload_failed_total") >= (round + 1) as f64);
        assert_eq!(
            (health(&served)["configuration"].clone(), health(&served)["ready"].clone()),
            ("stale".into(), true.into())
        );
        decides(&served, &token, "allow");
        replace(path, whole);
        served.until_metric(&token, "vak_configuration_stale", 0.0);
        assert_eq!(health(&served)["configuration"], "current");
    }
    served.until_said("the configuration stays as it is: ");
    // What decides is what decided before, so nobody switched.
    assert_eq!(sound(served).1, 1);
}

/// Somebody who writes a file step by step: each step would load.
#[test]
fn a_file_that_is_being_written_is_not_read() {
    use std::io::Write as _;
    let (served, token) = Served::ada("", "");
    let mut file = std::fs::File::create(served.site.path().join("rules.toml")).unwrap();
    file.write_all(FORBIDS.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_secs(3));
    decides(&served, &token, "allow");
    file.write_all(b"# This is all.\n").unwrap();
    drop(file);
    decides(&served, &token, "deny");
    assert_eq!(sound(served).1, 2);
}

#[test]
fn two_changes_at_once_are_both_taken() {
    let (served, token) = Served::ada("", "");
    let config = served.site.config();
    let text = std::fs::read_to_string(&config).unwrap();
    replace(&served.site.path().join("rules.toml"), FORBIDS);
    let (other, lines) = crate::served::token("other", "['decide', 'metrics']", "['ada']");
    replace(&config, text + &lines);
    until(|| served.client(&other).get("/metrics").status == 200, "the new token");
    decides(&served, &other, "deny");
    decides(&served, &token, "deny");
    assert!(sound(served).1 <= 3);
}

#[test]
fn files_that_flap_cost_few_readings() {
    let (served, token) = Served::ada("", "");
    let rules = served.site.path().join("rules.toml");
    let start = Instant::now();
    for round in 0..200 {
        replace(&rules, if round % 2 == 0 { FORBIDS } else { RULES });
        std::thread::sleep(Duration::from_millis(20));
    }
    replace(&rules, FORBIDS);
    decides(&served, &token, "deny");
    let failed = served.metric(&token, "vak_reload_failed_total");
    // Half a second lies between two at the least.
    let most = start.elapsed().as_secs_f64() * 2.0 + 2.0;
    served.until_metric(&token, "vak_configuration_stale", 0.0);
    let (_, configurations) = sound(served);
    assert!(failed + configurations as f64 <= most, "{failed} and {configurations} in {most}");
}

#[test]
fn a_host_can_be_told_to_wait_for_a_signal() {
    let served = site("", &ada().1);
    let text = std::fs::read_to_string(served.config()).unwrap();
    std::fs::write(served.config(), format!("reload = 'signal'\n{text}")).unwrap();
    let (served, token) = (Served::start(served), ada().0);
    replace(&served.site.path().join("rules.toml"), FORBIDS);
    std::thread::sleep(Duration::from_secs(2));
    decides(&served, &token, "allow");
    served.signal(Signal::HUP);
    decides(&served, &token, "deny");
    assert_eq!(sound(served).1, 2);
}

/// Rules in a version of its own: with a custom section, which means nothing.
fn version(version: &str, key: &PrivateKey) -> Package {
    let first = Package::read(&components().join("rules.wasm")).unwrap();
    let manifest = Manifest::from_packed(&first.manifest).unwrap();
    let manifest = Manifest { version: version.parse().unwrap(), ..manifest };
    let mut bytes = first.component;
    bytes.extend([0, 7, 1, b'v']);
    bytes.extend(version.as_bytes());
    Package::unsigned(bytes, &manifest).sign(key, Validity::since(Timestamp::from_nanos(1_700_000_000_000_000_000)))
}

/// With its rules from this place.
fn from(source: &str) -> Site {
    let site = site("", &ada().1);
    let text = std::fs::read_to_string(site.config()).unwrap();
    let file = format!("component = '{}'", components().join("rules.wasm").display());
    assert!(text.contains(&file));
    std::fs::write(site.config(), text.replace(&file, source)).unwrap();
    site
}

#[test]
fn a_component_that_is_not_trusted_does_not_take_over() {
    let site = from("component = 'own.wasm'");
    let path = site.path().join("own.wasm");
    let key = publisher_key();
    version("1.0.0", &key).write(&path).unwrap();
    let (served, token) = (Served::start(site), ada().0);
    let stranger = version("1.0.1", &PrivateKey::generate().unwrap());
    let unsigned = Package { bundle: None, ..version("1.0.1", &key) };
    let mut tampered = version("1.0.1", &key);
    tampered.component.extend([0, 3, 1, b'x', 0]);
    for bad in [stranger, unsigned, tampered] {
        bad.write(&path).unwrap();
        served.until_metric(&token, "vak_configuration_stale", 1.0);
        decides(&served, &token, "allow");
        version("1.0.0", &key).write(&path).unwrap();
        served.until_metric(&token, "vak_configuration_stale", 0.0);
    }
    version("1.0.2", &key).write(&path).unwrap();
    let log = served.site.path().join("state/audit.sqlite");
    let configurations = || {
        let reader = LogReader::open(&log).unwrap();
        let all =
            reader.entries(0, u64::MAX).filter(|entry| matches!(entry.as_ref().unwrap().body, Body::Configuration(_)));
        all.count()
    };
    until(|| configurations() == 2, "the new version");
    assert_eq!(sound(served).1, 2);
}

#[test]
fn versions_are_installed_withdrawn_and_removed_while_it_runs() {
    let site = from("package = 'rules'");
    let key = publisher_key();
    let outside = tempfile::tempdir().unwrap();
    let store = Store::at(site.path().join("state/store"));
    let config: PathBuf = site.config();
    let vak = |arguments: &[&str]| {
        let output = Command::new(binary("vak")).args(arguments).arg("--config").arg(&config).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let install = |package: Package, name: &str| {
        let path = outside.path().join(name);
        package.write(&path).unwrap();
        vak(&["install", "--yes", path.to_str().unwrap()]);
    };
    install(version("1.0.0", &key), "rules.wasm");
    let (served, token) = (Served::start(site), ada().0);
    decides(&served, &token, "allow");
    // One that nothing uses.
    install(Package::read(&components().join("no-shell.wasm")).unwrap(), "no-shell.wasm");
    let withdraw = |versions: &[&str], kind| {
        let components = versions.iter().map(|text| Withdrawal {
            component: Digest::of(&version(text, &key).component),
            name: "rules".parse().unwrap(),
            version: text.parse().unwrap(),
            kind,
            reason: "it leaks".parse().unwrap(),
            advisory: None,
        });
        let withdrawals = Withdrawals { components: components.collect(), keys: Vec::new() };
        store.withdraw(&"shop".parse().unwrap(), &withdrawals).unwrap();
    };
    let mut client = served.client(&token);
    for (kind, old, new) in [(WithdrawalKind::Revoked, "1.0.0", "1.0.1"), (WithdrawalKind::Yanked, "1.0.1", "1.0.2")] {
        withdraw(&[old], kind);
        // The very next one.
        let answer = client.post("/v1/decide", &action("files/read")).ok();
        let reason = format!("policy `rules` has stopped: `rules` {old} was {kind} by marketplace `shop`: it leaks");
        assert_eq!(answer["verdict"]["reasons"][0]["message"], reason.as_str());
        assert_eq!(health(&served)["withdrawals"], "some");
        served.until_metric(&token, "vak_configuration_stale", 1.0);
        install(version(new, &key), "rules.wasm");
        decides(&served, &token, "allow");
        served.until_metric(&token, "vak_configuration_stale", 0.0);
        assert_eq!(health(&served)["withdrawals"], "none");
    }
    // A record that is damaged, and put right.
    let record = store.withdrawals_path().join("shop.json");
    replace(&record, "x");
    assert_eq!(decision(&mut client), "deny");
    assert_eq!(
        (health(&served)["withdrawals"].clone(), health(&served)["ready"].clone()),
        ("unreadable".into(), false.into())
    );
    withdraw(&[], WithdrawalKind::Yanked);
    assert_eq!(decision(&mut client), "allow");
    served.until_metric(&token, "vak_configuration_stale", 0.0);
    // What is removed goes on until something takes its place.
    vak(&["remove", "rules"]);
    served.until_metric(&token, "vak_configuration_stale", 1.0);
    assert_eq!(decision(&mut client), "allow");
    drop(client);
    assert_eq!(sound(served).1, 3);
}
