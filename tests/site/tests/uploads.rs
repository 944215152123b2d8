//! The door for publishers, with real packages.

use bytes::Bytes;
use hyper::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use vak_test_site::Market;
use vak_trust::{Manifest, Package, PrivateKey, Validity};
use vak_types::{Digest, Timestamp};

use crate::served::{Answer, Served, request};

const TOKENS: [(&str, &str); 2] = [("acme", "vak_of_acme"), ("nightly", "vak_of_nightly")];
const BOUNDARY: &str = "----boundary";

async fn open() -> (Market, Served) {
    let market = tokio::task::spawn_blocking(Market::new).await.unwrap();
    let (tokens, key) = (market.path().join("tokens.toml"), market.path().join("m.key"));
    let line = |(publisher, token): &(&str, &str)| {
        format!("[[tokens]]\npublisher = '{publisher}'\ndigest = '{}'\n", Digest::of(token.as_bytes()))
    };
    std::fs::write(&tokens, TOKENS.iter().map(line).collect::<String>()).unwrap();
    market.key.write(&key).unwrap();
    let [tokens, key] = [tokens, key].map(|path| path.to_str().unwrap().to_owned());
    let served = Served::of(&market, &["--tokens", &tokens, "--key", &key]).await;
    (market, served)
}

/// A component of no use, signed by `key`.
fn package(name: &str, version: &str, key: &PrivateKey) -> Package {
    let text =
        format!("name = '{name}'\nversion = '{version}'\nkind = 'policy'\ndescription = 'A test.'\nlicense = 'MIT'");
    // An empty one, but for a section that makes it another each time.
    let about = format!("{name} {version}").into_bytes();
    let length = u8::try_from(about.len() + 1).unwrap();
    let component = [b"\0asm\x0d\0\x01\0\0".as_slice(), &[length, 0], &about].concat();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let now = Timestamp::from_nanos(u64::try_from(now).unwrap());
    Package::unsigned(component, &Manifest::from_toml(&text).unwrap()).sign(key, Validity::since(now))
}

fn form(parts: &[(&str, &[u8])]) -> Bytes {
    let mut body = Vec::new();
    for (name, bytes) in parts {
        body.extend(
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n").bytes(),
        );
        body.extend_from_slice(bytes);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").bytes());
    body.into()
}

fn form_of(package: &Package) -> Bytes {
    form(&[
        ("component", &package.component),
        ("manifest", &package.manifest),
        ("signatures", package.bundle.as_deref().unwrap()),
    ])
}

async fn send(served: &Served, token: &str, body: Bytes) -> Answer {
    let headers = [
        ("authorization", format!("Bearer {token}")),
        ("content-type", format!("multipart/form-data; boundary={BOUNDARY}")),
    ];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    served.ask(request(Method::POST, "/v1/packages", &headers, body)).await
}

fn problem(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
    let kind = answer.json()["type"].as_str().unwrap().to_owned();
    (answer.status(), kind.strip_prefix("urn:vak:problem:").unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_token_and_key_publishes_and_nobody_else() {
    let (market, served) = open().await;
    let [(_, acme), (_, nightly)] = &market.publishers;
    let first = form_of(&package("first", "1.0.0", acme));
    let answer = send(&served, "vak_of_acme", first.clone()).await;
    assert_eq!(answer.status(), 201, "{}", answer.text());
    assert_eq!(answer.json(), serde_json::json!({"name": "first", "version": "1.0.0", "publisher": "acme"}));
    let shown = async {
        while served.get("/packages/first").await.status() != 200 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), shown).await.unwrap();

    let stranger = PrivateKey::generate().unwrap();
    let mut changed = package("second", "1.0.0", acme);
    changed.component.push(0);
    for (token, body, expected) in [
        ("vak_of_acme", first, (409, "exists")),
        // The token of one with the signature of another.
        ("vak_of_acme", form_of(&package("second", "1.0.0", nightly)), (403, "not-yours")),
        ("vak_of_nightly", form_of(&package("second", "1.0.0", acme)), (403, "not-yours")),
        // Another's name, and one that reads like it.
        ("vak_of_nightly", form_of(&package("first", "2.0.0", nightly)), (403, "not-yours")),
        ("vak_of_nightly", form_of(&package("f1rst", "1.0.0", nightly)), (422, "refused")),
        // Nobody's signature, and one over other bytes.
        ("vak_of_acme", form_of(&package("second", "1.0.0", &stranger)), (422, "refused")),
        ("vak_of_acme", form_of(&changed), (422, "refused")),
    ] {
        let answer = send(&served, token, body).await;
        assert_eq!(problem(&answer), (expected.0, expected.1.to_owned()), "{}", answer.text());
    }
    let found = served.get("/api/search").await.json();
    assert_eq!(found["count"], 1, "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_nothing_is_read() {
    let (market, served) = open().await;
    let body = form_of(&package("first", "1.0.0", &market.publishers[0].1));
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    for authorization in [
        &[][..],
        &["Bearer"],
        &["Bearer "],
        &["Basic dmFrOm9m"],
        &["bearer vak_of_nobody"],
        &["Bearer vak_of_acme", "Bearer vak_of_nightly"],
        &["Bearer vak_of_acme, Bearer x"],
    ] {
        let headers: Vec<_> = authorization
            .iter()
            .map(|value| ("authorization", *value))
            .chain([("content-type", kind.as_str())])
            .collect();
        let answer = served.ask(request(Method::POST, "/v1/packages", &headers, body.clone())).await;
        assert_eq!(problem(&answer), (401, "unauthorized".to_owned()), "{authorization:?}");
        assert_eq!((answer.header("www-authenticate"), answer.header("connection")), ("Bearer", "close"));
    }
    // A digest is no token.
    let digest = Digest::of(b"vak_of_acme");
    for token in [digest.to_string(), digest.to_hex()] {
        assert_eq!(send(&served, &token, body.clone()).await.status(), 401);
    }
    assert_eq!(served.get("/v1/packages").await.status(), 405);
    assert_eq!(served.get("/v1/packages").await.header("allow"), "POST");
    // Who says so much is heard no further than that.
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(b"POST /v1/packages HTTP/1.1\r\nHost: a\r\nContent-Length: 60000000\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_that_are_none_are_refused() {
    let (market, served) = open().await;
    let good = package("first", "1.0.0", &market.publishers[0].1);
    let (component, manifest, signatures) = (&*good.component, &*good.manifest, good.bundle.as_deref().unwrap());
    let whole = form_of(&good);
    let large = vec![b' '; 300 << 10];
    for (body, expected) in [
        (Bytes::new(), (411, "length-required")),
        (Bytes::from_static(b"nothing of the kind"), (400, "malformed")),
        (whole.slice(..whole.len() - 20), (400, "malformed")),
        (form(&[]), (400, "malformed")),
        (form(&[("component", component), ("manifest", manifest)]), (400, "malformed")),
        (
            form(&[
                ("component", component),
                ("component", component),
                ("manifest", manifest),
                ("signatures", signatures),
            ]),
            (400, "malformed"),
        ),
        (
            form(&[("component", component), ("manifest", manifest), ("signatures", signatures), ("other", b"")]),
            (400, "malformed"),
        ),
        (form(&[("component", component), ("manifest", &large), ("signatures", signatures)]), (413, "too-large")),
        (form(&[("component", component), ("manifest", b"{}"), ("signatures", signatures)]), (422, "refused")),
        (form(&[("component", component), ("manifest", manifest), ("signatures", b"[]")]), (422, "refused")),
        (form(&[("component", b""), ("manifest", manifest), ("signatures", signatures)]), (422, "refused")),
    ] {
        let answer = send(&served, "vak_of_acme", body).await;
        assert_eq!(problem(&answer), (expected.0, expected.1.to_owned()), "{}", answer.text());
    }
    let (kind, token) = (format!("multipart/form-data; boundary={BOUNDARY}"), ("authorization", "Bearer vak_of_acme"));
    for (headers, expected) in [
        (vec![token, ("content-type", "application/json")], (415, "media-type")),
        (vec![token, ("content-type", "multipart/form-data")], (415, "media-type")),
        (vec![token], (415, "media-type")),
        (vec![token, ("content-type", kind.as_str()), ("content-encoding", "gzip")], (415, "media-type")),
    ] {
        let answer = served.ask(request(Method::POST, "/v1/packages", &headers, whole.clone())).await;
        assert_eq!(problem(&answer), (expected.0, expected.1.to_owned()), "{headers:?}");
    }
    // More than any package has is not even begun to be read.
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let head = format!(
        "POST /v1/packages HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer vak_of_acme\r\nContent-Type: {kind}\r\nContent-Length: 99999999999\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert_eq!(served.get("/api/search").await.json()["count"], 0);
    assert_eq!(send(&served, "vak_of_acme", whole).await.status(), 201);
}
