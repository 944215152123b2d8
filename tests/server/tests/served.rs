//! A site and the process that serves it.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use serde_json::Value;
use vak_audit::{Body, Decision, Dropped, Expected, LogReader, Outcome, Signer, What, open_source, verify_all};
use vak_test_support::{Site, binary, components};
use vak_types::Digest;

use crate::client::Client;

/// Longer than anything takes, also on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Rules for `files/*` and every skill, with one operation for each verdict.
pub(crate) const RULES: &str = "\
    [[rule]]\nid = 'all'\neffect = 'permit'\noperations = ['files/*', 'pay', 'skill/*']\n\
    [[rule]]\nid = 'no-delete'\neffect = 'forbid'\noperations = ['files/delete']\n\
    [[rule]]\nid = 'ask'\neffect = 'escalate'\noperations = ['files/ask']\n\
    [[rule]]\nid = 'ask-too'\neffect = 'escalate'\noperations = ['skill/*']\nwhen = [{ label = 'ask' }]\n\
    [[rule]]\nid = 'heard'\neffect = 'forbid'\noperations = ['files/send']\nwhen = [{ label = 'untrusted-files' }]\n\
    [[rule]]\nid = 'hidden'\neffect = 'permit'\noperations = ['files/redact']\n\
    obligations = [{ redact = { argument = '/path', with = 'gone' } }]\n";

/// A budget of 100 for each agent.
pub(crate) const BUDGET: &str =
    "[[limits]]\nname = 'money'\nkind = 'budget'\nper = 'agent'\namount = 100\ncost = 'cost'\noperations = 'pay'\n";

/// A token and its lines in the configuration. The agents are a TOML list.
pub(crate) fn token(name: &str, scopes: &str, agents: &str) -> (String, String) {
    let token = format!("vak_{}", Digest::of(name.as_bytes()).to_hex());
    let digest = Digest::of(token.as_bytes());
    let lines =
        format!("[[server.tokens]]\nname = '{name}'\ndigest = '{digest}'\nscopes = {scopes}\nagents = {agents}\n");
    (token, lines)
}

/// The token of `ada`, with which most tests ask.
pub(crate) fn ada() -> (String, String) {
    token("app", "['decide', 'execute', 'metrics']", "['ada']")
}

/// A host with the rules, the skill `calculator` and these lines in `[server]`,
/// on a free port, and more lines behind it.
pub(crate) fn site(server: &str, more: &str) -> Site {
    // A machine that is busy with other tests must not make a policy late.
    let patient = "[policies.limits]\nwall_ms_max = 10_000";
    let server = format!("[server]\nlisten = '127.0.0.1:0'\n{server}\n");
    Site::new().rules(RULES).section(patient).skill("calculator").section(&server).section(more)
}

/// `vak serve`, running.
pub(crate) struct Served {
    pub(crate) site: Site,
    child: Child,
    places: Vec<String>,
    /// On its standard error, so far.
    said: Arc<Mutex<String>>,
    stderr: Option<std::thread::JoinHandle<String>>,
}

/// How a server ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
    pub(crate) site: Site,
}

impl Served {
    /// Most tests': one token for `ada`, and these lines in `[server]`.
    pub(crate) fn ada(server: &str, more: &str) -> (Self, String) {
        let (token, lines) = ada();
        (Self::start(site(server, &(lines + more))), token)
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(site: Site) -> Self {
        let mut command = Command::new(binary("vak"));
        command.arg("serve").arg("--config").arg(site.config());
        Self::of(command, site)
    }

    /// Starts it as this command does.
    pub(crate) fn of(mut command: Command, site: Site) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (output, errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let said = Arc::<Mutex<String>>::default();
        let saying = Arc::clone(&said);
        let stderr = std::thread::spawn(move || {
            for line in BufReader::new(errors).lines() {
                *saying.lock().unwrap() += &(line.unwrap() + "\n");
            }
            saying.lock().unwrap().clone()
        });
        let wanted = std::fs::read_to_string(site.config()).unwrap();
        let wanted = usize::from(wanted.contains("\nlisten =")) + usize::from(wanted.contains("\nsocket ="));
        let lines = BufReader::new(output).lines().map_while(Result::ok).take(wanted);
        let places = lines.map(|line| line.strip_prefix("listening on ").unwrap().to_owned()).collect::<Vec<_>>();
        let stderr = Some(stderr);
        let mut served = Self { site, child, places, said, stderr };
        if served.places.len() < wanted {
            let code = served.child.wait().unwrap().code();
            panic!("it ended with {code:?}: {}", served.stderr.take().unwrap().join().unwrap());
        }
        served
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.places[0].rsplit('/').next().unwrap().parse().unwrap()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.places.last().unwrap().strip_prefix("unix:").unwrap().into()
    }

    /// A new connection to its address.
    pub(crate) fn client(&self, token: &str) -> Client {
        Client::to(self.address(), Some(token))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap()
    }

    /// Waits until it has said this.
    #[track_caller]
    pub(crate) fn until_said(&self, what: &str) {
        until(|| self.said.lock().unwrap().contains(what), what);
    }

    /// Has it stand still from here on.
    pub(crate) fn halt(&self) {
        self.signal(Signal::STOP);
        // Which takes a moment, in which it could answer.
        waitpid(Some(self.pid()), WaitOptions::UNTRACED).unwrap();
    }

    /// Has it end, and waits for that.
    pub(crate) fn stop(self) -> Ended {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Waits until it has ended.
    pub(crate) fn wait(mut self) -> Ended {
        let code = self.child.wait().unwrap().code();
        let stderr = self.stderr.take().unwrap().join().unwrap();
        let site = std::mem::take(&mut self.site);
        Ended { code, stderr, site }
    }

    /// A metric's value, or 0 if it is not there.
    pub(crate) fn metric(&self, token: &str, name: &str) -> f64 {
        let text = self.client(token).get("/metrics").text();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    /// Waits until a metric has this value.
    #[track_caller]
    pub(crate) fn until_metric(&self, token: &str, name: &str, value: f64) {
        until(|| self.metric(token, name) == value, name);
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if self.stderr.is_some() {
            self.child.kill().unwrap_or_default();
            self.child.wait().map(drop).unwrap_or_default();
        }
    }
}

/// Waits until something is so.
#[track_caller]
pub(crate) fn until(mut so: impl FnMut() -> bool, what: &str) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < PATIENCE, "it never came to `{what}`");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// One decision of the log and how it ended, where it did.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) action: String,
    pub(crate) session: String,
    pub(crate) decision: Box<Decision>,
    pub(crate) outcome: Option<Outcome>,
}

/// The decisions of a site's log, in their order. The log verifies, and each
/// allow has at most one outcome.
pub(crate) fn recorded(site: &Site) -> Vec<Recorded> {
    let path = site.path().join("state/audit.sqlite");
    let key = vak::PrivateKey::read(&site.path().join("log.key")).unwrap();
    let signer = Signer::new("example.org/test".parse().unwrap(), &key.seed());
    verify_all(&*open_source(&path).unwrap(), &Expected::of(signer.verifier()), |_, _| ()).unwrap();
    let mut recorded = std::collections::BTreeMap::new();
    for entry in LogReader::open(&path).unwrap().entries(0, u64::MAX) {
        let entry = entry.unwrap();
        match entry.body {
            Body::Decision(about, decision) => {
                let (action, session) = (about.action.to_string(), about.session.to_string());
                recorded.insert(entry.seq, Recorded { action, session, decision, outcome: None });
            }
            Body::Outcome(_, outcome) => {
                let of = recorded.get_mut(&outcome.decision).unwrap();
                assert!(of.decision.verdict.is_allow() && of.outcome.is_none(), "{of:?}");
                of.outcome = Some(outcome);
            }
            _ => {}
        }
    }
    recorded.into_values().collect()
}

/// The requests that were refused before they were actions, as the log tells:
/// how many, and why.
pub(crate) fn refused(site: &Site) -> Vec<(u64, String)> {
    let log = LogReader::open(&site.path().join("state/audit.sqlite")).unwrap();
    let entries = log.entries(0, u64::MAX).map(|entry| entry.unwrap().body);
    let told = entries.filter_map(|body| match body {
        Body::Drop(Dropped { what: What::Calls { count }, reason }) => Some((count, reason)),
        _ => None,
    });
    told.collect()
}

/// A file of the packages that the tests install below `target`.
pub(crate) fn installed(path: &str) -> PathBuf {
    let path = components().parent().unwrap().join(path);
    assert!(path.exists(), "`{}` is missing; run `cargo xtask test`", path.display());
    path
}

/// An action of `ada`.
pub(crate) fn action(operation: &str) -> Value {
    serde_json::json!({ "agent": "ada", "operation": operation, "resource": "r" })
}

/// The same with more members.
pub(crate) fn with(mut action: Value, more: &Value) -> Value {
    for (key, value) in more.as_object().unwrap() {
        action[key] = value.clone();
    }
    action
}

/// `ada` pays so much.
pub(crate) fn pay(cost: i64) -> Value {
    with(action("pay"), &serde_json::json!({ "attributes": { "cost": cost } }))
}
