//! As much of HTTP/1.1 as it takes to stand between a client and a server.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

/// A request, with its body.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The path with the query.
    pub(crate) path: String,
    /// What follows the first line, up to the empty one.
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn new(method: &str, path: &str, headers: &[&str], body: &[u8]) -> Self {
        let scope = "Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=none";
        let length = format!("Content-Length: {}", body.len());
        let headers = headers.iter().copied().chain(["Host: 127.0.0.1", scope, &length]).map(str::to_owned).collect();
        Self { method: method.to_owned(), path: path.to_owned(), headers, body: body.to_owned() }
    }

    /// `None` when the client has closed the connection.
    pub(crate) fn read(stream: &TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut line = || {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
            Some(line.trim_end().to_owned())
        };
        let first = line()?;
        let mut parts = first.split(' ');
        let (method, path) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let mut headers = Vec::new();
        loop {
            match line()? {
                empty if empty.is_empty() => break,
                header => headers.push(header),
            }
        }
        let length = headers.iter().find_map(|header| {
            let (name, value) = header.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).ok()?;
        Some(Self { method, path, headers, body })
    }

    /// The whole answer of the server at `port`; `None` when there is none.
    pub(crate) fn send(&self, port: u16) -> Option<Vec<u8>> {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for header in self.headers.iter().filter(|header| !header.to_ascii_lowercase().starts_with("connection:")) {
            head.push_str(&format!("{header}\r\n"));
        }
        head.push_str("Connection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).ok()?;
        stream.write_all(&self.body).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        Some(answer)
    }
}

/// The status in an answer.
pub(crate) fn status(answer: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(answer);
    text.split(' ').nth(1).unwrap().parse().unwrap()
}
