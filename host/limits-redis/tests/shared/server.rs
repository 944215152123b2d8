//! A real Redis, and what only looks like one.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A `redis-server` on a port of its own that keeps nothing. Killed when it is
/// dropped.
pub(crate) struct Redis {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Redis {
    pub(crate) fn start() -> Self {
        Self::at(free_port(), &[])
    }

    pub(crate) fn at(port: u16, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = port.to_string();
        let mut command = Command::new("redis-server");
        command.args(["--save", "", "--appendonly", "no", "--bind", "127.0.0.1", "--port", &text]).args(options);
        command.current_dir(folder.path()).stdout(Stdio::null()).stdin(Stdio::null());
        let child = command.spawn().expect("`redis-server` is missing; run `cargo xtask test`");
        let redis = Self { child, port, _folder: folder };
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "redis-server does not start");
            thread::sleep(Duration::from_millis(5));
        }
        redis
    }

    pub(crate) fn url(&self) -> String {
        url(self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Sends a line and gives back what comes in for it.
    pub(crate) fn say(&self, line: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.write_all(format!("{line}\r\nQUIT\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Its keys: what is left of the answer when the lengths are gone.
    pub(crate) fn keys(&self) -> Vec<String> {
        let answer = self.say("KEYS *");
        answer.lines().filter(|line| !line.starts_with(['*', '$', '+'])).map(str::to_owned).collect()
    }

    /// How often it was asked for a lease.
    pub(crate) fn asked(&self) -> u64 {
        let answer = self.say("INFO commandstats");
        let calls = answer.lines().find_map(|line| line.strip_prefix("cmdstat_eval:calls="));
        calls.map_or(0, |calls| calls.split(',').next().unwrap().parse().unwrap())
    }

    /// What all hosts have leased of the only key there is.
    pub(crate) fn leased(&self) -> u64 {
        let answer = self.say(&format!("HVALS {}", self.keys()[0]));
        answer.lines().filter_map(|line| line.parse::<u64>().ok()).sum()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

pub(crate) fn url(port: u16) -> String {
    format!("redis://127.0.0.1:{port}/0")
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Does this with everybody who connects, and gives back the port.
pub(crate) fn pretend(with: impl Fn(TcpStream) + Clone + Send + 'static) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let with = with.clone();
            thread::spawn(move || with(stream.unwrap()));
        }
    });
    port
}
