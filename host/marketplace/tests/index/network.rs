//! Servers that are slow, busy or bad.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use vak_marketplace::{Marketplace, Refreshed, Source};

use crate::stand::{Stand, seen};

/// What a server does with a request, by its path.
type Answers = Arc<dyn Fn(&str, usize) -> Answer + Send + Sync>;

enum Answer {
    /// The file.
    File,
    /// These bytes, and then the end.
    Raw(Vec<u8>),
    /// This head, and then bytes without an end.
    Endless(&'static str),
}

struct Server {
    asked: Arc<Mutex<Vec<String>>>,
    address: String,
}

impl Server {
    async fn start(folder: PathBuf, answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, folder.clone(), Arc::clone(&answers), Arc::clone(&heard)));
            }
        });
        Self { asked, address }
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    fn reader(&self, stand: &Stand, copy: &str) -> Marketplace {
        stand.reader_of(copy, Source::new(self.address.parse().unwrap()).unwrap())
    }
}

async fn serve(mut stream: TcpStream, folder: PathBuf, answers: Answers, asked: Arc<Mutex<Vec<String>>>) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        let head = String::from_utf8(head).unwrap();
        let path = head.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
        let times = {
            let mut asked = asked.lock().unwrap();
            asked.push(path.clone());
            asked.iter().filter(|other| **other == path).count()
        };
        match answers(&path, times) {
            Answer::File => {
                let (status, body) = match std::fs::read(folder.join(&path)) {
                    Ok(body) => ("200 OK", body),
                    Err(_) => ("404 Not Found", Vec::new()),
                };
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
                stream.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
            }
            Answer::Raw(bytes) => {
                stream.write_all(&bytes).await.unwrap();
                return;
            }
            Answer::Endless(head) => {
                stream.write_all(head.as_bytes()).await.unwrap();
                while stream.write_all(&[b' '; 1 << 16]).await.is_ok() {}
                return;
            }
        }
    }
}

fn raw(text: &str) -> Answer {
    Answer::Raw(text.as_bytes().to_vec())
}

#[tokio::test]
async fn what_did_not_change_takes_one_request_and_a_change_what_changed() {
    let stand = Stand::new().await;
    stand.publish("one", "0.1.0").await;
    let server = Server::start(stand.index(), Arc::new(|_: &str, _| Answer::File)).await;
    let reader = server.reader(&stand, "copy");
    assert_eq!(reader.refresh().await.unwrap(), Refreshed::Changed);
    server.asked();
    for _ in 0..3 {
        assert_eq!(reader.refresh().await.unwrap(), Refreshed::Unchanged);
        assert_eq!(server.asked(), ["metadata/timestamp.json"]);
    }
    assert_eq!(seen(&reader.index().await.unwrap()).await, ["one"]);
    server.asked();
    stand.publish("two", "0.1.0").await;
    reader.refresh().await.unwrap();
    let asked = server.asked();
    // Timestamp, a look for a new root, snapshot, targets, catalogue.
    assert_eq!(asked.len(), 5, "{asked:?}");
    assert!(!asked.iter().any(|path| path.contains("publishers") || path.contains("withdrawn")), "{asked:?}");
}

#[tokio::test]
async fn a_server_that_is_busy_for_a_moment_is_asked_again() {
    let stand = Stand::new().await;
    stand.publish("one", "0.1.0").await;
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"half\":";
    let busy = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n";
    let broken = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    let answers = move |_: &str, times| match times {
        1 => raw(half),
        2 => raw(busy),
        3 => raw(broken),
        _ => Answer::File,
    };
    let server = Server::start(stand.index(), Arc::new(answers)).await;
    // Each file but the roots that nobody has is asked for four times, so this
    // takes some seconds of waiting; one file is enough.
    let once = {
        let first = Arc::new(Mutex::new(None::<String>));
        move |path: &str, times: usize| {
            let mut first = first.lock().unwrap();
            let chosen = first.get_or_insert_with(|| path.to_owned()).clone();
            if chosen == path { answers(path, times) } else { Answer::File }
        }
    };
    drop(server);
    let server = Server::start(stand.index(), Arc::new(once)).await;
    server.reader(&stand, "copy").refresh().await.unwrap();
    let asked = server.asked();
    assert_eq!(asked.iter().filter(|path| *path == "metadata/timestamp.json").count(), 4, "{asked:?}");
}

#[tokio::test]
async fn a_bad_server_is_told_from_an_index() {
    let stand = Stand::new().await;
    stand.publish("one", "0.1.0").await;
    let timestamp = |answer: fn() -> Answer| -> Answers {
        Arc::new(move |path: &str, _| if path.ends_with("timestamp.json") { answer() } else { Answer::File })
    };
    let targets: Answers = Arc::new(|path: &str, _| match path.contains("targets.json") {
        true => Answer::Endless("HTTP/1.1 200 OK\r\n\r\n{"),
        false => Answer::File,
    });
    let cases: Vec<(Answers, &str)> = vec![
        (timestamp(|| Answer::Endless("HTTP/1.1 200 OK\r\n\r\n{")), "larger than"),
        (targets, "larger than"),
        (timestamp(|| raw("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x1f")), "packed"),
        (timestamp(|| raw("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n")), "302"),
        (timestamp(|| raw("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")), "401"),
        (timestamp(|| raw("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")), "not found"),
        (timestamp(|| raw("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n<p>")), "parse"),
        (timestamp(|| raw("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")), "500"),
        (timestamp(|| raw("nonsense\r\n\r\n")), ""),
    ];
    for (number, (answers, part)) in cases.into_iter().enumerate() {
        let server = Server::start(stand.index(), answers).await;
        let began = Instant::now();
        let error = server.reader(&stand, &format!("copy-{number}")).refresh().await.unwrap_err().to_string();
        assert!(error.to_lowercase().contains(part), "{part}: {error}");
        // Bounded by size and attempts, not by anybody's patience.
        assert!(began.elapsed().as_secs() < 60, "{part}");
    }
}
