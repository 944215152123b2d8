//! Clients: one that speaks HTTP, and one that sends whatever bytes it likes.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Builder, Runtime};

use crate::served::PATIENCE;

/// One connection.
pub(crate) struct Client {
    runtime: Runtime,
    sender: SendRequest<Full<Bytes>>,
    token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Bytes,
}

impl Client {
    pub(crate) fn to(address: SocketAddr, token: Option<&str>) -> Self {
        Self::over(tokio::net::TcpStream::connect(address), token).unwrap()
    }

    pub(crate) fn to_socket(path: &Path, token: Option<&str>) -> Self {
        Self::over(tokio::net::UnixStream::connect(path), token).unwrap()
    }

    /// Over a stream that is connected inside the client's runtime.
    pub(crate) fn over<S>(
        connect: impl Future<Output = std::io::Result<S>>,
        token: Option<&str>,
    ) -> std::io::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let sender = runtime.block_on(async {
            let (sender, connection) = handshake(TokioIo::new(connect.await?)).await.map_err(std::io::Error::other)?;
            tokio::spawn(async move { connection.await.unwrap_or_default() });
            std::io::Result::Ok(sender)
        })?;
        Ok(Self { runtime, sender, token: token.map(str::to_owned) })
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, "application/json", body.to_string())
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, "", "")
    }

    pub(crate) fn send(&mut self, method: &str, path: &str, kind: &str, body: impl Into<Bytes>) -> Answer {
        self.try_send(method, path, kind, body).unwrap()
    }

    pub(crate) fn try_send(
        &mut self,
        method: &str,
        path: &str,
        kind: &str,
        body: impl Into<Bytes>,
    ) -> hyper::Result<Answer> {
        let mut request = Request::builder().method(method).uri(path).header("host", "test");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        self.runtime.block_on(async {
            self.sender.ready().await?;
            let (head, body) = self.sender.send_request(request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok(Answer { status: head.status, headers: head.headers, body })
        })
    }
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The JSON of an answer that is no problem.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert_eq!((self.status, self.kind()), (StatusCode::OK, "application/json"), "{}", self.text());
        self.json()
    }

    fn kind(&self) -> &str {
        self.headers["content-type"].to_str().unwrap()
    }

    /// It is this problem, as RFC 9457 has them.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, name: &str) -> Value {
        assert_eq!((self.status.as_u16(), self.kind()), (status, "application/problem+json"), "{}", self.text());
        let problem = self.json();
        assert_eq!(problem["type"], format!("urn:vak:problem:{name}"), "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        problem
    }

    /// The word of the verdict.
    #[track_caller]
    pub(crate) fn decision(&self) -> String {
        self.ok()["verdict"]["decision"].as_str().unwrap().to_owned()
    }
}

/// A connection without manners.
pub(crate) fn raw(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends bytes, which the other side may not want to have.
pub(crate) fn say(stream: &mut impl Write, bytes: impl AsRef<[u8]>) {
    match stream.write_all(bytes.as_ref()) {
        Err(error) if !matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => panic!("{error}"),
        _ => {}
    }
}

/// What comes until the other side closes.
pub(crate) fn rest(stream: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => String::from_utf8_lossy(&bytes).into_owned(),
    }
}

/// A request as bytes, with headers beside those that it needs.
pub(crate) fn bytes_of(method: &str, path: &str, token: &str, headers: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\n{headers}\r\n{body}"
    )
}
