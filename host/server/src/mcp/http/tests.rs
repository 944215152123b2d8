//! What takes more than one credential, or more requests than a test has
//! connections for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use serde_json::{Value, json};
use vak_test_support::Site;

use super::*;

const RULES: &str = "[[rule]]\nid = 'all'\neffect = 'permit'\noperations = ['up/*']\n";

fn client(credential: &str) -> Client {
    Client { agent: "ada".parse().unwrap(), person: None, credential: credential.into() }
}

/// A service before an upstream that behaves as `mode` says.
fn service(site: &Site, mode: &str) -> McpService {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/mcp/upstreams/misbehaving.py");
    let log = site.path().join("upstream.log");
    let command: Vec<OsString> = vec!["python3".into(), script.into(), mode.into(), log.into()];
    let host = Arc::new(site.host());
    let upstreams = Arc::new(Upstreams::start(&host, &command).unwrap());
    McpService::new(host, upstreams, &["localhost"])
}

async fn end(service: &McpService) {
    service.close().await;
    service.inner.shared.upstreams.close().await;
}

fn site() -> Site {
    let limits = "[policies.limits]\nwall_ms_max = 10_000";
    Site::new().rules(RULES).section(limits).section("[mcp]\nagent = 'ada'\nupstream = 'up'")
}

async fn send(
    service: &McpService,
    who: Option<Client>,
    headers: &[(&str, &str)],
    body: &Value,
) -> (StatusCode, HeaderMap, String) {
    let request = request(who, headers, Full::new(Bytes::from(body.to_string())));
    let (parts, body) = service.handle(request).await.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status, parts.headers, String::from_utf8_lossy(&body).into_owned())
}

fn request<B>(who: Option<Client>, headers: &[(&str, &str)], body: B) -> Request<B> {
    let mut request = Request::post("http://localhost/mcp").header("Host", "localhost");
    request =
        request.header("Accept", "application/json, text/event-stream").header("Content-Type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(body).unwrap();
    request.extensions_mut().extend(
        who.map(|who| {
            let mut extensions = http::Extensions::new();
            extensions.insert(who);
            extensions
        })
        .unwrap_or_default(),
    );
    request
}

fn initialize() -> Value {
    let params =
        json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "0" } });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params })
}

fn call(id: usize, meta: bool) -> Value {
    let mut call =
        json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": "one", "arguments": {} } });
    if meta {
        call["params"]["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "t", "version": "0" },
            "io.modelcontextprotocol/clientCapabilities": {},
        });
    }
    call
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_that_of_the_credential_that_began_it() {
    let site = site();
    let service = service(&site, "fine");
    let (status, headers, _) = send(&service, Some(client("a")), &[], &initialize()).await;
    assert_eq!(status, StatusCode::OK);
    let id = headers.get(SESSION).unwrap().to_str().unwrap();
    let session = [("Mcp-Session-Id", id)];
    let begun = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(send(&service, Some(client("a")), &session, &begun).await.0, StatusCode::ACCEPTED);
    // Of another credential it is not there, be it of the same agent.
    for (who, status) in [(Some(client("b")), StatusCode::NOT_FOUND), (None, StatusCode::UNAUTHORIZED)] {
        let answer = send(&service, who, &session, &call(2, false)).await;
        assert_eq!(answer.0, status, "{}", answer.2);
    }
    let (status, _, body) = send(&service, Some(client("a")), &session, &call(2, false)).await;
    assert!(status == StatusCode::OK && body.contains("done"), "{body}");
    end(&service).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_without_end_are_refused_and_leave_room_for_others() {
    let site = site();
    let service = service(&site, "fine");
    let first = initialize();
    let begin = |who: &str| send(&service, Some(client(who)), &[], &first);
    for _ in 0..64 {
        assert_eq!(begin("a").await.0, StatusCode::OK);
    }
    let (status, headers, body) = begin("a").await;
    assert!(status == StatusCode::SERVICE_UNAVAILABLE && headers.contains_key("retry-after"), "{body}");
    assert_eq!(begin("b").await.0, StatusCode::OK);
    end(&service).await;
}

#[tokio::test]
async fn requests_without_end_are_bounded_and_their_places_come_back() {
    let site = site();
    let service = service(&site, "fine");
    let endless = || {
        let body = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>());
        Box::pin(service.handle(request(Some(client("a")), &[], body)))
    };
    let mut under_way: Vec<_> = (0..512).map(|_| endless()).collect();
    assert!(under_way.iter_mut().all(|request| request.now_or_never().is_none()));
    let (status, _, body) = send(&service, Some(client("b")), &[], &initialize()).await;
    assert!(status == StatusCode::SERVICE_UNAVAILABLE && body.contains("512 requests are under way"), "{body}");
    drop(under_way);
    assert_eq!(send(&service, Some(client("b")), &[], &initialize()).await.0, StatusCode::OK);
    end(&service).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_answered_and_holds_nobody_up() {
    let site = site();
    let service = service(&site, "hang");
    let headers = [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/call"), ("Mcp-Name", "one")];
    let calls: Vec<_> = (0..700).map(|id| call(id, true)).collect();
    let answered = AtomicUsize::new(0);
    let flood = join_all(calls.iter().map(|call| {
        send(&service, Some(client("a")), &headers, call).inspect(|_| {
            answered.fetch_add(1, Ordering::Relaxed);
        })
    }));
    let closing = async {
        // As soon as the upstream has all that may be under way and all others are
        // answered, it is given up.
        let log = site.path().join("upstream.log");
        let got = || std::fs::read_to_string(&log).unwrap_or_default().matches("tools/call").count();
        while got() < 256 || answered.load(Ordering::Relaxed) < 700 - 256 {
            tokio::task::yield_now().await;
        }
        service.close().await;
    };
    let (answers, ()) = futures_util::future::join(flood, closing).await;
    let count = |part: &str| answers.iter().filter(|(_, _, body)| body.contains(part)).count();
    // By which of the two limits depends on how fast the others are answered.
    assert_eq!(count("512 requests are under way") + count("256 calls are under way"), 700 - 256);
}
