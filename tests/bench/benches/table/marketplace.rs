//! Searching, refreshing and installing.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use jiff::Timestamp;
use tempfile::TempDir;
use vak_marketplace::{Entry, Marketplace, Publisher, Refreshed, Repository, Source};
use vak_oci::{Images, Settings};
use vak_registry::Store;
use vak_test_support::{Docker, components, publisher_key};
use vak_trust::{Package, PrivateKey, TrustPolicy};
use vak_types::Name;

use crate::print::{Row, quantile};

/// Packages in the index.
const PACKAGES: usize = 100_000;

/// What descriptions are made of, so that words are found in some of them.
const WORDS: [&str; 24] = [
    "reads",
    "writes",
    "sums",
    "sorts",
    "mails",
    "tables",
    "pages",
    "of",
    "and",
    "every",
    "document",
    "in",
    "a",
    "folder",
    "with",
    "care",
    "for",
    "people",
    "who",
    "ask",
    "calendar",
    "invoice",
    "weather",
    "translation",
];

struct Index {
    folder: TempDir,
    key: PrivateKey,
    registry: Docker,
}

/// Of an index with 100,000 packages, and of one real skill in a real registry.
pub(crate) fn rows() -> Vec<Row> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let index = Index::new().await;
        let (address, asked) = serve(index.folder.path().join("index"));
        let reader = index.reader(&address);
        let began = Instant::now();
        reader.refresh().await.unwrap();
        let first = began.elapsed().as_secs_f64();
        vec![searching(&reader), refreshing(&reader, &asked, first).await, index.installing(&reader).await]
    })
}

impl Index {
    async fn new() -> Self {
        let index = Self {
            folder: tempfile::tempdir().unwrap(),
            key: PrivateKey::generate().unwrap(),
            registry: Docker::start(),
        };
        let (folder, now) = (index.folder.path().join("index"), Timestamp::now());
        let root = PrivateKey::generate().unwrap();
        let name: Name = "market".parse().unwrap();
        let repository = Repository::create(&folder, name, index.registry.location(), &root, &index.key, now);
        let repository = repository.await.unwrap();
        let mut edit = repository.edit().await.unwrap();
        let publisher = Publisher { keys: vec![publisher_key().public()], names: Vec::new() };
        edit.set_publisher("first-party".parse().unwrap(), publisher).unwrap();
        let edited = edit.finish().await.unwrap();
        let repository = repository.commit(edited, &index.key, now).await.unwrap();
        let package = Package::read(&components().join("calculator.wasm")).unwrap();
        let (repository, _) = repository.publish(package, None, &index.images(), &index.key, now).await.unwrap();
        let template = repository.index().entry(&"calculator".parse().unwrap()).await.unwrap().unwrap();
        let mut edit = repository.edit().await.unwrap();
        for number in 1..PACKAGES {
            edit.put(numbered(&template, number)).await.unwrap();
        }
        let edited = edit.finish().await.unwrap();
        drop(repository.commit(edited, &index.key, now).await.unwrap());
        index
    }

    fn images(&self) -> Images {
        Images::open(&self.registry.location().parse().unwrap(), Settings::default()).unwrap()
    }

    fn reader(&self, address: &str) -> Marketplace {
        let root = std::fs::read(self.folder.path().join("index/metadata/1.root.json")).unwrap();
        let source = Source::new(address.parse().unwrap()).unwrap();
        Marketplace::new("market".parse().unwrap(), source, root, self.folder.path().join("copy"))
    }

    /// As `vak add` does: ask what is new, look the package up, fetch it, verify
    /// it, store it. It is compiled when a host loads it.
    async fn installing(&self, reader: &Marketplace) -> Row {
        let (name, trust): (Name, _) = ("calculator".parse().unwrap(), TrustPolicy::of_publishers([self.key.public()]));
        let images = self.images();
        let (mut samples, mut fetching) = (Vec::new(), Vec::new());
        for number in 0..30 {
            let folder = self.folder.path().join(format!("installed-{number}"));
            std::fs::create_dir(&folder).unwrap();
            let now = vak_types::Timestamp::from_nanos(u64::try_from(Timestamp::now().as_nanosecond()).unwrap());
            let began = Instant::now();
            reader.refresh().await.unwrap();
            let entry = reader.index().await.unwrap().entry(&name).await.unwrap().unwrap();
            let release = entry.current().unwrap();
            let before = Instant::now();
            let package = release.fetch(&name, &images, &folder).await.unwrap();
            fetching.push(before.elapsed().as_secs_f64() * 1e3);
            Store::at(folder.join("store")).install(package, &trust, now, &mut |_| false).unwrap();
            samples.push(began.elapsed().as_secs_f64() * 1e3);
        }
        let (median, fetching) = (quantile(&mut samples, 0.5), quantile(&mut fetching, 0.5));
        Row::at_most(
            "install a skill from a local registry, with the refresh",
            median,
            50.0,
            "ms",
            format!("fetching its two blobs: {fetching:.1} ms"),
        )
    }
}

/// Another package of the same kind: manifests have to be of their packages.
fn numbered(template: &Entry, number: usize) -> Entry {
    let name: Name = format!("{}-{number}", WORDS[number % WORDS.len()]).parse().unwrap();
    let mut entry = template.clone();
    let words = (0..10).map(|at| WORDS[(number * (at + 7) / 3 + at * at) % WORDS.len()]).collect::<Vec<_>>().join(" ");
    let manifest = entry.releases[0].manifest.replacen("\"calculator\"", &format!("\"{name}\""), 1);
    entry.releases[0].manifest = manifest.replacen("Evaluates an arithmetic expression.", &words, 1);
    Entry { name, ..entry }
}

/// As `vak search` does, the file included: a rare word, a frequent one, two
/// words, and none.
fn searching(reader: &Marketplace) -> Row {
    let mut slowest: (f64, &str) = (0.0, "");
    let mut floor = Vec::new();
    for query in ["calculator", "document", "invoice folder", ""] {
        let mut samples: Vec<_> = (0..15)
            .map(|_| {
                let began = Instant::now();
                let found = reader.catalogue().unwrap().search(query, 0, 20);
                assert!(!found.lines.is_empty());
                began.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        let median = quantile(&mut samples, 0.5);
        if median > slowest.0 {
            slowest = (median, query);
        }
        let began = Instant::now();
        drop(reader.catalogue().unwrap());
        floor.push(began.elapsed().as_secs_f64() * 1e3);
    }
    let text = format!("of which reading it: {:.1} ms; slowest of four: `{}`", quantile(&mut floor, 0.5), slowest.1);
    Row::at_most("search an index of 100,000 packages", slowest.0, 20.0, "ms", text)
}

async fn refreshing(reader: &Marketplace, asked: &AtomicUsize, first: f64) -> Row {
    let (before, mut samples) = (asked.load(Ordering::Relaxed), Vec::new());
    for _ in 0..20 {
        let began = Instant::now();
        assert_eq!(reader.refresh().await.unwrap(), Refreshed::Unchanged);
        samples.push(began.elapsed().as_secs_f64() * 1e3);
    }
    let requests = (asked.load(Ordering::Relaxed) - before) as f64 / 20.0;
    let text = format!("{:.2} ms; the first, with its catalogue: {first:.2} s", quantile(&mut samples, 0.5));
    Row::at_most("refresh of an unchanged index", requests, 1.0, "requests", text)
}

/// Serves files, and counts what is asked for.
fn serve(folder: PathBuf) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, asked) = (format!("http://{}/", listener.local_addr().unwrap()), Arc::new(AtomicUsize::new(0)));
    let counting = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (folder, asked) = (folder.clone(), Arc::clone(&counting));
            std::thread::spawn(move || {
                let mut writer = stream.try_clone().unwrap();
                let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
                while let Some(request) = lines.next() {
                    while lines.next().is_some_and(|line| !line.is_empty()) {}
                    asked.fetch_add(1, Ordering::Relaxed);
                    let path = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
                    writer.write_all(&answer(&folder, &path)).unwrap();
                }
            });
        }
    });
    (address, asked)
}

fn answer(folder: &Path, path: &str) -> Vec<u8> {
    let (status, body) = match std::fs::read(folder.join(path)) {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    [format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), &body].concat()
}
