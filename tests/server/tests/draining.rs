//! The end of a server.

use std::io::Read as _;

use rustix::process::Signal;
use serde_json::json;

use crate::client::{Client, bytes_of, raw, rest, say};
use crate::served::{Served, action, recorded, until};

#[test]
fn it_says_that_it_is_stopping_and_ends_what_was_begun() {
    // Longer than anybody waits: the connections end it.
    let (served, token) = Served::ada("limits = { drain_ms = 100_000 }", "");
    let (mut ready, mut deciding, mut reporting) =
        (served.client(&token), served.client(&token), served.client(&token));
    assert_eq!(ready.get("/ready").ok()["ready"], true);
    let allowed = deciding.post("/v1/decide", &action("files/read")).ok();
    reporting.get("/live").ok();
    // What was begun: the server wants the body when it has looked at the head.
    let body = action("files/read").to_string();
    let headers = format!("content-length: {}\r\nexpect: 100-continue\r\n", body.len());
    let mut half = raw(served.address());
    say(&mut half, bytes_of("POST", "/v1/decide", &token, &headers, ""));
    let mut go_on = [0; 25];
    half.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");

    let address = served.address();
    served.signal(Signal::TERM);
    until(|| std::net::TcpStream::connect(address).is_err(), "no more connections");
    let answer = ready.get("/ready");
    assert_eq!((answer.status.as_u16(), answer.json()["server"].as_str()), (503, Some("draining")));
    assert_eq!(answer.headers["connection"], "close");
    deciding.post("/v1/decide", &action("files/read")).is_problem(503, "draining");
    // What was done can be told to the end.
    reporting.post("/v1/outcome", &json!({ "action": allowed["action"], "status": "succeeded" })).ok();
    say(&mut half, body);
    assert!(rest(&mut half).contains("\"decision\":\"allow\""));
    let ended = served.wait();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let details = recorded(&ended.site).into_iter().map(|it| it.outcome.unwrap().detail);
    assert_eq!(details.collect::<Vec<_>>(), ["", "the server stopped before an outcome was reported"]);
}

#[test]
fn who_is_idle_does_not_keep_it() {
    let (served, token) = Served::ada("limits = { drain_ms = 50 }", "");
    let mut idle = Client::to(served.address(), Some(&token));
    idle.get("/live").ok();
    let mut silent = raw(served.address());
    assert_eq!(served.stop().code, Some(0));
    assert_eq!(rest(&mut silent), "");
}

#[test]
fn sigint_ends_it_too() {
    let (served, _) = Served::ada("", "");
    served.signal(Signal::INT);
    assert_eq!(served.wait().code, Some(0));
}
