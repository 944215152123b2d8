//! Bodies that are not what they have to be.

use serde_json::json;

use crate::client::{bytes_of, raw, rest, say};
use crate::served::{Served, action, recorded};

const JSON: &str = "application/json";

/// An action with these arguments, which may be no JSON.
fn arguments(arguments: &str) -> Vec<u8> {
    format!(r#"{{"agent":"ada","operation":"files/read","resource":"r","arguments":{arguments}}}"#).into_bytes()
}

#[test]
fn what_is_not_a_request_is_a_problem_and_no_action() {
    let (served, token) = Served::ada("", "");
    let mut client = served.client(&token);
    let deep = "[".repeat(65) + &"]".repeat(65);
    let deeper = "[".repeat(100_000) + &"]".repeat(100_000);
    let invalid = [&arguments("\"")[..], &[0xff, 0xfe], b"\"}"].concat();
    let outside = [&b"\xff"[..], &arguments("1")].concat();
    let marked = [&b"\xef\xbb\xbf"[..], &arguments("1")].concat();
    let twice = br#"{"agent":"ada","agent":"ada","operation":"files/read","resource":"r"}"#.to_vec();
    let long = format!("\"{}\"", "x".repeat(1 << 20));
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", b" ".to_vec()),
        ("no object", b"[]".to_vec()),
        ("null", b"null".to_vec()),
        ("half", b"{\"agent\":".to_vec()),
        ("two", [&arguments("1")[..], b" {}"].concat()),
        ("not a number", arguments("NaN")),
        ("endless", arguments("Infinity")),
        ("out of range", arguments("1e999")),
        ("a key twice", arguments(r#"{"a":1,"a":2}"#)),
        ("a member twice", twice),
        ("deep", arguments(&deep)),
        ("deeper", arguments(&deeper)),
        ("not UTF-8", invalid),
        ("not UTF-8 outside", outside),
        ("a byte order mark", marked),
        ("half a surrogate", arguments(r#""\ud800""#)),
        ("long", arguments(&long)),
        ("unknown member", arguments(r#"1,"time":1"#)),
        ("wrong type", arguments(r#"1,"labels":{}"#)),
        ("a time of its own", arguments(r#"1,"attributes":{"a":1.5}"#)),
    ];
    for (what, body) in cases {
        let answer = client.send("POST", "/v1/decide", JSON, body);
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
        let problem = answer.is_problem(400, "malformed");
        assert!(problem["detail"].as_str().unwrap().len() <= 512, "{what}: {problem}");
    }
    for kind in ["", "text/plain", "application/json; charset=latin1", "application/x-www-form-urlencoded"] {
        client.send("POST", "/v1/decide", kind, arguments("1")).is_problem(415, "media-type");
    }
    // The connection is as good as it was.
    assert_eq!(client.post("/v1/decide", &action("files/read")).decision(), "allow");
    drop(client);
    assert_eq!(recorded(&served.stop().site).len(), 1);
}

#[test]
fn what_is_too_large_is_not_read() {
    let (served, token) = Served::ada("limits = { body_bytes_max = 1000 }", "");
    let mut client = served.client(&token);
    client.send("POST", "/v1/decide", JSON, vec![b' '; 1_001]).is_problem(413, "too-large");
    let mut body = arguments("1");
    body.resize(1_000, b' ');
    let mut client = served.client(&token);
    assert_eq!(client.send("POST", "/v1/decide", JSON, body).decision(), "allow");
    // Ten megabytes that are announced are answered before they come.
    let mut stream = raw(served.address());
    say(&mut stream, bytes_of("POST", "/v1/decide", &token, "content-length: 10000000\r\n", ""));
    assert!(rest(&mut stream).starts_with("HTTP/1.1 413 "));
    // And those that come are not taken.
    let mut stream = raw(served.address());
    let text = " ".repeat(10_000_000);
    say(&mut stream, bytes_of("POST", "/v1/decide", &token, "content-length: 10000000\r\n", &text));
    let answer = rest(&mut stream);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

/// Nobody is read a body from who may not send one.
#[test]
fn who_asks_is_known_before_the_body_is_read() {
    let (served, token) = Served::ada("", "");
    let mut stream = raw(served.address());
    let wrong = token.replace("vak_", "vak-");
    say(&mut stream, bytes_of("POST", "/v1/decide", &wrong, "content-length: 100\r\n", ""));
    // Without a byte of the body having been sent.
    let mut start = [0; 13];
    std::io::Read::read_exact(&mut stream, &mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 401 ");
}

#[test]
fn a_problem_tells_nothing_of_the_inside() {
    let (served, token) = Served::ada("", "");
    let mut client = served.client(&token);
    let folder = served.site.path().display().to_string();
    for (path, body) in [
        ("/v1/decide", json!({ "agent": "a\u{7}da", "operation": "o", "resource": "r" })),
        ("/v1/execute", json!({ "agent": "ada", "skill": "../../etc/passwd" })),
        ("/v1/execute", json!({ "agent": "ada", "skill": "none" })),
        ("/v1/outcome", json!({ "action": "x", "status": "failed" })),
        ("/v1/nothing", json!({})),
    ] {
        let text = client.post(path, &body).text();
        assert!(text.contains("urn:vak:problem:"), "{text}");
        for inside in [folder.as_str(), "src/", ".rs", "panicked", "sqlite", "SELECT"] {
            assert!(!text.contains(inside), "{text}");
        }
    }
}
