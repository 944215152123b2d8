//! What a marketplace withdrew, before a host starts and while it runs.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_executor::block_on;
use vak::{ActionRequest, BuildError, Caller, Config, Decided, Host, Intake, InvokeError, Json, MessageError, Settled};
use vak_audit::{Body, LogReader, What};
use vak_registry::{Revoked, Store, Withdrawal, WithdrawalKind, Withdrawals};
use vak_test_support::{Site, components, publisher_key};
use vak_trust::{Manifest, Package, PrivateKey, Validity};
use vak_types::{Digest, Name, Source, Timestamp};

const PERMITS: &str = "[[rule]]\nid = 'all'\neffect = 'permit'\n";

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn digest(component: &str) -> Digest {
    Digest::of(&std::fs::read(components().join(format!("{component}.wasm"))).unwrap())
}

fn withdrawal(component: &str, kind: WithdrawalKind) -> Withdrawal {
    Withdrawal {
        component: digest(component),
        // Its name at the marketplace does not matter.
        name: name("published"),
        version: "1.2.0".parse().unwrap(),
        kind,
        reason: "it leaks".parse().unwrap(),
        advisory: Some("VSA-7".parse().unwrap()),
    }
}

fn store(site: &Site) -> Store {
    Store::at(site.path().join("state/store"))
}

/// A marketplace withdraws these components, and nothing else any more.
fn withdraw(site: &Site, marketplace: &str, components: &[(&str, WithdrawalKind)]) {
    let components = components.iter().map(|(component, kind)| withdrawal(component, *kind)).collect();
    let withdrawals = Withdrawals { components, keys: Vec::new() };
    store(site).withdraw(&name(marketplace), &withdrawals).unwrap();
}

use WithdrawalKind::{Revoked as REVOKED, Yanked as YANKED};

/// Rules that permit everything, two skills and an adapter.
fn site() -> Site {
    let adapter = components().join("claude-code.wasm");
    Site::new()
        .rules(PERMITS)
        .section("[policies.limits]\nwall_ms_max = 10_000")
        .skill("calculator")
        .skill("json")
        .section(&format!("[[adapters]]\nname = 'claude-code'\ncomponent = '{}'", adapter.display()))
        .section("[adapters.limits]\nwall_ms_max = 10_000")
}

fn request(operation: &str) -> ActionRequest {
    ActionRequest {
        agent: "ada".parse().unwrap(),
        session: "s".parse().unwrap(),
        operation: operation.parse().unwrap(),
        resource: "r".parse().unwrap(),
        arguments: Json::default(),
        attributes: Default::default(),
        labels: Vec::new(),
    }
}

fn decide(host: &Host) -> Decided {
    block_on(host.decide(&host.stamp(request("o")).unwrap()))
}

#[track_caller]
fn allows(host: &Host) {
    let decided = decide(host);
    assert!(decided.verdict.is_allow(), "{:?}", decided.verdict);
}

/// The next action is denied for this reason, and that is recorded.
#[track_caller]
fn denies(host: &Host, part: &str) {
    let decided = decide(host);
    let reason = decided.verdict.deciding().unwrap().to_string();
    assert!(!decided.verdict.is_allow() && reason.contains(part), "{reason}");
    assert!(decided.receipt.is_some());
}

fn caller() -> Caller {
    Caller { agent: "ada".parse().unwrap(), session: "s".parse().unwrap(), labels: Vec::new() }
}

async fn call(host: &Host, skill: &str, input: &str) -> Result<Json, InvokeError> {
    host.invoke(&caller(), &name(skill), Json::parse(input).unwrap()).await
}

/// The texts of all denials and refused calls in the log.
fn denials(log: &Path) -> Vec<String> {
    let reader = LogReader::open(log).unwrap();
    let entries = reader.entries(0, 10_000).map(|entry| entry.unwrap().body);
    let text = |body| match body {
        Body::Decision(_, decision) if !decision.verdict.is_allow() => {
            Some(decision.verdict.deciding().unwrap().to_string())
        }
        Body::Drop(dropped) if matches!(dropped.what, What::Calls { .. }) => Some(dropped.reason),
        _ => None,
    };
    entries.filter_map(text).collect()
}

#[test]
fn is_not_loaded() {
    for (component, kind) in [("rules", REVOKED), ("rules", YANKED), ("calculator", REVOKED), ("claude-code", REVOKED)]
    {
        let site = site();
        withdraw(&site, "shop", &[(component, kind)]);
        let error = site.try_host().unwrap_err();
        assert!(matches!(error, BuildError::Withdrawn { .. }), "{error}");
        let expected = format!(
            "component `{component}`: `published` 1.2.0 was {kind} by marketplace `shop`: it leaks (advisory VSA-7)"
        );
        assert_eq!(error.to_string(), expected);
        // Under another name, from another path.
        let copy = site.path().join("copy.wasm");
        for end in ["wasm", "manifest.json", "sigstore.json"] {
            let from = components().join(format!("{component}.{end}"));
            std::fs::copy(from, copy.with_extension(end)).unwrap();
        }
        let text = std::fs::read_to_string(site.config()).unwrap();
        let text = text
            .replace(&format!("{component}.wasm"), "copy.wasm")
            .replace(&components().display().to_string(), &site.path().display().to_string());
        let text = text.replace(&format!("name = '{component}'"), "name = 'renamed'");
        if component == "rules" {
            std::fs::write(site.config(), text).unwrap();
            let error = site.try_host().unwrap_err().to_string();
            assert!(error.starts_with("component `renamed`: `published` 1.2.0 was "), "{error}");
        }
        // Another marketplace has no say in it.
        withdraw(&site, "other", &[]);
        assert!(site.try_host().is_err());
    }
    let site = site();
    withdraw(&site, "shop", &[("no-shell", REVOKED)]);
    allows(&site.host());
}

#[test]
fn a_policy_stops_at_the_next_decision_and_goes_on_when_it_is_taken_back() {
    for kind in [REVOKED, YANKED] {
        let site = site();
        let host = site.host();
        allows(&host);
        for round in 0..3 {
            withdraw(&site, "shop", &[("rules", kind)]);
            denies(&host, &format!("policy `rules` has stopped: `published` 1.2.0 was {kind} by marketplace `shop`"));
            assert_eq!(host.withdrawn(), Some(1));
            match round {
                0 => withdraw(&site, "shop", &[]),
                1 => assert!(store(&site).forget_withdrawals(&name("shop")).unwrap()),
                _ => std::fs::remove_dir_all(store(&site).path()).unwrap(),
            }
            allows(&host);
        }
        let log = host.log();
        host.close().unwrap();
        assert_eq!(denials(&log).len(), 3);
        assert!(denials(&log).iter().all(|reason| reason.ends_with("it leaks (advisory VSA-7)")));
    }
}

/// Words of the host's own stay in the log, also where those of others are to be
/// erasable.
#[test]
fn an_entry_says_why_also_where_payloads_are_erasable() {
    let site = site();
    let text = std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(site.config(), text.replace("key = 'log.key'", "key = 'log.key', payloads = 'erasable'")).unwrap();
    let host = site.host();
    withdraw(&site, "shop", &[("rules", REVOKED)]);
    denies(&host, "it leaks");
    let log = host.log();
    host.close().unwrap();
    assert!(denials(&log)[0].contains("policy `rules` has stopped: `published` 1.2.0 was revoked"));
}

/// Only what a policy would judge: others' actions go on.
#[test]
fn a_policy_stops_what_it_would_judge() {
    let rules = components().join("no-shell.wasm");
    let site = Site::new().rules(PERMITS).section(&format!(
        "[[policies]]\nname = 'shell'\ncomponent = '{}'\noperations = ['shell/*']\n[policies.limits]\nwall_ms_max = 10_000",
        rules.display()
    ));
    let host = site.host();
    withdraw(&site, "shop", &[("no-shell", REVOKED)]);
    allows(&host);
    let decided = block_on(host.decide(&host.stamp(request("shell/run")).unwrap()));
    let reason = decided.verdict.deciding().unwrap().to_string();
    assert!(reason.starts_with("host: policy `shell` has stopped: "), "{reason}");
}

#[tokio::test]
async fn a_skill_stops_and_others_go_on() {
    let site = site();
    let host = site.host();
    let sum = r#"{"expression": "6 * 7"}"#;
    call(&host, "calculator", sum).await.unwrap();
    // One that is begun, but not yet decided.
    let begun = host.skill_call(&caller(), &name("calculator"), Json::parse(sum).unwrap(), None).unwrap();
    withdraw(&site, "shop", &[("calculator", REVOKED)]);
    let error = call(&host, "calculator", sum).await.unwrap_err();
    let expected = "denied by host: skill `calculator` has stopped: `published` 1.2.0 was revoked by marketplace";
    assert!(matches!(error, InvokeError::Refused(_)) && error.to_string().starts_with(expected), "{error}");
    assert!(host.call(begun).await.unwrap().ended.is_none());
    allows(&host);
    let json = call(&host, "json", "{}").await.map_err(|error| error.to_string());
    assert!(json.as_ref().err().is_none_or(|error| !error.contains("stopped")), "{json:?}");
}

/// A call holds the component it began with. Another configuration, which has a
/// version that was not withdrawn, does not let it run.
#[tokio::test]
async fn a_call_that_began_with_what_was_withdrawn_does_not_run() {
    let site = site();
    let host = site.host();
    let input = Json::parse(r#"{"expression": "1"}"#).unwrap();
    let begun = host.skill_call(&caller(), &name("calculator"), input, None).unwrap();
    let text = std::fs::read_to_string(site.config()).unwrap();
    let other = components().join("json.wasm").display().to_string();
    std::fs::write(site.config(), text.replace(&components().join("calculator.wasm").display().to_string(), &other))
        .unwrap();
    withdraw(&site, "shop", &[("calculator", REVOKED)]);
    let next = host.prepare(Config::load(&site.config(), &[]).unwrap()).unwrap();
    host.switch_to(next).await.unwrap();
    let called = host.call(begun).await.unwrap();
    let reason = called.verdict.deciding().unwrap().to_string();
    assert!(called.ended.is_none() && reason.contains("skill `calculator` has stopped"), "{reason}");
    assert_eq!(host.withdrawn(), Some(0));
}

#[tokio::test]
async fn an_adapter_stops_before_and_after_it_has_read_a_message() {
    let site = site();
    let host = site.host();
    let event = || {
        let text = r#"{"session_id": "s1", "transcript_path": "/t", "cwd": "/work", "hook_event_name": "PreToolUse",
            "tool_name": "Read", "tool_use_id": "1", "tool_input": {"file_path": "/work/a"}}"#;
        Json::parse(text).unwrap()
    };
    let adapter = name("claude-code");
    let message = host.read_message(&adapter, event()).await.unwrap();
    let Intake::Actions(wanted) = message.intake() else { panic!("{message:?}") };
    let action = || host.stamp(request(wanted[0].operation.as_str())).unwrap();
    let Settled::Decided(_, decided) = host.decide_asked(&message, action()).await else { panic!() };
    assert!(decided.verdict.is_allow());
    withdraw(&site, "shop", &[("claude-code", REVOKED)]);
    // What it has read before is not believed any more.
    let Settled::Decided(_, decided) = host.decide_asked(&message, action()).await else { panic!() };
    let reason = decided.verdict.deciding().unwrap().to_string();
    assert!(reason.starts_with("host: adapter `claude-code` has stopped: "), "{reason}");
    let error = host.read_message(&adapter, event()).await.unwrap_err();
    assert!(matches!(error, MessageError::Stopped(_)), "{error}");
    allows(&host);
    let log = host.log();
    host.close().unwrap();
    let denials = denials(&log);
    assert_eq!(denials.len(), 2, "{denials:?}");
    assert!(denials.iter().all(|reason| reason.contains("adapter `claude-code` has stopped: `published` 1.2.0")));
}

/// Signed again by another key, and a publisher whose key was stolen.
#[test]
fn a_revoked_key_stops_what_nobody_else_vouches_for() {
    let site = site();
    let key = publisher_key().public().id();
    let reviewer = PrivateKey::generate().unwrap();
    let revoke = |keys: &[vak_types::KeyId]| {
        let keys = keys.iter().map(|key| Revoked { key: *key, reason: "stolen".parse().unwrap() }).collect();
        store(&site).withdraw(&name("shop"), &Withdrawals { components: Vec::new(), keys }).unwrap();
    };
    let host = site.host();
    allows(&host);
    revoke(&[reviewer.public().id()]);
    allows(&host);
    revoke(&[key]);
    denies(&host, &format!("policy `rules` has stopped: the key `{key}` was revoked by marketplace `shop`: stolen"));
    assert_eq!(host.withdrawn(), Some(4));
    let error = host.prepare(Config::load(&site.config(), &[]).unwrap()).err().unwrap().to_string();
    let expected = format!("component `rules`: the key `{key}` was revoked by marketplace `shop`: stolen; without");
    assert!(error.starts_with(&expected), "{error}");
    revoke(&[]);
    allows(&host);
    host.close().unwrap();

    // With a second publisher's signature it goes on, with the right to permit only
    // if that one's policies may.
    let copy = site.path().join("signed.wasm");
    let package = Package::read(&components().join("rules.wasm")).unwrap();
    let once = package.bundle.clone().unwrap();
    let now = Timestamp::from_nanos(1_700_000_000_000_000_000);
    let again = package.sign(&reviewer, Validity::since(now));
    let bundle = [once, b"\n".to_vec(), again.bundle.clone().unwrap()].concat();
    std::fs::write(&copy, &again.component).unwrap();
    std::fs::write(copy.with_extension("manifest.json"), &again.manifest).unwrap();
    std::fs::write(copy.with_extension("sigstore.json"), bundle).unwrap();
    let text = std::fs::read_to_string(site.config()).unwrap();
    let rules = components().join("rules.wasm").display().to_string();
    for may_permit in [true, false] {
        let second = format!("{{ name = 'second', public = '{}', may_permit = {may_permit} }}]", reviewer.public());
        let text = text.replace("may_permit = true }]", &format!("may_permit = true }}, {second}"));
        std::fs::write(site.config(), text.replace(&rules, &copy.display().to_string())).unwrap();
        let host = site.host();
        revoke(&[key]);
        match may_permit {
            true => allows(&host),
            false => denies(&host, "policy `rules` has stopped: the key"),
        }
        let error = host.prepare(Config::load(&site.config(), &[]).unwrap()).err().unwrap().to_string();
        let first = if may_permit { "calculator" } else { "rules" };
        assert!(error.starts_with(&format!("component `{first}`: ")), "{error}");
        revoke(&[]);
        host.close().unwrap();
    }
}

/// Nobody knows what is withdrawn, so everything might be.
#[test]
fn a_record_that_is_damaged_denies_everything() {
    let site = site();
    withdraw(&site, "shop", &[("no-shell", YANKED)]);
    let host = site.host();
    allows(&host);
    let records = store(&site).withdrawals_path();
    let record = records.join("shop.json");
    let whole = std::fs::read(&record).unwrap();
    let damages: [&dyn Fn(); 8] = [
        &|| std::fs::write(&record, &whole[..whole.len() / 2]).unwrap(),
        &|| std::fs::write(&record, "").unwrap(),
        &|| std::fs::write(records.join("other.json"), &whole).unwrap(),
        &|| std::fs::write(records.join("notes.txt"), "hello").unwrap(),
        &|| std::fs::create_dir(records.join("odd.json")).unwrap(),
        &|| std::os::unix::fs::symlink("/dev/zero", records.join("link.json")).unwrap(),
        &|| {
            std::fs::rename(&records, records.with_extension("away")).unwrap();
            std::fs::write(&records, "no folder").unwrap();
        },
        &|| {
            std::fs::rename(&records, records.with_extension("away")).unwrap();
            std::os::unix::fs::symlink("withdrawn.away", &records).unwrap();
        },
    ];
    for damage in damages {
        damage();
        denies(&host, "host: what marketplaces withdrew can't be read, so nothing goes on: ");
        denies(&host, "host: what marketplaces withdrew can't be read, so nothing goes on: ");
        assert_eq!(host.withdrawn(), None);
        let error = host.prepare(Config::load(&site.config(), &[]).unwrap()).err().unwrap().to_string();
        assert!(error.starts_with("what marketplaces withdrew can't be read: "), "{error}");
        let away = records.with_extension("away");
        if away.exists() {
            std::fs::remove_file(&records).unwrap();
            std::fs::remove_dir_all(&away).unwrap();
        } else {
            std::fs::remove_dir_all(&records).unwrap();
        }
        withdraw(&site, "shop", &[("no-shell", YANKED)]);
        allows(&host);
    }
    // Its own list puts a record right.
    std::fs::write(&record, "x").unwrap();
    denies(&host, "what marketplace `shop` withdrew is damaged: ");
    withdraw(&site, "shop", &[]);
    allows(&host);
    let log = host.log();
    host.close().unwrap();
    let reader = LogReader::open(&log).unwrap();
    let mut sources = reader.entries(0, 1_000).filter_map(|entry| match entry.unwrap().body {
        Body::Decision(_, decision) if !decision.verdict.is_allow() => Some(decision.verdict.reasons[0].source.clone()),
        _ => None,
    });
    assert!(sources.all(|source| source == Source::Host));
}

/// Folders come, go and take each other's place. Each change counts at once.
#[test]
fn the_store_may_be_made_moved_and_replaced() {
    let site = site();
    let host = site.host();
    let (root, records) = (store(&site).path().to_owned(), store(&site).withdrawals_path());
    assert!(!root.exists());
    let moved = |path: &Path| -> PathBuf { path.with_extension("moved") };
    for path in [&records, &root] {
        withdraw(&site, "shop", &[("rules", REVOKED)]);
        denies(&host, "it leaks");
        std::fs::rename(path, moved(path)).unwrap();
        allows(&host);
        // One that is not in its place does not count.
        std::fs::rename(moved(path), path).unwrap();
        denies(&host, "it leaks");
        std::fs::rename(path, moved(path)).unwrap();
        withdraw(&site, "shop", &[]);
        allows(&host);
        withdraw(&site, "shop", &[("rules", REVOKED)]);
        denies(&host, "it leaks");
        std::fs::remove_dir_all(moved(path)).unwrap();
        denies(&host, "it leaks");
        withdraw(&site, "shop", &[]);
        allows(&host);
    }
    // Without a state folder nobody knows anything.
    let state = site.path().join("state");
    std::fs::rename(&state, moved(&state)).unwrap();
    denies(&host, "can't be read, so nothing goes on");
    std::fs::rename(moved(&state), &state).unwrap();
    allows(&host);
}

/// Whoever decides while others do: no decision that begins after a withdrawal
/// is an allow.
#[test]
fn many_threads_stop_at_once() {
    let site = site();
    let host = site.host();
    // Odd from after a withdrawal until before it is taken back.
    let stopped = AtomicU64::new(0);
    let end = AtomicBool::new(false);
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                while !end.load(Ordering::SeqCst) {
                    let before = stopped.load(Ordering::SeqCst);
                    let allowed = decide(&host).verdict.is_allow();
                    assert!(!(before % 2 == 1 && allowed && stopped.load(Ordering::SeqCst) == before));
                }
            });
        }
        for _ in 0..30 {
            withdraw(&site, "shop", &[("rules", REVOKED)]);
            stopped.fetch_add(1, Ordering::SeqCst);
            for _ in 0..5 {
                assert!(!decide(&host).verdict.is_allow());
            }
            stopped.fetch_add(1, Ordering::SeqCst);
            withdraw(&site, "shop", &[]);
            allows(&host);
        }
        end.store(true, Ordering::SeqCst);
    });
}

/// Another version takes over from one that was withdrawn.
#[test]
fn another_version_works_again() {
    let site = Site::new().rules(PERMITS).section("[policies.limits]\nwall_ms_max = 10_000");
    let key = publisher_key();
    let now = Timestamp::from_nanos(1_700_000_000_000_000_000);
    let package = |version: &str| {
        let first = Package::read(&components().join("rules.wasm")).unwrap();
        let manifest = Manifest::from_packed(&first.manifest).unwrap();
        let manifest = Manifest { version: version.parse().unwrap(), ..manifest };
        // Each version has bytes of its own: a custom section, which means nothing.
        let mut bytes = first.component;
        bytes.extend([0, 7, 1, b'v']);
        bytes.extend(version.as_bytes());
        Package::unsigned(bytes, &manifest).sign(&key, Validity::since(now))
    };
    let trust = vak_trust::TrustPolicy::of_publishers([key.public()]);
    let install = |version: &str| store(&site).install(package(version), &trust, now, &mut |_| true);
    let text = std::fs::read_to_string(site.config()).unwrap();
    let file = format!("component = '{}'", components().join("rules.wasm").display());
    std::fs::write(site.config(), text.replace(&file, "package = 'rules'")).unwrap();
    install("1.0.0").unwrap();
    let host = site.host();
    allows(&host);
    let one = Withdrawal { component: Digest::of(&package("1.0.0").component), ..withdrawal("rules", REVOKED) };
    let withdrawals = Withdrawals { components: vec![one], keys: Vec::new() };
    store(&site).withdraw(&name("shop"), &withdrawals).unwrap();
    denies(&host, "it leaks");
    assert!(host.prepare(Config::load(&site.config(), &[]).unwrap()).is_err());
    install("1.0.1").unwrap();
    denies(&host, "it leaks");
    let next = host.prepare(Config::load(&site.config(), &[]).unwrap()).unwrap();
    block_on(host.switch_to(next)).unwrap();
    allows(&host);
    // What is withdrawn does not come back.
    let error = install("1.0.0").unwrap_err().to_string();
    assert!(error.ends_with("it leaks (advisory VSA-7); choose another version"), "{error}");
    assert_eq!(host.policies().len(), 1);
}
