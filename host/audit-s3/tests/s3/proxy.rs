//! A proxy that gets in the way.

use std::io::Write as _;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::http::Request;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Pass,
    /// Never reaches the server, which answers with this status.
    Answer(u16),
    /// Never reaches the server, and is answered as if it had been taken.
    Take,
    /// Reaches the server, and the answer is lost.
    Lose,
    /// Waits before it passes.
    Delay(Duration),
}

/// Passes requests on as long as it is there.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    ended: Arc<AtomicBool>,
    seen: Arc<AtomicU64>,
}

impl Proxy {
    /// Before the server at `port`. `fate` is asked for each request.
    pub(crate) fn before(port: u16, fate: impl Fn(&Request) -> Fate + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self { port: listener.local_addr().unwrap().port(), ended: Arc::default(), seen: Arc::default() };
        let (ended, seen, fate) = (Arc::clone(&proxy.ended), Arc::clone(&proxy.seen), Arc::new(fate));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let (seen, fate) = (Arc::clone(&seen), Arc::clone(&fate));
                std::thread::spawn(move || serve(&stream.unwrap(), port, &seen, &*fate));
            }
        });
        proxy
    }

    /// How many requests there were.
    pub(crate) fn seen(&self) -> u64 {
        self.seen.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

fn serve(mut stream: &TcpStream, port: u16, seen: &AtomicU64, fate: &(dyn Fn(&Request) -> Fate + Send + Sync)) {
    let Some(request) = Request::read(stream) else { return };
    seen.fetch_add(1, Ordering::SeqCst);
    let answer = match fate(&request) {
        Fate::Pass => request.send(port),
        Fate::Answer(status) => Some(answer(status)),
        Fate::Take => {
            Some(b"HTTP/1.1 200 OK\r\nETag: \"0\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec())
        }
        Fate::Lose => {
            request.send(port);
            None
        }
        Fate::Delay(delay) => {
            std::thread::sleep(delay);
            request.send(port)
        }
    };
    // The client may have gone in the meantime, which is what some tests are about.
    drop(answer.map(|answer| stream.write_all(&answer)));
    drop(stream.shutdown(Shutdown::Both));
}

fn answer(status: u16) -> Vec<u8> {
    let code = match status {
        403 => "AccessDenied",
        409 => "ConditionalRequestConflict",
        412 => "PreconditionFailed",
        503 => "SlowDown",
        _ => "InternalError",
    };
    let body = format!("<Error><Code>{code}</Code><Message>injected</Message></Error>");
    format!(
        "HTTP/1.1 {status} Injected\r\nContent-Type: application/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
