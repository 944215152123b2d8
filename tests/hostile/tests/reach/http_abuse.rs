//! Servers and skills that take all they can get.

use std::io::Write as _;
use std::time::Duration;

use serde_json::json;
use vak_types::FailureKind;

use crate::log;
use crate::server::{Server, serve, serve_by};
use crate::skill::{Grants, reach, stopped_as};

const OK: &str = "HTTP/1.1 200 OK\r\n";

fn asked(name: &str, server: &Server, wall_ms: u64) -> Result<serde_json::Value, String> {
    let skill = Grants::new(name).http("127.0.0.1", server.port, true).wall_ms(wall_ms).load();
    reach(&skill, &json!({ "do": "http", "url": server.url() }))
}

#[test]
fn an_endless_body_ends() {
    let server = serve_by(|_, stream| {
        write!(stream, "{OK}\r\n")?;
        loop {
            stream.write_all(&[b'x'; 64 << 10])?;
        }
    });
    let error = asked("endless-body", &server, 60_000).unwrap_err();
    assert!(error.contains("HttpResponseBodySize(Some(33554432))"), "{error}");
    let bytes: u64 = error.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(bytes > 30 << 20 && bytes <= 32 << 20, "{error}");
}

#[test]
fn endless_headers_end() {
    for (name, header) in [("many-headers", "a: b\r\n".to_owned()), ("long-header", "x".repeat(1 << 10))] {
        let server = serve_by(move |_, stream| {
            write!(stream, "{OK}")?;
            loop {
                stream.write_all(header.as_bytes())?;
            }
        });
        let error = asked(name, &server, 60_000).unwrap_err();
        assert!(error.contains("HttpResponseHeaderSectionSize"), "{name}: {error}");
    }
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let sleeps = |before: &'static str| {
        serve_by(move |_, stream| {
            write!(stream, "{before}")?;
            std::thread::sleep(Duration::from_secs(60));
            Ok(())
        })
    };
    let start = std::time::Instant::now();
    // The skill is told in time to say so itself.
    for before in ["", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"] {
        let error = asked("silent-server", &sleeps(before), 2_000).unwrap_err();
        assert!(error.contains("ConnectionReadTimeout"), "{error}");
    }
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_server_that_dies_is_an_error() {
    let cases = [
        ("", "HttpResponseIncomplete"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", "HttpResponseIncomplete"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhal", "HttpResponseIncomplete"),
        ("HTTP/1.1 2000 OK\r\n\r\n", "HttpProtocolError"),
        ("SSH-2.0-OpenSSH\r\n", "HttpProtocolError"),
    ];
    for (text, expected) in cases {
        let server = serve_by(move |_, stream| write!(stream, "{text}"));
        let error = asked("dying-server", &server, 20_000).unwrap_err();
        assert!(error.contains(expected), "{text:?}: {error}");
    }
    // Nobody listens there any more.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = asked("nobody", &Server { port, asked: Default::default() }, 20_000).unwrap_err();
    assert!(error.contains("ConnectionRefused"), "{error}");
}

#[test]
fn a_call_sends_a_hundred_requests_and_no_more() {
    log::catch();
    let server = serve("hello");
    let elsewhere = format!("http://127.0.0.2:{}/x", server.port);
    let skill = Grants::new("hundred-requests").http("127.0.0.1", server.port, true).wall_ms(60_000).load();
    let repeat = |url: &str, count: usize| {
        let answers = reach(&skill, &json!({ "do": "repeat-requests", "url": url, "count": count })).unwrap();
        answers.as_array().unwrap().clone()
    };
    assert_eq!(repeat(&server.url(), 100), vec![json!(200); 100]);
    assert_eq!(server.count(), 100);
    assert!(log::lines("hundred-requests").is_empty());

    // Each call has a hundred of its own, and what is over is not sent.
    let answers = repeat(&server.url(), 103);
    assert_eq!(answers[..100], vec![json!(200); 100]);
    assert_eq!(answers[100..], vec![json!("ErrorCode::HttpRequestDenied"); 3]);
    assert_eq!(server.count(), 200);
    let told = |part: &str| log::lines("hundred-requests").iter().filter(|line| line.contains(part)).count();
    assert_eq!(told("more than 100 requests in one call"), 3);

    // One that is refused for another reason counts too: nobody may probe for ever.
    assert_eq!(repeat(&elsewhere, 101), vec![json!("ErrorCode::HttpRequestDenied"); 101]);
    assert_eq!((told("no grant lets it GET"), told("more than 100 requests in one call")), (100, 4));
    assert_eq!(server.count(), 200);
}

#[test]
fn a_circle_of_redirects_ends() {
    let server = serve_by(|head, stream| {
        let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
        write!(stream, "HTTP/1.1 302 Found\r\nlocation: http://{host}/x\r\ncontent-length: 0\r\n\r\n")
    });
    let skill = Grants::new("circle").http("127.0.0.1", server.port, true).wall_ms(60_000).load();
    let answer = reach(&skill, &json!({ "do": "http", "url": server.url(), "follow": true }));
    assert_eq!(answer, Err("ErrorCode::HttpRequestDenied".to_owned()));
    assert_eq!(server.count(), 100);
}

#[test]
fn requests_are_counted() {
    let server = serve("hello");
    let skill = Grants::new("many-requests").http("127.0.0.1", server.port, true).load();
    let hoard = |count: u32| json!({ "do": "hoard-requests", "url": server.url(), "count": count });
    let answers = reach(&skill, &hoard(10)).unwrap();
    let limited = answers.as_array().unwrap().iter().filter(|answer| *answer == "ErrorCode::ConnectionLimitReached");
    assert_eq!(limited.count(), 2, "{answers}");
    assert_eq!(answers.as_array().unwrap().iter().filter(|answer| *answer == "200").count(), 8, "{answers}");
    // More than a call may hold, whatever became of them.
    stopped_as(&skill, &hoard(10_000), FailureKind::Memory, "more of the host's resources");
}
