//! Clients that do nothing but ask.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::fixture::request;

const CONNECTIONS: usize = 64;
const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(5);

/// Actions in a batch, as many as the server takes.
pub(super) const BATCH: usize = 64;

/// Longer than any answer to one decision.
const ANSWER_BYTES_MAX: usize = 16 << 10;

/// Decisions a second, and how many milliseconds each took.
pub(super) fn load(address: SocketAddr, token: &str) -> (f64, Vec<f64>) {
    let request = bytes(token, "/v1/decide", &action());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let start = Instant::now() + WARM_UP;
    let millis = runtime.block_on(async {
        let asking: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let request = request.clone();
                tokio::spawn(async move { ask(address, &request, start).await })
            })
            .collect();
        let mut millis = Vec::new();
        for asking in asking {
            millis.extend(asking.await.unwrap());
        }
        millis
    });
    (millis.len() as f64 / MEASURED.as_secs_f64(), millis)
}

async fn ask(address: SocketAddr, request: &[u8], start: Instant) -> Vec<f64> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut millis, mut answer) = (Vec::new(), vec![0; ANSWER_BYTES_MAX]);
    loop {
        let asked = Instant::now();
        if asked >= start + MEASURED {
            return millis;
        }
        stream.write_all(request).await.unwrap();
        let mut length = 0;
        while !is_whole(&answer[..length]) {
            let read = stream.read(&mut answer[length..]).await.unwrap();
            assert!(read > 0, "{}", String::from_utf8_lossy(&answer[..length]));
            length += read;
        }
        if asked >= start {
            millis.push(asked.elapsed().as_secs_f64() * 1e3);
        }
    }
}

/// Whether all of an answer is there, which has to be an allow.
fn is_whole(answer: &[u8]) -> bool {
    let text = std::str::from_utf8(answer).unwrap();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    assert!(head.starts_with("HTTP/1.1 200"), "{text}");
    let length = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap();
    let whole = body.len() == length.parse::<usize>().unwrap();
    assert!(!whole || body.contains("\"decision\":\"allow\""), "{text}");
    whole
}

/// One connection that asks for many at once.
pub(super) struct Batches {
    stream: std::net::TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Batches {
    pub(super) fn to(address: SocketAddr, token: &str) -> Self {
        let body = format!(r#"{{"actions":[{}]}}"#, vec![action(); BATCH].join(","));
        let request = bytes(token, "/v1/batch", &body);
        Self {
            stream: std::net::TcpStream::connect(address).unwrap(),
            request,
            answer: vec![0; BATCH * ANSWER_BYTES_MAX],
        }
    }

    pub(super) fn ask(&mut self) {
        self.stream.write_all(&self.request).unwrap();
        let mut length = 0;
        while !is_whole(&self.answer[..length]) {
            let read = self.stream.read(&mut self.answer[length..]).unwrap();
            assert!(read > 0);
            length += read;
        }
    }
}

fn bytes(token: &str, path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The action that other parts of the table are measured with.
fn action() -> String {
    let request = request();
    serde_json::json!({
        "agent": request.agent, "operation": request.operation, "resource": request.resource,
        "arguments": request.arguments,
    })
    .to_string()
}
