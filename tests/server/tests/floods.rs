//! More of everything than there is room for.

use std::process::{Command, Stdio};

use serde_json::json;
use vak_audit::LogReader;

use crate::client::{Client, raw, rest};
use crate::served::{Served, action, ada, site, until};

#[test]
fn so_many_connections_and_the_socket_has_its_own() {
    let socket = "socket = { path = 'vak.sock', scopes = ['decide'], agents = ['ada'] }\n\
                  limits = { connections_max = 4, headers_ms = 100_000 }";
    let (served, token) = Served::ada(socket, "");
    let mut held: Vec<_> = (0..4).map(|_| served.client(&token)).collect();
    held.iter_mut().for_each(|client| drop(client.get("/live").ok()));
    for _ in 0..20 {
        assert_eq!(rest(&mut raw(served.address())), "");
    }
    // Those that are there go on, and what runs beside the host is not shut out.
    assert_eq!(held[0].post("/v1/decide", &action("files/read")).decision(), "allow");
    assert_eq!(Client::to_socket(&served.socket(), None).post("/v1/decide", &action("files/read")).decision(), "allow");
    let metrics = held[0].get("/metrics").text();
    assert!(metrics.contains("vak_http_connections_refused_total 20"), "{metrics}");
    held.pop();
    until(|| served.client(&token).try_send("GET", "/live", "", "").is_ok(), "a place");
}

/// A log that takes nothing more denies everything, and says so.
#[test]
fn a_log_that_has_stopped_is_not_ready() {
    let site = site("", &ada().1);
    site.host().close().unwrap();
    // So long a file the system lets it write, of 512 bytes each, and no signal
    // ends it when it tries more.
    let script = "trap '' XFSZ; ulimit -f 800; exec \"$@\"";
    let mut command = Command::new("sh");
    command
        .args(["-c", script, "sh"])
        .arg(vak_test_support::binary("vak"))
        .arg("serve")
        .arg("--config")
        .arg(site.config());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let served = Served::of(command, site);
    let token = ada().0;
    let mut client = served.client(&token);
    client.get("/ready").ok();
    let many = json!({ "actions": vec![action("files/read"); 64] });
    let (mut last, mut acknowledged) = (json!(null), 0);
    until(
        || {
            let results = client.post("/v1/batch", &many).ok()["results"].clone();
            let seqs = results.as_array().unwrap().iter().filter_map(|result| result["receipt"]["seq"].as_u64());
            acknowledged = seqs.max().unwrap_or(acknowledged);
            last = results[63].clone();
            last["receipt"].is_null()
        },
        "a log that has stopped",
    );
    assert_eq!(last["verdict"]["decision"], "deny", "{last}");
    for path in ["/ready", "/health"] {
        let answer = client.get(path);
        assert_eq!(answer.status, 503);
        let upstreams = json!({ "up": 0, "starting": 0, "down": 0 });
        assert_eq!(
            answer.json(),
            json!({
                "ready": false, "log": "stopped", "policies": "loaded", "configuration": "current",
                "withdrawals": "none", "server": "serving", "upstreams": upstreams,
            })
        );
    }
    client.get("/live").ok();
    assert_eq!(served.metric(&token, "vak_log_writable"), 0.0);
    // An id that could not be recorded is not used up.
    let named = json!({ "agent": "ada", "operation": "files/read", "resource": "r", "id": "1" });
    assert!(client.post("/v1/decide", &named).ok()["receipt"].is_null());
    drop(client);
    let ended = served.stop();
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    // What it acknowledged is there.
    let log = LogReader::open(&ended.site.path().join("state/audit.sqlite")).unwrap();
    assert!(log.size().unwrap() > acknowledged, "{acknowledged}");
}
