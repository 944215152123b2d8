//! What the server says can be asked.

use std::path::Path;
use std::process::Command;

use vak_test_support::binary;

use crate::client::Client;
use crate::served::{Served, ada, installed, site, token};

fn committed() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../host/server/openapi.json");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_committed_description_is_what_is_served() {
    assert!(
        vak_server::http::openapi().unwrap() == committed(),
        "host/server/openapi.json is not what the code says; run `vak serve --openapi > host/server/openapi.json`"
    );
    let output = Command::new(binary("vak")).args(["serve", "--openapi"]).output().unwrap();
    assert!(output.stdout == committed().as_bytes());
    let (served, _) = Served::ada("", "");
    assert!(Client::to(served.address(), None).get("/openapi.json").text() == committed());
}

/// A fuzzer that knows the description finds no answer that is not described,
/// and no failure of the server.
#[test]
fn schemathesis_finds_nothing() {
    let (all, lines) = token("all", "['decide', 'execute', 'metrics']", "['*']");
    let served = Served::start(site("", &lines));
    let address = served.address();
    let mut fuzz = Command::new(installed("python-server/bin/schemathesis"));
    fuzz.current_dir(served.site.path()).arg("run").arg(format!("http://{address}/openapi.json"));
    fuzz.args(["--header", &format!("Authorization: Bearer {all}")]);
    fuzz.args(["--checks", CHECKS, "--max-examples", "40", "--seed", "1", "--workers", "1", "--no-color"]);
    let output = fuzz.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    // It was answered, and not only turned away.
    for (name, least) in [
        ("vak_decisions_total{decision=\"deny\"}", 10.0),
        ("vak_http_requests_total{route=\"/v1/sessions\",status=\"200\"}", 1.0),
    ] {
        assert!(
            served.metric(&all, name) >= least,
            "{name} in\n{}\n{said}",
            served.client(&all).get("/metrics").text()
        );
    }
    for status in ["500", "other"] {
        let text = served.client(&all).get("/metrics").text();
        assert!(!text.contains(&format!("status=\"{status}\"")), "{text}\n{said}");
    }
    let ended = served.stop();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    drop(ada());
}

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,negative_data_rejection,\
                      unsupported_method,ignored_auth";
