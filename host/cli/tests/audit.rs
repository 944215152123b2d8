//! `vak audit`, as an operator and an auditor use it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use futures_executor::block_on;
use vak::{ActionRequest, Config, Host, PrivateKey};

struct Site {
    folder: tempfile::TempDir,
}

/// What a command printed and how it ended.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Site {
    /// A host that denied a few actions, with erasable payloads.
    fn new(store: &str, decisions: usize) -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap() };
        PrivateKey::generate().unwrap().write(&site.path("log.key")).unwrap();
        std::fs::write(
            site.path("vak.toml"),
            format!(
                "state = 'state'\n[audit]\norigin = 'example.org/cli'\nkey = 'log.key'\nstore = '{store}'\n\
                 payloads = 'erasable'\nsigned = ['key-rotation', 'configuration']\n"
            ),
        )
        .unwrap();
        site.decide(decisions);
        site
    }

    fn decide(&self, decisions: usize) {
        let host = Host::builder(Config::load(&self.path("vak.toml"), &[]).unwrap()).build().unwrap();
        for index in 0..decisions {
            let request = ActionRequest {
                session: "s-1".parse().unwrap(),
                agent: format!("agent-{}", index % 2).parse().unwrap(),
                operation: "mail/send".parse().unwrap(),
                resource: "mcp:mail/send".parse().unwrap(),
                arguments: vak::Json::parse(r#"{"to":"=cmd|ann@example.org"}"#).unwrap(),
                attributes: Default::default(),
                labels: Vec::new(),
            };
            assert!(!block_on(host.decide(&host.stamp(request).unwrap())).verdict.is_allow());
        }
        host.close().unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self) -> PathBuf {
        Config::load(&self.path("vak.toml"), &[]).unwrap().log()
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_vak"))
            .arg("audit")
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs a command that has to succeed.
    fn ok(&self, arguments: &[&str]) -> String {
        let Ran { code, out, err } = self.run(arguments);
        assert_eq!(code, 0, "{arguments:?}: {out}{err}");
        out
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

const STORES: [&str; 2] = ["sqlite", "segments"];

#[test]
fn a_log_is_verified_proven_exported_and_searched() {
    for store in STORES {
        let site = Site::new(store, 300);
        let log = site.log();
        let key = site.ok(&["key"]);
        std::fs::write(site.path("log.vkey"), &key).unwrap();
        let told = site.ok(&["verify", text(&log), "--key", "log.vkey", "--keep", "kept"]);
        assert!(told.contains("verified 301 entries (300 decisions, 0 outcomes) of example.org/cli"), "{told}");
        assert!(
            told.contains("1 entries have a signature of their own\n300 payloads are kept, 0 were erased"),
            "{told}"
        );
        let told =
            site.ok(&["verify", text(&log), "--key", key.trim(), "--from", "0", "--to", "10", "--checkpoint", "kept"]);
        assert!(told.contains("verified 301"), "{told}");
        let told = site.ok(&["verify", text(&log), "--chain-only", "--origin", "example.org/cli"]);
        assert!(told.starts_with("intact: 301 entries") && told.contains("nobody's signature was checked"), "{told}");
        let refused = site.run(&["verify", text(&log), "--chain-only", "--origin", "example.org/another"]);
        assert!(refused.code == 1 && refused.err.starts_with("NOT VERIFIED"), "{}", refused.err);
        assert_eq!(site.run(&["verify", text(&log)]).code, 2);
        assert_eq!(site.run(&["verify", "nothing", "--key", "log.vkey"]).code, 2);
        // A file that is called like the key is not taken for it. One key in 64
        // ends in a slash, which no file's name does.
        if !key.trim().ends_with('/') {
            let mut folders = Path::new(key.trim()).ancestors().skip(1);
            std::fs::create_dir_all(site.path(text(folders.next().unwrap()))).unwrap();
            std::fs::write(site.path(key.trim()), "example.org/cli+00000000+AAAA\n").unwrap();
        }
        site.ok(&["verify", text(&log), "--key", key.trim()]);

        std::fs::write(site.path("policy"), "quorum none\n").unwrap();
        site.ok(&["prove", text(&log), "7", "--key", "log.vkey", "-o", "seven"]);
        let told = site.ok(&["verify-proof", "seven", "--key", "log.vkey", "--witness-policy", "policy", "--json"]);
        assert!(told.contains(r#""seq":7"#) && told.contains(r#""commitment":"#), "{told}");
        let proof = std::fs::read_to_string(site.path("seven")).unwrap();
        std::fs::write(site.path("eight"), proof.replace("index 7", "index 8")).unwrap();
        let refused = site.run(&["verify-proof", "eight", "--key", "log.vkey"]);
        assert!(refused.code == 1 && refused.err.starts_with("NOT VERIFIED"), "{}", refused.err);

        let first = site.run(&["query", text(&log), "--agent", "agent-1", "--verdict", "deny", "-n", "100"]);
        assert_eq!(first.out.lines().count(), 100, "{}", first.err);
        let cursor = first.err.trim().strip_prefix("more: --after ").unwrap().to_owned();
        let rest = site.ok(&["query", text(&log), "--agent", "agent-1", "--json", "-n", "100", "--after", &cursor]);
        assert_eq!(rest.lines().count(), 50);
        assert_eq!(site.ok(&["query", text(&log), "--kind", "configuration"]).lines().count(), 1);
        assert_eq!(site.ok(&["query", text(&log), "--since", "2499-01-01T00:00:00Z"]), "");

        site.ok(&["export", text(&log), "-o", "log.jsonl", "--from", "1", "--to", "4"]);
        let lines = std::fs::read_to_string(site.path("log.jsonl")).unwrap();
        assert_eq!(lines.lines().filter(|line| line.contains(r#""kind":"decision""#)).count(), 3);
        site.ok(&["export", text(&log), "--format", "csv", "-o", "log.csv"]);
        assert_eq!(std::fs::read_to_string(site.path("log.csv")).unwrap().lines().count(), 302);
        site.ok(&["export", text(&log), "--format", "tiles", "-o", "tiles"]);
        assert!(site.path("tiles/tile/entries/001.p/45").exists());
        assert_ne!(site.run(&["export", text(&log), "-o", "log.csv"]).code, 0);
        let told = site.ok(&["tail", text(&log), "-n", "2", "--json"]);
        assert!(told.lines().count() == 2 && told.contains(r#""seq":300"#), "{told}");
    }
}

#[test]
fn keys_are_rotated_and_payloads_erased() {
    for store in STORES {
        let site = Site::new(store, 3);
        let log = site.log();
        let old = site.ok(&["key"]);
        let new = site.ok(&["rotate-key", "--new", "next.key"]);
        assert_ne!(old, new);
        // The host is told by its configuration, and until then it stays away.
        assert!(Host::builder(Config::load(&site.path("vak.toml"), &[]).unwrap()).build().is_err());
        let config = std::fs::read_to_string(site.path("vak.toml")).unwrap();
        std::fs::write(site.path("vak.toml"), config.replace("log.key", "next.key")).unwrap();
        site.decide(2);
        assert_eq!(site.ok(&["key"]), new);

        let told = site.ok(&["erase", "2", "--reason", "asked to by the person"]);
        assert_eq!(told, "erased 1 payloads of entry 2\n");
        assert_eq!(site.ok(&["erase", "2", "--reason", "again"]), "erased 0 payloads of entry 2\n");
        let refused = site.run(&["erase", "0", "--reason", "x"]);
        assert!(refused.code == 2 && refused.err.contains("has no payload"), "{}", refused.err);
        // By its commitment, as for one that is in the archive alone.
        let entry = vak_audit::LogReader::open(&log).unwrap().entry(1).unwrap();
        let commitment = entry.body.commitments().next().unwrap().digest.to_string();
        assert!(site.ok(&["erase", "--commitment", &commitment, "--reason", "asked to"]).starts_with("erased 1"));
        for key in [old.trim(), new.trim()] {
            let told = site.ok(&["verify", text(&log), "--key", key]);
            assert!(told.contains("3 payloads are kept, 2 were erased"), "{told}");
            assert!(told.contains(&format!("signed by {}", new.trim())), "{told}");
        }
        assert!(site.ok(&["tail", text(&log)]).contains("asked to by the person"));
    }
}

#[test]
fn what_is_written_meanwhile_is_followed() {
    for store in STORES {
        let site = Site::new(store, 2);
        let mut follow = Command::new(env!("CARGO_BIN_EXE_vak"))
            .args(["audit", "tail", "--follow", "--json", text(&site.log())])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = std::io::BufReader::new(follow.stdout.take().unwrap());
        site.decide(3);
        let lines: Vec<_> = std::io::BufRead::lines(out).take(6).map(Result::unwrap).collect();
        follow.kill().unwrap();
        follow.wait().unwrap();
        for (seq, line) in lines.iter().enumerate() {
            assert!(line.contains(&format!(r#""seq":{seq},"#)), "{line}");
        }
    }
}
