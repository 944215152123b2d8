//! Clients that ask at a rate, or for many at once.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::fixture::request;

pub(super) const CONNECTIONS: usize = 64;
pub(super) const WARM_UP: Duration = Duration::from_secs(1);
pub(super) const MEASURED: Duration = Duration::from_secs(5);

/// Actions in a batch, as many as the server takes.
pub(super) const BATCH: usize = 64;

/// Longer than any answer to one decision.
const ANSWER_BYTES_MAX: usize = 16 << 10;

/// How many milliseconds each decision takes when so many a second are asked for,
/// over all connections in turn, whether or not those before are answered. Each
/// counts from when it was due: what waits for its connection or for the client's
/// thread has waited.
pub(super) fn offered(address: SocketAddr, token: &str, rate: u32) -> Vec<f64> {
    let request = bytes(token, "/v1/decide", &action());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let entered = runtime.enter();
    let (answers, streams): (Vec<_>, Vec<_>) = (0..CONNECTIONS).map(|_| connect(address)).unzip();
    drop(entered);
    let start = Instant::now();
    let due = move |number: usize| start + Duration::from_secs(1) * u32::try_from(number).unwrap() / rate;
    let warm = (WARM_UP.as_secs_f64() * f64::from(rate)) as usize;
    let rounds = ((WARM_UP + MEASURED).as_secs_f64() * f64::from(rate)) as usize / CONNECTIONS;
    let asking = std::thread::spawn(move || {
        for number in 0..rounds * CONNECTIONS {
            std::thread::sleep(due(number).saturating_duration_since(Instant::now()));
            (&streams[number % CONNECTIONS]).write_all(&request).unwrap();
        }
        streams
    });
    let hearing = answers.into_iter().enumerate().map(|(connection, mut answers)| async move {
        let mut millis = Vec::new();
        for number in (0..rounds).map(|round| round * CONNECTIONS + connection) {
            answers.next().await;
            if number >= warm {
                millis.push(due(number).elapsed().as_secs_f64() * 1e3);
            }
        }
        millis
    });
    let millis = runtime.block_on(all(hearing));
    drop(asking.join().unwrap());
    millis
}

async fn all(each: impl Iterator<Item = impl Future<Output = Vec<f64>> + Send + 'static>) -> Vec<f64> {
    let tasks: Vec<_> = each.map(tokio::spawn).collect();
    let mut millis = Vec::new();
    for task in tasks {
        millis.extend(task.await.unwrap());
    }
    millis
}

/// A connection's two ends. Requests are far smaller than what a socket takes at
/// once.
fn connect(address: SocketAddr) -> (Answers, std::net::TcpStream) {
    let stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_nonblocking(true).unwrap();
    let hears = TcpStream::from_std(stream.try_clone().unwrap()).unwrap();
    (Answers { stream: hears, read: vec![0; ANSWER_BYTES_MAX], length: 0 }, stream)
}

/// The answers on a connection.
struct Answers {
    stream: TcpStream,
    read: Vec<u8>,
    length: usize,
}

impl Answers {
    /// Waits for the next.
    async fn next(&mut self) {
        let length = loop {
            if let Some(length) = whole(&self.read[..self.length]) {
                break length;
            }
            let read = self.stream.read(&mut self.read[self.length..]).await.unwrap();
            assert!(read > 0, "{}", String::from_utf8_lossy(&self.read[..self.length]));
            self.length += read;
        };
        self.read.copy_within(length..self.length, 0);
        self.length -= length;
    }
}

/// How long the first answer is, if all of it is there. It has to be an allow.
fn whole(answers: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(answers).unwrap();
    let (head, rest) = text.split_once("\r\n\r\n")?;
    assert!(head.starts_with("HTTP/1.1 200"), "{text}");
    let length: usize = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap().parse().unwrap();
    let body = rest.get(..length)?;
    assert!(body.contains("\"decision\":\"allow\""), "{text}");
    Some(head.len() + 4 + length)
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
        while whole(&self.answer[..length]).is_none() {
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
pub(super) fn action() -> String {
    let request = request();
    serde_json::json!({
        "agent": request.agent, "operation": request.operation, "resource": request.resource,
        "arguments": request.arguments,
    })
    .to_string()
}
