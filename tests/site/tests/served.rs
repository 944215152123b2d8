//! `vak marketplace serve`, running.

use std::net::SocketAddr;
use std::process::Stdio;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use vak_test_site::Market;

/// The program, ended when it is dropped.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    _program: Child,
    _output: BufReader<ChildStdout>,
}

impl Served {
    pub(crate) async fn of(market: &Market, arguments: &[&str]) -> Self {
        let mut program = Command::new(vak_test_support::binary("vak"));
        program.args(["marketplace", "serve", "--listen", "127.0.0.1:0", "--index"]).arg(market.index());
        let mut child = program.args(arguments).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).await.unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap_or_else(|| panic!("it said `{line}`"));
        Self { address: address.parse().unwrap(), _program: child, _output: output }
    }

    /// Asks on a connection of its own.
    pub(crate) async fn ask(&self, request: Request<Full<Bytes>>) -> Answer {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let response = sender.send_request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let answer = Response::from_parts(parts, body.collect().await.unwrap().to_bytes());
        connection.abort();
        Answer(answer)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(request(Method::GET, path, &[], Bytes::new())).await
    }
}

pub(crate) fn request(method: Method, path: &str, headers: &[(&str, &str)], body: Bytes) -> Request<Full<Bytes>> {
    let request = headers.iter().fold(Request::builder(), |request, (name, value)| request.header(*name, *value));
    request.method(method).uri(path).header("host", "marketplace.test").body(Full::new(body)).unwrap()
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer(pub(crate) Response<Bytes>);

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.0.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(self.0.body()).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(self.0.body()).unwrap()
    }
}
