//! Blobs from servers that break off, have too much to do, or lie.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use vak_oci::{Blob, Images, Limits, OciError, Settings};

use super::nasty::{Answer, Request, Server, Then, answer, open_ended};
use super::{LIMITS, part, rules, settings};

fn content() -> Vec<u8> {
    (0..200_000_u32).flat_map(u32::to_le_bytes).collect()
}

fn with(limits: Limits, server: &Server) -> Images {
    Images::open(&server.location(), Settings { limits, ..settings() }).unwrap()
}

async fn fetch(server: &Server, part: &Path) -> Result<Bytes, OciError> {
    with(LIMITS, server).fetch(&rules(), Blob::of(&content()), part).await
}

fn whole() -> Answer {
    answer(200, "", &content())
}

/// What an honest server sends for a range.
fn rest(request: &Request) -> Answer {
    let range = request.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
    let Some(start) = range.map(|start| start.parse::<usize>().unwrap()) else { return whole() };
    let content = content();
    let range = format!("Content-Range: bytes {start}-{}/{}", content.len() - 1, content.len());
    answer(206, &range, &content[start..])
}

/// A body that ends after `bytes` of what was announced.
fn cut(bytes: usize) -> Answer {
    let content = content();
    answer(200, &format!("Content-Length: {}", content.len()), &content[..bytes])
}

#[tokio::test]
async fn what_is_cut_is_resumed_where_it_was_cut() {
    let server = Server::start(|request, number| if number == 0 { cut(300_000) } else { rest(request) }).await;
    let (_folder, part) = part();
    assert_eq!(fetch(&server, &part).await.unwrap(), content());
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].path, format!("/v2/vak/rules/blobs/{}", Blob::of(&content()).digest));
    assert_eq!(requests[0].header("range"), None);
    assert_eq!(requests[0].header("accept-encoding"), Some("identity"));
    assert_eq!(requests[1].header("range"), Some("bytes=300000-"));
    assert!(!part.exists());
}

#[tokio::test]
async fn what_was_cut_is_resumed_by_a_later_call() {
    let server = Server::start(|request, number| if number < 4 { cut(300_000) } else { rest(request) }).await;
    let (_folder, part) = part();
    let error = fetch(&server, &part).await.unwrap_err();
    assert!(error.is_transient(), "{error}");
    // Asked for the rest, it began anew each time.
    assert_eq!(fs::read(&part).unwrap(), content()[..300_000]);
    assert_eq!(fetch(&server, &part).await.unwrap(), content());
    assert_eq!(server.requests()[4].header("range"), Some("bytes=300000-"));
    assert!(!part.exists());
}

#[tokio::test]
async fn a_server_without_ranges_begins_anew() {
    let server = Server::start(|_, number| if number == 0 { cut(300_000) } else { whole() }).await;
    let (_folder, part) = part();
    assert_eq!(fetch(&server, &part).await.unwrap(), content());
    assert_eq!(server.requests()[1].header("range"), Some("bytes=300000-"));
}

#[tokio::test]
async fn a_part_that_does_not_continue_is_not_taken() {
    for bad in [
        answer(206, "Content-Range: bytes 5-799999/800000", &content()[5..]),
        answer(206, "", &content()[300_000..]),
        answer(206, "Content-Range: nonsense", &content()[300_000..]),
        answer(416, "Content-Range: bytes */800000", b""),
    ] {
        let server = Server::start(move |request, number| match number {
            0 => cut(300_000),
            1 => bad.clone(),
            _ => rest(request),
        });
        let (server, (_folder, part)) = (server.await, part());
        assert_eq!(fetch(&server, &part).await.unwrap(), content());
        assert_eq!(server.requests()[2].header("range"), None);
    }
    let server = Server::start(|_, _| answer(206, "Content-Range: bytes 0-9/10", &content()[..10])).await;
    let error = fetch(&server, &part().1).await.unwrap_err();
    assert!(matches!(error, OciError::Status { status: 206, .. }), "{error}");
}

/// Whatever lies in the file costs one more attempt at most.
#[tokio::test]
async fn what_was_there_before_is_not_believed() {
    let content = content();
    let longer = [&content[..], b"x"].concat();
    let changed = [b"x", &content[1..]].concat();
    for before in [&b"nonsense"[..], &changed, &changed[..1_000], &longer, &content, b""] {
        let server = Server::start(|request, _| rest(request)).await;
        let (_folder, part) = part();
        fs::write(&part, before).unwrap();
        assert_eq!(fetch(&server, &part).await.unwrap(), content);
        assert!(server.requests().len() <= 2 && !part.exists());
    }
}

#[tokio::test]
async fn the_file_is_a_file_and_no_link() {
    let server = Server::start(|request, _| rest(request)).await;
    let (folder, part) = part();
    let other = folder.path().join("other");
    fs::write(&other, "other").unwrap();
    std::os::unix::fs::symlink(&other, &part).unwrap();
    assert!(matches!(fetch(&server, &part).await, Err(OciError::NotPlain { .. })));
    assert_eq!(fs::read(&other).unwrap(), b"other");
    assert!(matches!(fetch(&server, folder.path()).await, Err(OciError::Io { .. })));
    assert!(matches!(fetch(&server, &folder.path().join("no/part")).await, Err(OciError::Io { .. })));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn other_bytes_are_refused_and_not_kept() {
    let mut other = content();
    other[7] ^= 1;
    let (expected, actual) = (Blob::of(&content()).digest, Blob::of(&other).digest);
    let server = Server::start(move |_, _| answer(200, "", &other)).await;
    let (_folder, part) = part();
    let error = fetch(&server, &part).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{expected} has other bytes: they are {actual}"));
    assert_eq!(server.requests().len(), 1, "it is no accident");
    assert!(!part.exists());
}

#[tokio::test]
async fn more_bytes_are_refused_at_once() {
    let longer = [&content()[..], b"x"].concat();
    for bad in [
        open_ended(b"", Then::Endless),
        open_ended(&longer, Then::Hang),
        answer(200, "", &longer),
        answer(200, "Content-Length: 99999999999999", b""),
        Answer {
            bytes: b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n".to_vec(),
            then: Then::Endless,
        },
    ] {
        let server = Server::start(move |_, _| bad.clone()).await;
        let (_folder, part) = part();
        let error = fetch(&server, &part).await.unwrap_err();
        assert!(matches!(error, OciError::TooLarge { bytes_max: 800_000, .. }), "{error}");
        assert_eq!(server.requests().len(), 1);
        assert!(!part.exists());
    }
}

#[tokio::test]
async fn less_bytes_are_asked_for_again_and_then_refused() {
    let server = Server::start(|_, _| answer(200, "", &content()[..1_000])).await;
    let (_folder, part) = part();
    let error = fetch(&server, &part).await.unwrap_err();
    assert!(matches!(error, OciError::TooShort { expected: 800_000, actual: 1_000, .. }), "{error}");
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_bomb_is_not_unpacked() {
    // A megabyte of zeros, as gzip has it, is what the digest would be of.
    for encoding in ["gzip", "deflate", "br", "zstd", "identity, gzip"] {
        let server =
            Server::start(move |_, _| answer(200, &format!("Content-Encoding: {encoding}"), b"\x1f\x8b\x08")).await;
        let (_folder, part) = part();
        let error = fetch(&server, &part).await.unwrap_err();
        assert!(matches!(error, OciError::Encoded { .. }), "{error}");
        assert!(!part.exists());
    }
}

#[tokio::test]
async fn who_hangs_is_left() {
    let limits = Limits { idle: Duration::from_millis(300), attempts: 2, ..LIMITS };
    for (bytes, kept) in [(&b""[..], 0), (b"HTTP/1.1 200 x\r\n", 0), (b"HTTP/1.1 200 x\r\n\r\nabc", 3)] {
        let hang = Answer { bytes: bytes.to_vec(), then: Then::Hang };
        let server = Server::start(move |_, _| hang.clone()).await;
        let (_folder, part) = part();
        let start = Instant::now();
        let error = with(limits, &server).fetch(&rules(), Blob::of(&content()), &part).await.unwrap_err();
        assert!(matches!(error, OciError::Idle { .. }), "{error}");
        assert!(start.elapsed() < Duration::from_secs(20));
        assert_eq!(fs::read(&part).unwrap_or_default().len(), kept);
    }
}

#[tokio::test]
async fn the_whole_has_an_end_too() {
    let limits = Limits { whole: Duration::from_millis(300), ..LIMITS };
    let server = Server::start(|_, _| open_ended(b"", Then::Hang)).await;
    let error = with(limits, &server).fetch(&rules(), Blob::of(&content()), &part().1).await.unwrap_err();
    assert!(matches!(error, OciError::TooSlow(_)), "{error}");
}

#[tokio::test]
async fn who_has_too_much_to_do_is_asked_later() {
    let busy = || answer(429, "Retry-After: 1", b"");
    let server = Server::start(move |_, number| if number == 0 { busy() } else { whole() }).await;
    let start = Instant::now();
    assert_eq!(fetch(&server, &part().1).await.unwrap(), content());
    assert!(start.elapsed() >= Duration::from_secs(1));

    // For an hour nobody waits.
    let server = Server::start(|_, _| answer(429, "Retry-After: 3600", b"")).await;
    let error = fetch(&server, &part().1).await.unwrap_err();
    assert!(matches!(error, OciError::Busy { wait: Some(wait), .. } if wait.as_secs() == 3_600), "{error}");
    assert_eq!(server.requests().len(), 1);

    for nonsense in ["Retry-After: -1", "Retry-After: soon", "Retry-After: 99999999999999999999999", ""] {
        let server =
            Server::start(move |_, number| if number == 0 { answer(429, nonsense, b"") } else { whole() }).await;
        assert_eq!(fetch(&server, &part().1).await.unwrap(), content());
    }
}

#[tokio::test]
async fn a_server_that_fails_is_asked_again_but_not_for_ever() {
    let server =
        Server::start(|_, number| if number < 2 { answer(500 + 3 * u16::from(number == 1), "", b"") } else { whole() })
            .await;
    assert_eq!(fetch(&server, &part().1).await.unwrap(), content());
    let server =
        Server::start(|_, _| answer(500, "", br#"{"errors": [{"code": "UNKNOWN", "message": "a\u0000\u202eb"}]}"#))
            .await;
    let error = fetch(&server, &part().1).await.unwrap_err().to_string();
    assert!(error.contains("answered 500") && error.contains("UNKNOWN a\\u{0}\\u{202e}b"), "{error}");
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn what_stays_so_is_asked_for_once() {
    for status in [400, 403, 404, 405, 418, 304, 204] {
        let server = Server::start(move |_, _| answer(status, "", b"")).await;
        let (_folder, part) = part();
        let error = fetch(&server, &part).await.unwrap_err();
        assert!(!error.is_transient(), "{error}");
        assert_eq!(server.requests().len(), 1, "{error}");
        assert!(!part.exists());
    }
    let server =
        Server::start(|_, _| Answer { then: Then::Endless, ..answer(403, "Content-Length: 999999999", b"{") }).await;
    let error = fetch(&server, &part().1).await.unwrap_err();
    assert!(matches!(error, OciError::Forbidden { .. }), "{error}");
}

#[tokio::test]
async fn what_is_no_http_is_an_error() {
    for bytes in [&b"SSH-2.0-x\r\n"[..], b"HTTP/1.1 200 x\r\nContent-Length: -1\r\n\r\n", b"\0\0\0\0\r\n\r\n"] {
        let bad = Answer { bytes: bytes.to_vec(), then: Then::Close };
        let server = Server::start(move |_, _| bad.clone()).await;
        let error = fetch(&server, &part().1).await.unwrap_err();
        assert!(matches!(error, OciError::Unreachable { .. }), "{error}");
    }
}

/// The second waits for the first and begins anew.
#[tokio::test(flavor = "multi_thread")]
async fn two_fetch_the_same_into_one_file() {
    let server = Server::start(|request, number| if number % 3 == 0 { cut(300_000) } else { rest(request) }).await;
    let (_folder, part) = part();
    let images = std::sync::Arc::new(with(LIMITS, &server));
    let fetches: Vec<_> = (0..8)
        .map(|_| {
            let (images, part) = (std::sync::Arc::clone(&images), part.clone());
            tokio::spawn(async move { images.fetch(&rules(), Blob::of(&content()), &part).await.unwrap() })
        })
        .collect();
    for fetch in fetches {
        assert_eq!(fetch.await.unwrap(), content());
    }
    assert!(!part.exists());
}
