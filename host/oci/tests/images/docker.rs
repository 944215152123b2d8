//! A real registry.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use vak_oci::Location;

/// The bcrypt hash of `a:secret`.
const ACCOUNT: &str = "ada:$2b$04$Ugz2wFfJa39YdzkxyqkLzuWuLKFaW52Uuqtyy3PgRjf2JUTPGaY0O";

/// A `docker-registry` on a port of its own, with its data in a folder of its own.
/// Killed when it is dropped.
pub(crate) struct Docker {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Docker {
    pub(crate) fn start() -> Self {
        Self::with("")
    }

    /// One that wants `ada` with the password `a:secret`.
    pub(crate) fn with_password() -> Self {
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

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn location(&self) -> Location {
        format!("http://{}/vak", self.host()).parse().unwrap()
    }

    /// The file in which it keeps the blob with these hexadecimal digits.
    pub(crate) fn blob_file(&self, hex: &str) -> PathBuf {
        let blobs = self.folder.path().join("data/docker/registry/v2/blobs/sha256");
        blobs.join(&hex[..2]).join(hex).join("data")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
