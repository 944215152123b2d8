//! HTTP, to where it may and where it may not go.

use serde_json::{Value, json};
use vak_plugin::Skill;

use crate::log;
use crate::server::{redirect, serve, serve_at_once};
use crate::skill::{Grants, reach};

fn get(skill: &Skill, url: &str) -> Result<Value, String> {
    reach(skill, &json!({ "do": "http", "url": url }))
}

#[test]
fn goes_where_it_may() {
    let server = serve("hello");
    let skill = Grants::new("goes").http("127.0.0.1", server.port, true).load();
    let answer = get(&skill, &server.url()).unwrap();
    assert_eq!(answer, json!({ "status": 200, "bytes": 5, "text": "hello" }));
    let asked = server.asked.lock().unwrap().concat();
    assert!(asked.starts_with("GET /x HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("host: 127.0.0.1:{}\r\n", server.port)), "{asked}");
    assert_eq!(asked.matches("host:").count(), 1, "{asked}");
}

#[test]
fn goes_nowhere_else() {
    log::catch();
    let server = serve("secret");
    let other = serve("secret");
    let port = server.port;
    let skill = Grants::new("elsewhere").http("127.0.0.1", port, true).load();
    let denied = [
        ("GET", other.url()),
        ("GET", format!("http://localhost:{port}/")),
        ("GET", format!("http://[::1]:{port}/")),
        ("GET", format!("http://[::ffff:127.0.0.1]:{port}/")),
        ("GET", format!("http://127.0.0.2:{port}/")),
        ("GET", "http://127.0.0.1/".to_owned()),
        ("POST", server.url()),
        ("CONNECT", server.url()),
        ("TRACE", server.url()),
        ("get", server.url()),
        ("GET", "https://example.org/".to_owned()),
    ];
    for (method, url) in denied {
        let error = reach(&skill, &json!({ "do": "http", "method": method, "url": url })).unwrap_err();
        assert!(error.ends_with("HttpRequestDenied"), "{method} {url}: {error}");
    }
    let misspelt = [
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://0x7f000001:{port}/"),
        format!("http://0177.0.0.1:{port}/"),
        format!("http://127.1:{port}/"),
        format!("http://127.0.0.1.:{port}/"),
        format!("http://x@127.0.0.1:{port}/"),
        format!("http://127.0.0.1:0{port}/"),
    ];
    for url in misspelt {
        let error = get(&skill, &url).unwrap_err();
        assert!(error.ends_with("HttpRequestUriInvalid") || error == "refused by the request", "{url}: {error}");
    }
    assert_eq!((server.count(), other.count()), (0, 0));
    let lines = log::lines("elsewhere");
    let of_other = format!("no grant lets it GET `http://127.0.0.1:{}`", other.port);
    assert!(lines.iter().any(|line| line.contains("WARN") && line.contains(&of_other)), "{lines:#?}");
}

#[test]
fn goes_to_no_private_address_unless_that_is_granted() {
    log::catch();
    let server = serve("secret");
    let port = server.port;
    let hosts =
        ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "0.0.0.0", "[fe80::1]", "[fd00:ec2::254]"];
    let public = hosts.into_iter().fold(Grants::new("private"), |grants, host| grants.http(host, port, false)).load();
    for host in hosts {
        let error = get(&public, &format!("http://{host}:{port}/")).unwrap_err();
        assert!(error.ends_with("DestinationIpProhibited"), "{host}: {error}");
    }
    assert_eq!(server.count(), 0);
    let lines = log::lines("private");
    let told = "`localhost` is at 127.0.0.1, which is not on the public internet";
    let told_v6 = "`localhost` is at ::1, which is not on the public internet";
    assert!(lines.iter().any(|line| line.contains(told) || line.contains(told_v6)), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("`169.254.169.254` is at 169.254.169.254")), "{lines:#?}");

    let private = Grants::new("private-granted").http("localhost", port, true).load();
    assert_eq!(get(&private, &format!("http://localhost:{port}/")).unwrap()["text"], "secret");
}

#[test]
fn each_redirect_is_a_request_of_its_own() {
    let hidden = serve("secret");
    let metadata = redirect("http://169.254.169.254/latest/meta-data/".to_owned());
    let other_port = redirect(hidden.url());
    let other_host = redirect(format!("http://localhost:{}/", other_port.port));
    let open = serve("hello");
    let good = redirect(open.url());
    let servers = [&metadata, &other_port, &other_host, &open, &good];
    let mut grants = Grants::new("redirected");
    let ports: Vec<u16> = servers.iter().map(|server| server.port).collect();
    for side in [&mut grants.requested, &mut grants.granted] {
        side["http"]["127.0.0.1"] = json!({ "ports": ports, "plain": true });
    }
    grants.granted["http"]["127.0.0.1"]["private"] = json!(true);
    let skill = grants.load();
    let follow = |url: String| reach(&skill, &json!({ "do": "http", "url": url, "follow": true }));
    assert_eq!(follow(good.url()).unwrap()["text"], "hello");
    for server in [&metadata, &other_port, &other_host] {
        let error = follow(server.url()).unwrap_err();
        assert!(error.ends_with("HttpRequestDenied"), "{error}");
        assert_eq!(server.count(), 1);
    }
    assert_eq!(hidden.count(), 0);
}

#[test]
fn plain_text_and_methods_are_granted_one_by_one() {
    let server = serve("hello");
    let mut grants = Grants::new("plain").http("127.0.0.1", server.port, true);
    grants.granted["http"]["127.0.0.1"]["plain"] = json!(false);
    let skill = grants.load();
    assert!(get(&skill, &server.url()).unwrap_err().ends_with("HttpRequestDenied"));
    // With TLS it may, and this one answers without.
    let server = serve_at_once("HTTP/1.1 400 Bad Request\r\n\r\n");
    let skill = Grants::new("tls").http("127.0.0.1", server, true).load();
    let error = get(&skill, &format!("https://127.0.0.1:{server}/")).unwrap_err();
    assert!(error.ends_with("TlsProtocolError"), "{error}");
    let server = serve("hello");

    let mut grants = Grants::new("methods").http("127.0.0.1", server.port, true);
    for side in [&mut grants.requested, &mut grants.granted] {
        side["http"]["127.0.0.1"]["methods"] = json!(["POST"]);
    }
    let skill = grants.load();
    assert!(get(&skill, &server.url()).unwrap_err().ends_with("HttpRequestDenied"));
    let post =
        json!({ "do": "http", "method": "POST", "url": server.url(), "body": "x", "header": ["content-length", "1"] });
    assert_eq!(reach(&skill, &post).unwrap()["status"], 200);
}

#[test]
fn headers_that_are_the_hosts_are_not_the_guests() {
    let server = serve("hello");
    let skill = Grants::new("headers").http("127.0.0.1", server.port, true).load();
    for name in ["host", "Host", "connection", "transfer-encoding", "upgrade", "proxy-authorization"] {
        let input = json!({ "do": "http", "url": server.url(), "header": [name, "evil.example"] });
        assert_eq!(reach(&skill, &input).unwrap_err(), "HeaderError::Forbidden", "{name}");
    }
    let split = json!({ "do": "http", "url": server.url(), "header": ["x-a", "1\r\nhost: evil.example"] });
    assert_eq!(reach(&skill, &split).unwrap_err(), "HeaderError::InvalidSyntax");
    assert_eq!(server.count(), 0);
}
