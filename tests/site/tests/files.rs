//! The index itself.

use std::os::unix::fs::symlink;
use std::process::Command;

use bytes::Bytes;
use hyper::Method;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use vak_test_site::{Market, shelf};

use crate::served::{Served, request};

#[tokio::test(flavor = "multi_thread")]
async fn the_index_is_served_as_it_is_in_the_folder_and_nothing_beside_it() {
    let market = tokio::task::spawn_blocking(|| {
        let market = Market::new();
        market.put(shelf(&market));
        market
    });
    let market = market.await.unwrap();
    let (index, served) = (market.index(), Served::of(&market, &[]).await);
    let mut names = Vec::new();
    for folder in ["metadata", "targets"] {
        for file in std::fs::read_dir(index.join(folder)).unwrap() {
            let (name, path) = (file.as_ref().unwrap().file_name().into_string().unwrap(), file.unwrap().path());
            let answer = served.get(&format!("/index/{folder}/{name}")).await;
            assert_eq!((answer.status(), answer.0.body().as_ref()), (200, &*std::fs::read(path).unwrap()), "{name}");
            let changes = ["timestamp.json", "root.json"].contains(&name.as_str());
            let expected = if changes { "no-cache" } else { "public, max-age=31536000, immutable" };
            assert_eq!(answer.header("cache-control"), expected, "{name}");
            names.push(name);
        }
    }
    assert!(names.len() > 8, "{names:?}");
    let timestamp = served.get("/index/metadata/timestamp.json").await;
    let tag = timestamp.header("etag").to_owned();
    let again = request(Method::GET, "/index/metadata/timestamp.json", &[("if-none-match", &tag)], Bytes::new());
    assert_eq!(served.ask(again).await.status(), 304);

    // What else may lie there, or be reached from there.
    std::fs::write(market.path().join("secret.json"), "secret").unwrap();
    let hex = "ab".repeat(32);
    symlink(market.path().join("secret.json"), index.join("metadata/link.json")).unwrap();
    symlink(market.path().join("secret.json"), index.join(format!("targets/{hex}.link.json"))).unwrap();
    std::fs::write(index.join("metadata/.half.json"), "secret").unwrap();
    std::fs::write(index.join("metadata/m.key"), "secret").unwrap();
    std::fs::create_dir(index.join("metadata/folder.json")).unwrap();
    assert!(Command::new("mkfifo").arg(index.join("metadata/1.pipe.json")).status().unwrap().success());
    for path in [
        "/index/metadata/link.json",
        &format!("/index/targets/{hex}.link.json"),
        "/index/metadata/.half.json",
        "/index/metadata/m.key",
        "/index/metadata/folder.json",
        "/index/metadata/1.pipe.json",
        "/index/metadata/..%2f..%2fsecret.json",
        "/index/metadata/%2e%2e/secret.json",
        "/index/metadata/../../secret.json",
        "/index/../secret.json",
        "/index/metadata//etc/passwd",
        "/index/metadata/%2fetc%2fpasswd",
        "/index/metadata/timestamp.json%00",
        "/index/metadata/",
        "/index/",
        "/index",
        "/index/.lock",
        "/index/targets/index.json",
        "/.lock",
        &format!("/index/metadata/{}.json", "a".repeat(4_000)),
    ] {
        let answer = served.get(path).await;
        assert!([400, 404].contains(&answer.status()), "{path}: {}", answer.status());
        assert!(!answer.text().contains("secret\"") && !answer.text().eq("secret"), "{path}");
    }
}

/// What no client of ours would send.
#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_harm_nobody() {
    let market = tokio::task::spawn_blocking(Market::new).await.unwrap();
    let served = Served::of(&market, &[]).await;
    let many: String = (0..200).map(|at| format!("a{at}: b\r\n")).collect();
    for (bytes, status) in [
        ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(), "411"),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
            "411",
        ),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n"), "431"),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nx: {}\r\n\r\n", "y".repeat(70_000)), "431"),
        ("GET http://user:pw@/ HTTP/1.1\r\n\r\n".to_owned(), "400"),
        ("\0\0\0\0\r\n\r\n".to_owned(), "400"),
        ("GET /packages/\u{202e} HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), "404"),
    ] {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        // It may hang up before it has read everything.
        stream.write_all(bytes.as_bytes()).await.unwrap_or_default();
        let mut answer = [0; 64];
        let read = stream.read(&mut answer).await.unwrap_or_default();
        let answer = String::from_utf8_lossy(&answer[..read]);
        assert!(
            read == 0 || answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer} for {}",
            &bytes[..40.min(bytes.len())]
        );
    }
    assert_eq!(served.get("/health").await.status(), 200);
}
