//! Clients that go before they are answered.

use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;
use vak_audit::Status;

use crate::client::{bytes_of, raw, rest, say};
use crate::served::{BUDGET, Served, action, pay, recorded, until, with};

fn request(token: &str, body: &serde_json::Value) -> String {
    let body = body.to_string();
    bytes_of("POST", "/v1/decide", token, &format!("content-length: {}\r\n", body.len()), &body)
}

/// Has a client ask and go while the server stands still, so that it is gone
/// when it is decided.
fn ask_and_go(served: &Served, go: impl FnOnce()) {
    served.halt();
    go();
    served.signal(Signal::CONT);
}

const WITHDRAWN: &str = "vak_outcomes_total{end=\"withdrawn\"}";

/// A server, and its token, of which `count` verdicts were withdrawn because the one
/// who asked `go`es. One time in a hundred the system has taken the answer before it
/// shows that nobody is there, or it shows that before the request is looked at and
/// nothing is decided; then another server is tried.
fn withdrawn(count: f64, server: &str, go: impl Fn(&Served, &str)) -> (Served, String) {
    for _ in 0..16 {
        let (served, token) = Served::ada(server, BUDGET);
        ask_and_go(&served, || go(&served, &token));
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(5) {
            if served.metric(&token, WITHDRAWN) == count {
                return (served, token);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    panic!("nothing is withdrawn");
}

#[test]
fn what_nobody_was_told_is_withdrawn_and_the_budget_returns() {
    let go = |served: &Served, token: &str| say(&mut raw(served.address()), request(token, &pay(60)));
    let (served, token) = withdrawn(1.0, "", go);
    assert_eq!(served.metric(&token, "vak_outcomes_waiting"), 0.0);
    assert_eq!(served.client(&token).post("/v1/decide", &pay(100)).decision(), "allow");
    let recorded = recorded(&served.stop().site);
    let outcome = recorded[0].outcome.as_ref().unwrap();
    assert_eq!(outcome.status, Status::Unknown);
    assert_eq!(outcome.detail, "the client went before the verdict could be told");
}

#[test]
fn over_the_socket_too() {
    let socket = "socket = { path = 'vak.sock', scopes = ['decide'], agents = ['ada'] }";
    let asked = request("", &pay(60)).replace("authorization: Bearer \r\n", "");
    withdrawn(1.0, socket, |served, _| say(&mut UnixStream::connect(served.socket()).unwrap(), &asked));
}

#[test]
fn a_batch_is_withdrawn_whole() {
    let body = json!({ "actions": [pay(50), pay(50)] }).to_string();
    let length = format!("content-length: {}\r\n", body.len());
    let (served, token) = withdrawn(2.0, "", |served, token| {
        say(&mut raw(served.address()), bytes_of("POST", "/v1/batch", token, &length, &body));
    });
    assert_eq!(served.client(&token).post("/v1/decide", &pay(100)).decision(), "allow");
}

#[test]
fn who_comes_back_with_the_same_id_is_decided_once_more_and_pays_once() {
    let asked = with(pay(60), &json!({ "id": "order" }));
    let go = |served: &Served, token: &str| say(&mut raw(served.address()), request(token, &asked));
    let (served, token) = withdrawn(1.0, "", go);
    let mut client = served.client(&token);
    let first = client.post("/v1/decide", &asked).ok();
    assert_eq!(first["verdict"]["decision"], "allow");
    assert_eq!(client.post("/v1/decide", &asked).ok(), first);
    assert_eq!(client.post("/v1/decide", &pay(40)).decision(), "allow");
    client.post("/v1/outcome", &json!({ "action": first["action"], "status": "succeeded" })).ok();
}

/// What somebody else was told with the same id is not taken back.
#[test]
fn what_one_of_two_was_told_stands() {
    // Whoever asks first: what was withdrawn holds nothing when the other is decided.
    for leaver_first in [true, false].repeat(8) {
        let (served, token) = Served::ada("", BUDGET);
        let asked = with(pay(60), &json!({ "id": "order" }));
        let mut stays = raw(served.address());
        served.halt();
        let leaving = || say(&mut raw(served.address()), request(&token, &asked));
        if leaver_first {
            leaving();
        }
        say(&mut stays, request(&token, &asked).replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"));
        if !leaver_first {
            leaving();
        }
        served.signal(Signal::CONT);
        let answer = rest(&mut stays);
        assert!(answer.contains("\"decision\":\"allow\""), "{leaver_first}: {answer}");
        assert_eq!(served.client(&token).post("/v1/decide", &pay(60)).decision(), "deny");
        let first = served.client(&token).post("/v1/decide", &asked).ok();
        served.client(&token).post("/v1/outcome", &json!({ "action": first["action"], "status": "failed" })).ok();
    }
}

/// Who was answered may have acted, whatever became of the connection.
#[test]
fn what_was_told_is_not_withdrawn() {
    let (served, token) = Served::ada("", BUDGET);
    let mut client = served.client(&token);
    assert_eq!(client.post("/v1/decide", &pay(60)).decision(), "allow");
    drop(client);
    assert_eq!(served.client(&token).post("/v1/decide", &pay(60)).decision(), "deny");
    let mut stream = raw(served.address());
    say(&mut stream, request(&token, &pay(40)).replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"));
    assert!(rest(&mut stream).contains("\"decision\":\"allow\""));
    assert_eq!(served.metric(&token, "vak_outcomes_waiting"), 2.0);
    assert_eq!(served.client(&token).post("/v1/decide", &pay(1)).decision(), "deny");
    let recorded = recorded(&served.stop().site);
    let spent = recorded.iter().filter_map(|it| it.outcome.as_ref()).map(|outcome| outcome.detail.as_str());
    assert_eq!(spent.collect::<Vec<_>>(), ["the server stopped before an outcome was reported"; 2]);
}

/// A request that is given up is like a client that goes.
#[test]
fn what_takes_too_long_is_withdrawn() {
    let (served, token) = Served::ada("limits = { request_ms = 1 }", "");
    let many = json!({ "actions": vec![action("files/read"); 64] });
    let mut client = served.client(&token);
    let (mut given_up, mut told) = (0.0, 0.0);
    // A decision takes less than a thousandth of a second, and 64 do not.
    while given_up == 0.0 {
        let answer = client.post("/v1/batch", &many);
        match answer.status.as_u16() {
            200 => told += 64.0,
            _ => {
                answer.is_problem(504, "timed-out");
                given_up += 64.0;
            }
        }
    }
    let mut metric = |name: &str| until(|| client.get("/metrics").text().contains(name), name);
    metric(&format!("{WITHDRAWN} {given_up}\n"));
    metric(&format!("vak_outcomes_waiting {told}\n"));
}
