//! The first-party skill `http-fetch` against servers on this machine.

use std::io::Write as _;

use serde_json::{Value, json};
use vak::Json;
use vak_plugin::{Skill, SkillError};

use crate::server::{redirect, serve, serve_by};
use crate::skill::{Grants, ada};

/// The skill with GET, HEAD and POST to these ports of this machine.
fn skill(name: &str, ports: &[u16]) -> Skill {
    let mut grants = Grants::new(name).plain_component("http-fetch");
    let methods = ["GET", "HEAD", "POST"];
    grants.requested["http"]["127.0.0.1"] = json!({ "ports": ports, "plain": true, "methods": methods });
    grants.granted["http"]["127.0.0.1"] = json!({ "ports": ports, "plain": true, "methods": methods, "private": true });
    grants.load()
}

fn fetch(skill: &Skill, input: &Value) -> Result<Value, SkillError> {
    skill.invoke(&ada(), &Json::parse(&input.to_string()).unwrap()).map(|output| output.to_value())
}

fn failed(skill: &Skill, input: &Value) -> String {
    match fetch(skill, input) {
        Err(SkillError::Failed(why) | SkillError::InvalidInput(why)) => why,
        other => panic!("{input}: {other:?}"),
    }
}

#[test]
fn fetches_texts_and_bytes() {
    let server = serve_by(|head, stream| {
        let body: &[u8] = if head.starts_with("GET /bytes") { b"\xff\x00" } else { "hällo".as_bytes() };
        let sent = if head.starts_with("HEAD") { &[][..] } else { body };
        write!(
            stream,
            "HTTP/1.1 404 Not Found\r\nX-A: 1\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        )?;
        stream.write_all(sent)
    });
    let skill = skill("fetches", &[server.port]);
    let url = server.url();
    let told = fetch(&skill, &json!({ "url": url, "headers": { "x-b": "2" } })).unwrap();
    assert_eq!(
        (&told["status"], &told["body"], &told["encoding"], &told["bytes"]),
        (&json!(404), &json!("hällo"), &json!("text"), &json!(6))
    );
    assert!(told["headers"].as_array().unwrap().contains(&json!(["x-a", "1"])), "{told}");
    let told = fetch(&skill, &json!({ "url": format!("{}?q=1#f", url.replace("/x", "/bytes")) })).unwrap();
    assert_eq!((&told["body"], &told["encoding"]), (&json!("/wA="), &json!("base64")));
    assert_eq!(fetch(&skill, &json!({ "url": url, "method": "HEAD" })).unwrap()["bytes"], 0);
    let long = "x".repeat(100_000);
    fetch(&skill, &json!({ "url": url, "method": "POST", "body": long })).unwrap();
    let asked = server.asked.lock().unwrap().concat();
    assert!(asked.contains("x-b: 2\r\n") && asked.contains("GET /bytes?q=1 HTTP"), "{asked}");
    assert!(asked.contains("content-length: 100000\r\n"), "{asked}");
}

#[test]
fn follows_no_redirect_and_goes_nowhere_else() {
    let hidden = serve("secret");
    let server = redirect(hidden.url());
    let skill = skill("redirects", &[server.port]);
    let told = fetch(&skill, &json!({ "url": server.url() })).unwrap();
    assert_eq!(told["status"], 302);
    assert!(told["headers"].as_array().unwrap().contains(&json!(["location", hidden.url()])), "{told}");
    let port = server.port;
    for url in [
        hidden.url(),
        format!("http://localhost:{port}/"),
        format!("https://127.0.0.1:{port}/").replace("127.0.0.1", "[::1]"),
    ] {
        let why = failed(&skill, &json!({ "url": url }));
        assert!(why.contains("was not granted"), "{url}: {why}");
    }
    for url in
        [format!("http://2130706433:{port}/"), format!("http://127.1:{port}/"), format!("http://127.0.0.1:0{port}/")]
    {
        let why = failed(&skill, &json!({ "url": url }));
        assert!(why.contains("is no host"), "{url}: {why}");
    }
    let split = json!({ "url": server.url(), "headers": { "x": "a\r\nhost: elsewhere" } });
    assert!(failed(&skill, &split).contains("the header `x` can't be sent"));
    assert!(failed(&skill, &json!({ "url": server.url(), "headers": { "host": "elsewhere" } })).contains("`host`"));
    assert_eq!((hidden.count(), server.count()), (0, 1));
}

#[test]
fn bodies_have_an_end() {
    let full = 384 << 10;
    let server = serve_by(move |head, stream| {
        let bytes: usize = head.split(['/', ' ']).nth(2).and_then(|path| path.parse().ok()).unwrap_or_default();
        write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")?;
        // Quotes are twice as long in JSON.
        (0..bytes.div_ceil(1 << 10)).try_for_each(|_| stream.write_all(&[b'"'; 1 << 10]))
    });
    let skill = skill("ends", &[server.port]);
    let url = |bytes: usize| format!("http://127.0.0.1:{}/{bytes}", server.port);
    assert_eq!(fetch(&skill, &json!({ "url": url(full) })).unwrap()["bytes"], full);
    let why = failed(&skill, &json!({ "url": url(full + 1) }));
    assert_eq!(why, "the body has more than 393216 bytes");
    // It stops to read, however much there is.
    assert_eq!(
        failed(&skill, &json!({ "url": url(1 << 30), "body_bytes_max": 10 })),
        "the body has more than 10 bytes"
    );
    let cut = serve_by(|_, stream| write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"));
    let why = failed(&self::skill("cut", &[cut.port]), &json!({ "url": cut.url() }));
    assert!(why.starts_with("the body broke off after 3 bytes"), "{why}");
}
