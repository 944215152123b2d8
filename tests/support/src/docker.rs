//! A real registry.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The bcrypt hash of `a:secret`.
const ACCOUNT: &str = "ada:$2b$04$Ugz2wFfJa39YdzkxyqkLzuWuLKFaW52Uuqtyy3PgRjf2JUTPGaY0O";

/// A `docker-registry` on a port of its own, with its data in a folder of its own.
/// Killed when it is dropped.
pub struct Docker {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Docker {
    /// One that takes anything from anybody.
    pub fn start() -> Self {
        Self::with("")
    }

    /// One that wants `ada` with the password `a:secret`.
    pub fn with_password() -> Self {
        Self::with("auth: {htpasswd: {realm: registry, path: accounts}}\n")
    }

    fn with(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let data = folder.path().join("data");
        let config = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: '{}'}}}}\nhttp: {{addr: '127.0.0.1:{port}', secret: s}}\n{more}",
            data.display()
        );
        fs::write(folder.path().join("config.yml"), config).unwrap();
        fs::write(folder.path().join("accounts"), ACCOUNT).unwrap();
        let mut command = Command::new("docker-registry");
        command.args(["serve", "config.yml"]).current_dir(folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("`docker-registry` is missing; run `cargo xtask test`");
        let docker = Self { child, port, folder };
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "docker-registry does not start");
            thread::sleep(Duration::from_millis(5));
        }
        docker
    }

    /// Its host and port.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where images of ours are in it.
    pub fn location(&self) -> String {
        format!("http://{}/vak", self.host())
    }

    /// The file in which it keeps the blob with these hexadecimal digits.
    pub fn blob_file(&self, hex: &str) -> PathBuf {
        let blobs = self.folder.path().join("data/docker/registry/v2/blobs/sha256");
        blobs.join(&hex[..2]).join(hex).join("data")
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
