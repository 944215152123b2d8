//! `wrk`, which asks as fast as it is answered.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use vak_audit::{Body, LogReader};

use super::load::{CONNECTIONS, MEASURED, WARM_UP, action};

/// What it measured.
pub(super) struct Measured {
    /// Answers a second.
    pub(super) rate: f64,
    /// Milliseconds.
    pub(super) p50: f64,
    pub(super) p99: f64,
}

/// Decisions by the server at `address`, whose host is in `folder`.
pub(super) fn load(address: SocketAddr, token: &str, folder: &Path) -> Measured {
    let script = folder.join("wrk.lua");
    let lua = format!(
        r#"
wrk.method = "POST"
wrk.path = "/v1/decide"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer {token}"
wrk.body = [==[{}]==]
done = function(summary, latency, requests)
    local of = summary.errors
    local errors = of.connect + of.read + of.write + of.status + of.timeout
    print("told", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors)
end
"#,
        action()
    );
    std::fs::write(&script, lua).unwrap();
    run(address, &script, WARM_UP);
    let told = run(address, &script, MEASURED);
    let [requests, micros, p50, p99, errors] = told[..] else { panic!("{told:?}") };
    assert!(errors == 0.0, "{errors} requests failed");
    assert_allowed(folder, requests as usize);
    Measured { rate: requests / micros * 1e6, p50: p50 / 1e3, p99: p99 / 1e3 }
}

/// What `done` told.
fn run(address: SocketAddr, script: &Path, time: Duration) -> Vec<f64> {
    let mut wrk = Command::new("wrk");
    wrk.args(["--threads", "1", "--connections", &CONNECTIONS.to_string(), "--duration"]);
    wrk.arg(format!("{}s", time.as_secs())).arg("--script").arg(script).arg(format!("http://{address}"));
    let output = wrk.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    let text = String::from_utf8(output.stdout).unwrap();
    let told = text.lines().find_map(|line| line.strip_prefix("told")).unwrap_or_else(|| panic!("{text}"));
    told.split_whitespace().map(|number| number.parse().unwrap()).collect()
}

/// An answer is one whatever was decided, so the log is asked: there are at least
/// so many decisions, and each is an allow.
fn assert_allowed(folder: &Path, least: usize) {
    let log = LogReader::open(&folder.join("state/audit.sqlite")).unwrap();
    let mut allowed = 0;
    for entry in log.entries(0, u64::MAX) {
        if let Body::Decision(_, decision) = entry.unwrap().body {
            assert!(decision.verdict.is_allow(), "{:?}", decision.verdict);
            allowed += 1;
        }
    }
    assert!(allowed >= least, "{allowed} of {least}");
}
