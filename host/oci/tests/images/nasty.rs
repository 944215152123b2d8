//! A server that answers as a test wants, and says what it was asked.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use vak_oci::Location;

/// A request, with the names of its headers in lower case.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What comes after what was sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Then {
    Close,
    /// Nothing, for as long as the other waits.
    Hang,
    /// More and more.
    Endless,
}

/// The beginning of an answer, byte for byte.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) bytes: Vec<u8>,
    pub(crate) then: Then,
}

/// An answer with headers, one a line.
pub(crate) fn answer(status: u16, headers: &str, body: &[u8]) -> Answer {
    let mut bytes = format!("HTTP/1.1 {status} x\r\nConnection: close\r\n");
    for header in headers.lines().map(str::trim).filter(|header| !header.is_empty()) {
        bytes += &format!("{header}\r\n");
    }
    if !headers.to_ascii_lowercase().contains("content-length") {
        bytes += &format!("Content-Length: {}\r\n", body.len());
    }
    Answer { bytes: [bytes.as_bytes(), b"\r\n", body].concat(), then: Then::Close }
}

/// The same without a length: the end of the connection is the end.
pub(crate) fn open_ended(body: &[u8], then: Then) -> Answer {
    Answer { bytes: [b"HTTP/1.1 200 x\r\nConnection: close\r\n\r\n", body].concat(), then }
}

type Handler = dyn Fn(&Request, usize) -> Answer + Send + Sync;

pub(crate) struct Server {
    port: u16,
    scheme: &'static str,
    requests: Arc<Mutex<Vec<Request>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Answers each request by what `handler` says of it and of its number, from 0.
    pub(crate) async fn start(handler: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::with(None, handler).await
    }

    pub(crate) async fn with(
        tls: Option<TlsAcceptor>,
        handler: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (log, handler): (_, Arc<Handler>) = (Arc::clone(&requests), Arc::new(handler));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (log, handler, tls) = (Arc::clone(&log), Arc::clone(&handler), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &log, &*handler).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, &log, &*handler).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { port, scheme, requests, task }
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn location(&self) -> Location {
        format!("{}://{}/vak", self.scheme, self.host()).parse().unwrap()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One request and its answer. `None` if the other went away.
async fn serve<S>(mut stream: S, log: &Mutex<Vec<Request>>, handler: &Handler) -> Option<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let header =
        |line: &str| line.split_once(':').map(|(key, value)| (key.to_ascii_lowercase(), value.trim().to_owned()));
    let request = Request { method, path, headers: lines.filter_map(header).collect() };
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    tokio::io::copy(&mut (&mut stream).take(length), &mut tokio::io::sink()).await.ok()?;
    let number = {
        let mut log = log.lock().unwrap();
        log.push(request.clone());
        log.len() - 1
    };
    let Answer { bytes, then } = handler(&request, number);
    stream.write_all(&bytes).await.ok()?;
    stream.flush().await.ok()?;
    match then {
        Then::Close => stream.shutdown().await.ok()?,
        // Whoever waits goes away some time.
        Then::Hang => drop(stream.read_u8().await),
        Then::Endless => loop {
            stream.write_all(&[b' '; 1 << 16]).await.ok()?;
        },
    }
    Some(())
}
