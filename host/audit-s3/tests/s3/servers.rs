//! The two servers.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::http::{Request, status};

pub(crate) const BUCKET: &str = "audit";

/// `s3s-fs`: signatures are checked, objects are files. Writes under a condition
/// are looked at and then done, so it tells nothing about races.
pub(crate) struct Files {
    pub(crate) port: u16,
    folder: TempDir,
    runtime: Option<Runtime>,
}

impl Files {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut server = Self { port: 0, folder, runtime: None };
        server.resume();
        server
    }

    /// Ends it in the middle of whatever it does.
    pub(crate) fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Starts it again with the objects it has.
    pub(crate) fn resume(&mut self) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let until = Instant::now() + Duration::from_secs(10);
        // The socket of the one before may not be closed yet.
        let listener = loop {
            match runtime.block_on(TcpListener::bind(("127.0.0.1", self.port))) {
                Err(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
                bound => break bound.unwrap(),
            }
        };
        self.port = listener.local_addr().unwrap().port();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(self.folder.path()).unwrap());
        service.set_auth(SimpleAuth::from_single("test", "secret"));
        let service = service.build();
        runtime.spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                socket.set_nodelay(true).unwrap();
                let service = service.clone();
                tokio::spawn(async move {
                    let http = Builder::new(TokioExecutor::new());
                    // A client may go in the middle of a request.
                    drop(http.serve_connection(TokioIo::new(socket), service).await);
                });
            }
        });
        self.runtime = Some(runtime);
    }

    /// The file of an object.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(BUCKET).join(name)
    }

    /// Writes an object past the server, which forgets the checksums it gave: what
    /// is wrong with the object then is for the reader to find.
    pub(crate) fn alter(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
        for file in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = file.unwrap().path();
            if path.to_string_lossy().ends_with(".internal.json") {
                std::fs::remove_file(path).unwrap();
            }
        }
    }

    /// The names of all objects under `folder`.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let mut names = Vec::new();
        collect(&self.path(""), &self.path(folder), &mut names);
        names.sort();
        names
    }
}

fn collect(root: &Path, folder: &Path, names: &mut Vec<String>) {
    let Ok(files) = std::fs::read_dir(folder) else { return };
    for file in files {
        let path = file.unwrap().path();
        match path.is_dir() {
            true => collect(root, &path, names),
            false => names.push(path.strip_prefix(root).unwrap().display().to_string()),
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.stop();
    }
}

/// moto's server: versions, Object Lock, and of two writes under one condition
/// exactly one succeeds. One for all tests; ends when its standard input does,
/// with this process at the latest.
pub(crate) struct Moto {
    pub(crate) port: u16,
    _process: (Child, ChildStdin),
}

impl Moto {
    pub(crate) fn get() -> &'static Self {
        static MOTO: OnceLock<Moto> = OnceLock::new();
        MOTO.get_or_init(Self::start)
    }

    fn start() -> Self {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let python = target.join("moto/bin/python");
        assert!(python.exists(), "`{}` is missing; run `cargo xtask test`", python.display());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/serve.py");
        let mut server = Command::new(python);
        server.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = server.spawn().unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
        let port = lines.find_map(|line| line.parse().ok()).expect("moto's server tells its port");
        let input = server.stdin.take().unwrap();
        Self { port, _process: (server, input) }
    }

    /// A new bucket; gives its name.
    pub(crate) fn bucket(&self, kind: Kind) -> String {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = format!("{BUCKET}-{}", NUMBER.fetch_add(1, Ordering::SeqCst));
        let headers: &[&str] = if kind == Kind::Locked { &["x-amz-bucket-object-lock-enabled: true"] } else { &[] };
        assert_eq!(self.ask("PUT", &format!("/{name}"), headers, b""), 200);
        if kind == Kind::Versioned {
            let body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
            assert_eq!(self.ask("PUT", &format!("/{name}?versioning"), &[], body), 200);
        }
        name
    }

    /// The status of the answer to a request.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> u16 {
        status(&self.answer(method, path, headers, body))
    }

    pub(crate) fn answer(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
        Request::new(method, path, headers, body).send(self.port).unwrap()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Versioned,
    /// With versions and Object Lock.
    Locked,
}
