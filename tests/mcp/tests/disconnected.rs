//! HTTP clients that go before they have their answer.

use std::io::{BufRead as _, BufReader, Write as _};
use std::time::{Duration, Instant};

use serde_json::json;
use vak_audit::Status;
use vak_test_support::Site;

use crate::listening::{Listening, borrowed, call, read, stateless};
use crate::log::recorded;
use crate::raw::told;
use crate::site::{PERMIT_ALL, misbehaving, patient, upstream_got};

/// Waits until the upstream has got a line with this in it.
#[track_caller]
fn until_it_got(site: &Site, part: &str) {
    let until = Instant::now() + Duration::from_secs(60);
    while !upstream_got(site).contains(part) {
        assert!(Instant::now() < until, "the upstream never got {part}: {}", upstream_got(site));
        std::thread::yield_now();
    }
}

#[test]
fn a_call_that_nobody_waits_for_is_cancelled_and_unknown() {
    let site = patient(PERMIT_ALL);
    let gateway = Listening::start(&site, &misbehaving(&site, "hang"));
    let (headers, message) = stateless(call(7, "one", &json!({})));
    let stream = gateway.send(&gateway.request("POST", &borrowed(&headers), &message.to_string()));
    until_it_got(&site, "tools/call");
    drop(stream);
    until_it_got(&site, "notifications/cancelled");
    gateway.stop();
    let recorded = recorded(&site);
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0].told(), ("up/one", "allow".to_owned(), Some(Status::Unknown)));
    assert!(recorded[0].detail().contains("cancelled"), "{}", recorded[0].detail());
}

#[test]
fn a_session_that_is_ended_gives_up_its_calls() {
    let site = patient(PERMIT_ALL);
    let gateway = Listening::start(&site, &misbehaving(&site, "hang"));
    let id = gateway.begin();
    let session = [("Mcp-Session-Id", id.as_str())];
    let stream = gateway.send(&gateway.request("POST", &session, &call(7, "one", &json!({})).to_string()));
    until_it_got(&site, "tools/call");
    // The id is in use, whoever asks.
    let twice = gateway.post(&session, &call(7, "two", &json!({})));
    assert!(twice.status == 400 && twice.body.contains("a request with the id `7` has no answer yet"), "{twice:?}");
    assert!(gateway.ask("DELETE", &session, "").status < 300);
    until_it_got(&site, "notifications/cancelled");
    drop(stream);
    gateway.stop();
    let recorded = recorded(&site);
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0].told(), ("up/one", "allow".to_owned(), Some(Status::Unknown)));
}

#[test]
fn a_stream_that_was_lost_is_resumed() {
    let site = patient(PERMIT_ALL);
    let gateway = Listening::start(&site, &misbehaving(&site, "slow"));
    let id = gateway.begin();
    let session = [("Mcp-Session-Id", id.as_str())];
    let mut stream =
        BufReader::new(gateway.send(&gateway.request("POST", &session, &call(7, "one", &json!({})).to_string())));
    let event = loop {
        let mut line = String::new();
        assert!(stream.read_line(&mut line).unwrap() > 0);
        if let Some(id) = line.strip_prefix("id:") {
            break id.trim().to_owned();
        }
    };
    drop(stream);
    let resume = [("Mcp-Session-Id", id.as_str()), ("Last-Event-ID", event.as_str())];
    let mut resumed = gateway.send(&gateway.request("GET", &resume, ""));
    resumed.flush().unwrap();
    let answer = read(resumed).message();
    assert_eq!(told(&answer), (false, "done".to_owned()));
    gateway.stop();
    assert_eq!(recorded(&site)[0].told().2, Some(Status::Succeeded));
}

#[test]
fn a_gateway_that_stops_records_what_was_under_way() {
    let site = patient(PERMIT_ALL);
    let gateway = Listening::start(&site, &misbehaving(&site, "hang"));
    let (headers, message) = stateless(call(7, "one", &json!({})));
    let _stream = gateway.send(&gateway.request("POST", &borrowed(&headers), &message.to_string()));
    until_it_got(&site, "tools/call");
    gateway.stop();
    assert_eq!(recorded(&site)[0].told().2, Some(Status::Unknown));
}
