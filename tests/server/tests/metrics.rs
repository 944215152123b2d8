//! What is counted, read by Prometheus's own parser.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::served::{Served, action, installed};

/// The samples by name and labels, as `prometheus_client` reads them.
fn parsed(text: &str) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/samples.py");
    let mut parser = Command::new(installed("python-server/bin/python"));
    let mut parser = parser.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    parser.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = parser.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn each_thing_is_counted_once() {
    let (served, token) = Served::ada("", "");
    let mut client = served.client(&token);
    for _ in 0..5 {
        let allowed = client.post("/v1/decide", &action("files/read")).ok();
        client.post("/v1/outcome", &json!({ "action": allowed["action"], "status": "succeeded" })).ok();
    }
    client.post("/v1/decide", &action("files/delete")).ok();
    client.post("/v1/decide", &json!({})).is_problem(400, "malformed");
    client.get("/v1/decide").is_problem(405, "method");
    client.get("/nothing/../here").is_problem(404, "not-found");
    client.get("/v1/decide%0a").is_problem(404, "not-found");
    let answer = client.get("/metrics");
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let samples = parsed(&answer.text());
    let is = |name: &str, value: f64| assert_eq!(samples[name].as_f64(), Some(value), "{name} in {samples}");
    is("vak_http_requests_total{route=/v1/decide,status=200}", 6.0);
    is("vak_http_requests_total{route=/v1/decide,status=400}", 1.0);
    is("vak_http_requests_total{route=/v1/decide,status=405}", 1.0);
    is("vak_http_requests_total{route=/v1/outcome,status=200}", 5.0);
    is("vak_http_requests_total{route=other,status=404}", 2.0);
    is("vak_decisions_total{decision=allow}", 5.0);
    is("vak_decisions_total{decision=deny}", 1.0);
    is("vak_outcomes_total{end=reported}", 5.0);
    is("vak_outcomes_waiting", 0.0);
    is("vak_http_connections", 1.0);
    is("vak_log_writable", 1.0);
    is("vak_policies", 1.0);
    // Buckets grow to the count, which is that of the requests.
    for (route, count) in [("/v1/decide", 8.0), ("/v1/outcome", 5.0), ("other", 2.0), ("/health", 0.0)] {
        let name = "vak_http_request_duration_seconds";
        is(&format!("{name}_count{{route={route}}}"), count);
        let buckets: Vec<_> =
            samples["buckets"][route].as_array().unwrap().iter().map(|it| it.as_f64().unwrap()).collect();
        assert!(buckets.is_sorted() && buckets.last() == Some(&count), "{route}: {buckets:?}");
        let sum = samples[format!("{name}_sum{{route={route}}}")].as_f64().unwrap();
        assert_eq!(sum > 0.0, count > 0.0, "{route}: {sum}");
    }
}
