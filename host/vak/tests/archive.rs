//! The program that archives the log, in place of which a script stands: what a
//! host makes of how it starts, what it says and how it ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use tempfile::TempDir;
use vak::{ActionRequest, BuildError, Config, Host, LogError, PrivateKey, Receipt};

/// Far longer than a script takes.
const PATIENCE: Duration = Duration::from_secs(20);

struct Site {
    folder: TempDir,
}

impl Site {
    /// A host that archives with this script; `None` for a program that is not
    /// there.
    fn new(script: Option<&str>) -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap() };
        PrivateKey::generate().unwrap().write(&site.path("log.key")).unwrap();
        if let Some(script) = script {
            std::fs::write(site.path("program"), format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(site.path("program"), std::fs::Permissions::from_mode(0o700)).unwrap();
        }
        let config = "state = 'state'\n[audit]\norigin = 'example.org/archived'\nkey = 'log.key'\nstore = 'segments'\n\
                      [audit.archive]\nbucket = 'logs'\nprefix = 'one'\nlock_days = 7\nkeep_entries = 1000\nprogram = 'program'\n";
        std::fs::write(site.path("vak.toml"), config).unwrap();
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn host(&self) -> Result<Host, BuildError> {
        Host::builder(Config::load(&self.path("vak.toml"), &[]).unwrap()).build()
    }

    fn wait_for(&self, name: &str, done: impl Fn(&str) -> bool) -> String {
        wait_for(|| std::fs::read_to_string(self.path(name)).ok().filter(|text| done(text)))
    }
}

fn wait_for<T>(found: impl Fn() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < until, "it took too long");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a decision was recorded, and what was said.
fn decide(host: &Host) -> (Option<Receipt>, String) {
    let request: ActionRequest =
        serde_json::from_str(r#"{"agent": "ada", "session": "s1", "operation": "shell/run", "resource": "shell"}"#)
            .unwrap();
    let decided = block_on(host.decide(&host.stamp(request).unwrap()));
    assert!(!decided.verdict.is_allow());
    (decided.receipt, decided.verdict.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

#[test]
fn the_program_gets_what_it_needs_and_nothing_else() {
    let site = Site::new(Some("cd \"$(dirname \"$0\")\"; env > env; echo \"$@\" > arguments; cat; touch ended"));
    let host = site.host().unwrap();
    let arguments = site.wait_for("arguments", |text| text.ends_with('\n'));
    let start = format!("follow {} --key={} --bucket=logs --prefix=one", host.log().display(), host.verifier_key());
    assert!(arguments.starts_with(&start), "{arguments}");
    assert!(arguments.contains("--lock-days=7 --lock-mode=compliance --interval-s=60 --keep-entries=1000"));
    let names = std::fs::read_to_string(site.path("env")).unwrap();
    let names: Vec<_> = names.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    let ours = |name: &&str| {
        ["PATH", "PWD", "OLDPWD", "SHLVL", "_"].contains(name)
            || name.starts_with("AWS_")
            || name.starts_with("SSL_CERT_")
    };
    assert!(names.iter().all(ours), "{names:?}");
    assert!(!site.path("ended").exists());
    // With the host its input ends, and so does it.
    host.close().unwrap();
    site.wait_for("ended", |_| true);
}

/// The bucket has another log, or another host: nothing is decided any more
/// that nobody could account for.
#[test]
fn a_conflict_stops_the_log() {
    let site = Site::new(Some("echo 'error: another writer moved the log' >&2; exit 1"));
    let host = site.host().unwrap();
    let said = wait_for(|| match decide(&host) {
        (None, said) => Some(said),
        (Some(_), _) => None,
    });
    assert!(said.contains("its archive refused it: error: another writer moved the log"), "{said}");
    assert!(host.close().is_err());
}

/// Anything else is no reason to stop: all of it is on disk.
#[test]
fn a_failure_is_tried_again() {
    let site = Site::new(Some("echo start >> \"$(dirname \"$0\")/starts\"; exit 2"));
    let host = site.host().unwrap();
    site.wait_for("starts", |text| text.lines().count() >= 2);
    assert!(decide(&host).0.is_some());
    host.close().unwrap();
}

#[test]
fn a_program_that_is_not_there_is_said_at_the_start() {
    let site = Site::new(None);
    let error = site.host().err().unwrap();
    assert!(matches!(error, BuildError::Log(LogError::Archive(_))), "{error:?}");
    assert!(error.to_string().contains("install it beside `vak`"), "{error}");
}

/// Entries leave only logs that can be cut.
#[test]
fn a_log_in_sqlite_keeps_its_entries() {
    let site = Site::new(None);
    let config = std::fs::read_to_string(site.path("vak.toml")).unwrap();
    std::fs::write(site.path("vak.toml"), config.replace("segments", "sqlite")).unwrap();
    let error = Config::load(&site.path("vak.toml"), &[]).unwrap_err();
    assert!(error.to_string().contains("set `audit.store` to `segments`"), "{error}");
}
