//! Requests whose parts disagree, and connections that take their time.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use crate::client::{bytes_of, raw, rest, say};
use crate::served::{Served, action, recorded};

/// Sends bytes and closes nothing. What the server says before it closes.
#[track_caller]
fn answered(served: &Served, bytes: impl AsRef<[u8]>) -> String {
    let mut stream = raw(served.address());
    say(&mut stream, bytes);
    rest(&mut stream)
}

#[test]
fn there_are_never_two_opinions_about_where_a_request_ends() {
    let (served, token) = Served::ada("limits = { body_ms = 200, headers_ms = 200 }", "");
    let body = action("files/read").to_string();
    let length = format!("content-length: {}\r\n", body.len());
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    // Behind each a second request, which must not be one.
    let smuggled = bytes_of("POST", "/v1/decide", &token, &length, &body);
    let longer = format!("content-length: {}\r\n", body.len() + 1);
    for (headers, body, status) in [
        ("transfer-encoding: chunked\r\n".to_owned(), &chunked, "411"),
        (format!("{length}transfer-encoding: chunked\r\n"), &chunked, "411"),
        (format!("transfer-encoding: chunked\r\n{length}"), &chunked, "411"),
        (format!("{length}transfer-encoding: chunked, identity\r\n"), &chunked, "400"),
        (format!("{length}transfer-encoding : chunked\r\n"), &body, "400"),
        (format!("{length}{longer}"), &body, "400"),
        ("content-length: +1\r\n".to_owned(), &body, "400"),
        ("content-length: -1\r\n".to_owned(), &body, "400"),
        ("content-length: 99999999999999999999\r\n".to_owned(), &body, "400"),
        (format!("content-length: {},{0}\r\n", body.len()), &body, "400"),
        (format!("{length}a: b\n c: d\r\n"), &body, "400"),
        (format!("{length}a\0: b\r\n"), &body, "400"),
    ] {
        let said = answered(&served, bytes_of("POST", "/v1/decide", &token, &headers, body) + &smuggled);
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{headers:?}: {said}");
        assert_eq!(said.matches("HTTP/1.1 ").count(), 1, "{headers:?}: {said}");
    }
    // Without a length there is no body.
    let said = answered(&served, bytes_of("POST", "/v1/decide", &token, "connection: close\r\n", ""));
    assert!(said.starts_with("HTTP/1.1 411 "), "{said}");
    // More body than was announced is a request that can't be read, and less is none.
    let shorter = format!("content-length: {}\r\n", body.len() - 1);
    let said = answered(&served, bytes_of("POST", "/v1/decide", &token, &shorter, &body));
    assert!(said.starts_with("HTTP/1.1 400 ") && said.contains("urn:vak:problem:malformed"), "{said}");
    let said = answered(&served, bytes_of("POST", "/v1/decide", &token, &longer, &body));
    assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
    assert!(recorded(&served.stop().site).is_empty());
}

#[test]
fn heads_are_bounded() {
    let (served, token) = Served::ada("limits = { headers_max = 16, header_bytes_max = 4096 }", "");
    let many: String = (0..20).map(|number| format!("x-{number}: a\r\n")).collect();
    let long = format!("x: {}\r\n", "a".repeat(5_000));
    for headers in [many, long] {
        let said = answered(&served, bytes_of("GET", "/live", &token, &headers, ""));
        assert!(said.starts_with("HTTP/1.1 431 "), "{said}");
    }
    let said = answered(&served, format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat(5_000)));
    assert!(said.starts_with("HTTP/1.1 4"), "{said}");
    for nonsense in [
        "nonsense\r\n\r\n",
        "GET /live HTTP/9.9\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\u{0}",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let said = answered(&served, nonsense);
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 400 ") || said.starts_with("HTTP/1.1 505 "), "{said}");
    }
    served.client(&token).get("/live").ok();
}

/// Whoever sends nothing, half a head or half a body is closed, and others are
/// answered meanwhile.
#[test]
fn slow_connections_end() {
    let (served, token) = Served::ada("limits = { headers_ms = 300, body_ms = 300, connections_max = 8 }", "");
    let body = action("files/read").to_string();
    let head = bytes_of("POST", "/v1/decide", &token, &format!("content-length: {}\r\n", body.len()), "");
    let mut silent = raw(served.address());
    let mut idle = raw(served.address());
    say(&mut idle, bytes_of("GET", "/live", &token, "", ""));
    let mut half_head = raw(served.address());
    say(&mut half_head, &head[..20]);
    let mut half_body = raw(served.address());
    say(&mut half_body, head.clone() + &body[..5]);
    // One that goes on, byte by byte, and is not over in time.
    let mut drips = raw(served.address());
    let dripping = std::thread::spawn(move || {
        drips.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let mut one = [0; 1];
        for byte in head.bytes().cycle() {
            if drips.write_all(&[byte]).is_err() || matches!(drips.read(&mut one), Ok(0)) {
                return;
            }
        }
    });
    assert_eq!(served.client(&token).post("/v1/decide", &action("files/read")).decision(), "allow");
    assert_eq!(rest(&mut silent), "");
    assert!(rest(&mut idle).starts_with("HTTP/1.1 200 "));
    let said = rest(&mut half_head);
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 408 "), "{said}");
    let said = rest(&mut half_body);
    assert!(said.starts_with("HTTP/1.1 408 ") && said.contains("urn:vak:problem:body-timed-out"), "{said}");
    dripping.join().unwrap();
    assert_eq!(recorded(&served.stop().site).len(), 1);
}

/// One that asks and asks, and never reads an answer.
#[test]
fn who_does_not_read_is_closed() {
    let (served, token) = Served::ada("limits = { request_ms = 300 }", "");
    let mut stream = raw(served.address());
    let request = bytes_of("GET", "/openapi.json", &token, "", "");
    // Until the system takes no more of it, or the server has closed.
    stream.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
    while stream.write_all(request.as_bytes()).is_ok() {}
    served.until_metric(&token, "vak_http_connections", 1.0);
}
