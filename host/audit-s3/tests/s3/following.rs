//! `vak-audit-s3 follow`, beside the process that writes the log.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_executor::block_on;
use vak_audit::{FileSource, FileStore, Log, Payloads, Signer, SqliteStore, Store, Tier, VerifierKey};
use vak_audit_s3::{Bucket, Options, S3Source};

use crate::proxy::{Fate, Proxy};
use crate::servers::{Files, Kind, Moto};
use crate::site::{
    PATIENCE, append, bucket_named, decision, fill, key, log_options, options, origin, signer, verify, verify_bucket,
};
use crate::suite::writing::assert_same;

/// The program, for a log and a bucket of a server on this port.
fn start(log: &Path, port: u16, name: &str, key: &VerifierKey, more: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vak-audit-s3"));
    command.arg("follow").arg(log).args(["--bucket", name, "--interval-s", "0"]).args(more);
    command.args([format!("--endpoint=http://127.0.0.1:{port}"), format!("--key={key}")]);
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "secret");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Lets it upload the rest; what it said.
fn finish(mut child: Child) -> Output {
    drop(child.stdin.take());
    child.wait_with_output().unwrap()
}

fn open(store: Box<dyn Store>) -> Log {
    Log::open(store, origin(), signer(), &log_options()).unwrap()
}

fn segments(path: &Path) -> Box<FileStore> {
    Box::new(FileStore::with_segments(path, 20_000).unwrap())
}

fn wait_for(what: &str, done: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn uploaded(bucket: &Bucket) -> u64 {
    let source = S3Source::open(bucket.clone());
    let note = source.ok().and_then(|source| vak_audit::Source::head(&source).ok().flatten());
    note.and_then(|note| note.lines().nth(1)?.parse().ok()).unwrap_or(0)
}

#[test]
fn what_another_process_writes_is_uploaded() {
    let server = Files::start();
    for (name, in_sqlite) in [("sqlite", true), ("segments", false)] {
        std::fs::create_dir(server.path(&format!("../{name}"))).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let store: Box<dyn Store> =
            if in_sqlite { Box::new(SqliteStore::open(&path).unwrap()) } else { segments(&path) };
        let log = open(store);
        fill(&log, 0..10);
        let child = start(&path, server.port, name, &key(), &[]);
        let bucket = bucket_named(server.port, name, options());
        wait_for("the first entries", || uploaded(&bucket) == 10);
        fill(&log, 10..400);
        // The program follows the log from key to key.
        let next = || Signer::new(origin(), &[8; 32]);
        block_on(log.rotate_key(next(), vak_types::Timestamp::from_nanos(1))).unwrap();
        append(&log, decision(401, "/tmp/b", Payloads::Erasable)).unwrap();
        log.close().unwrap();
        let output = finish(child);
        assert!(output.status.success(), "{output:?}");
        let source = S3Source::open(bucket).unwrap();
        assert_eq!(verify(&source).unwrap().checkpoint.size(), 402);
        assert_eq!(&verify(&source).unwrap().key, next().verifier());
    }
}

/// Killed where it happens to be, and started again.
#[test]
fn nothing_is_lost_when_the_program_is_killed() {
    let moto = Moto::get();
    for kind in [Kind::Plain, Kind::Versioned] {
        let name = moto.bucket(kind);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = open(segments(&path));
        for round in 0..12_u64 {
            let mut child = start(&path, moto.port, &name, &key(), &[]);
            for second in round * 100..(round + 1) * 100 {
                let payloads = if second % 7 == 0 { Payloads::Erasable } else { Payloads::Inline };
                let tier = if second % 10 == 9 { Tier::Durable } else { Tier::Accepted };
                block_on(log.append(decision(second, "/tmp/a", payloads), tier)).unwrap();
            }
            std::thread::sleep(Duration::from_millis(120 + 37 * round));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let output = finish(start(&path, moto.port, &name, &key(), &[]));
        assert!(output.status.success(), "{output:?}");
        log.close().unwrap();
        let bucket = bucket_named(moto.port, &name, options());
        assert_same(&S3Source::open(bucket).unwrap(), &FileSource::open(&path).unwrap());
    }
}

/// Killed while one object of each kind is on its way. It may get there all the
/// same, at once or when another is there already.
#[test]
fn it_goes_on_from_wherever_it_was_killed() {
    let late = Duration::from_millis(400);
    for part in ["/payloads/", "/segments/", "/times/", "/tile/", "/checkpoint?", "/checkpoints/"] {
        for fate in [Fate::Delay(late), Fate::Lose] {
            let server = Files::start();
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("log");
            let log = open(segments(&path));
            for second in 0..300 {
                let payloads = if second % 9 == 0 { Payloads::Erasable } else { Payloads::Inline };
                block_on(log.append(decision(second, "/tmp/a", payloads), Tier::Accepted)).unwrap();
            }
            log.close().unwrap();
            let hit = Arc::new(AtomicBool::new(false));
            let seen = Arc::clone(&hit);
            let proxy = Proxy::before(server.port, move |request| {
                let it = request.method == "PUT" && request.path.contains(part);
                if it && !seen.swap(true, Ordering::SeqCst) { fate } else { Fate::Pass }
            });
            let name = crate::servers::BUCKET;
            let mut child = start(&path, proxy.port, name, &key(), &[]);
            wait_for(part, || hit.load(Ordering::SeqCst));
            child.kill().unwrap();
            child.wait().unwrap();
            // What is there is either nothing or sound.
            let bucket = bucket_named(server.port, name, options());
            if uploaded(&bucket) > 0 {
                verify_bucket(&bucket);
            }
            assert!(finish(start(&path, server.port, name, &key(), &[])).status.success(), "{part} {fate:?}");
            std::thread::sleep(if let Fate::Delay(_) = fate { late } else { Duration::ZERO });
            assert_same(&S3Source::open(bucket).unwrap(), &FileSource::open(&path).unwrap());
        }
    }
}

/// What the bucket has leaves the disk, and nothing else does.
#[test]
fn the_disk_is_cleared_of_what_is_archived() {
    let moto = Moto::get();
    let name = moto.bucket(Kind::Plain);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let files = || {
        std::fs::read_dir(&path)
            .unwrap()
            .filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|it| it == "log"))
            .count()
    };
    let log = open(segments(&path));
    // Many commits, and so many segments.
    (0..40).for_each(|part| fill(&log, part * 50..part * 50 + 50));
    let before = files();
    // Nobody answers: all of it stays.
    let child = start(&path, 1, &name, &key(), &["--keep-entries", "700"]);
    std::thread::sleep(Duration::from_millis(800));
    assert_eq!(files(), before);
    let mut child = child;
    child.kill().unwrap();
    child.wait().unwrap();

    let child = start(&path, moto.port, &name, &key(), &["--keep-entries", "700"]);
    wait_for("segments to go", || files() < before);
    fill(&log, 2_000..2_500);
    log.close().unwrap();
    let output = finish(child);
    assert!(output.status.success(), "{output:?}");
    let bucket = bucket_named(moto.port, &name, options());
    assert_eq!(verify_bucket(&bucket), 2_500);
    assert!(files() < before / 2 + 2, "{}", files());
    // The last 700 are here, and the log goes on and is uploaded further.
    let log = open(segments(&path));
    fill(&log, 2_500..2_600);
    log.close().unwrap();
    assert!(finish(start(&path, moto.port, &name, &key(), &["--keep-entries", "700"])).status.success());
    assert_eq!(verify_bucket(&bucket), 2_600);
}

/// Somebody put the log's own checkpoint there, and nothing else: that the bucket
/// says it has everything is not enough.
#[test]
fn nothing_leaves_the_disk_because_a_checkpoint_says_so() {
    let server = Files::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let log = open(segments(&path));
    (0..40).for_each(|part| fill(&log, part * 50..part * 50 + 50));
    log.close().unwrap();
    let source = FileSource::open(&path).unwrap();
    let note = vak_audit::Source::head(&source).unwrap().unwrap();
    server.alter("checkpoint", note.as_bytes());
    let output = finish(start(&path, server.port, crate::servers::BUCKET, &key(), &["--keep-entries", "0"]));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("warning: "), "{told}");
    verify(&source).unwrap();
}

/// An object that was removed with all its versions and put anew, with the same
/// bytes, is one more than the listing tells.
#[test]
fn versions_are_noted_and_compared() {
    let moto = Moto::get();
    let name = moto.bucket(Kind::Versioned);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let log = open(segments(&path));
    fill(&log, 0..300);
    log.close().unwrap();
    assert!(finish(start(&path, moto.port, &name, &key(), &[])).status.success());
    let versions = folder.path().join("log.versions");
    let noted = std::fs::read_to_string(&versions).unwrap();
    let line = noted.lines().find(|line| line.contains(" tile/entries/000")).unwrap();
    let (id, object) = line.split_once(' ').unwrap();

    let with = Options { versions: Some(versions), ..options() };
    let check = |options| verify(&S3Source::open(bucket_named(moto.port, &name, options)).unwrap());
    check(with.clone()).unwrap();
    let bytes = moto.answer("GET", &format!("/{name}/{object}"), &[], b"");
    let at = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    assert!(moto.ask("DELETE", &format!("/{name}/{object}?versionId={id}"), &[], b"") < 300);
    assert_eq!(moto.ask("PUT", &format!("/{name}/{object}"), &[], &bytes[at..]), 200);
    check(options()).unwrap();
    let error = check(with).unwrap_err().to_string();
    assert!(error.contains("it is not the version that was put"), "{error}");
}

/// One log's place in a bucket may be within another's.
#[test]
fn a_log_within_the_prefix_of_another_is_another() {
    let moto = Moto::get();
    let name = moto.bucket(Kind::Versioned);
    let folder = tempfile::tempdir().unwrap();
    for (file, more) in [("outer", &[][..]), ("inner", &["--prefix", "more"])] {
        let path = folder.path().join(file);
        for part in 0..2 {
            let log = open(segments(&path));
            fill(&log, part * 10..part * 10 + 10);
            log.close().unwrap();
            assert!(finish(start(&path, moto.port, &name, &key(), more)).status.success());
        }
    }
    assert_eq!(verify_bucket(&bucket_named(moto.port, &name, options())), 20);
}

/// Another log under the same name: exit code 1, which stops a host.
#[test]
fn a_conflict_ends_it_for_good() {
    let server = Files::start();
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    for (path, count) in [(&one, 5), (&other, 7)] {
        let log = open(segments(path));
        fill(&log, count..count + 10);
        log.close().unwrap();
    }
    let name = crate::servers::BUCKET;
    assert!(finish(start(&one, server.port, name, &key(), &[])).status.success());
    let output = finish(start(&other, server.port, name, &key(), &[]));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    // Wrong credentials are another matter.
    let mut command = Command::new(env!("CARGO_BIN_EXE_vak-audit-s3"));
    command.arg("follow").arg(&one).args(["--bucket", name, &format!("--key={}", key())]);
    command.arg(format!("--endpoint=http://127.0.0.1:{}", server.port));
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "wrong");
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2), "{told}");
}

/// A host whose configuration says so, as its operator runs it.
#[test]
fn a_host_archives_its_log() {
    let server = Files::start();
    let folder = tempfile::tempdir().unwrap();
    let vak = Path::new(env!("CARGO_BIN_EXE_vak-audit-s3")).with_file_name("vak");
    assert!(vak.exists(), "`vak` is not built; run `cargo xtask test`");
    let config = format!(
        "state = 'state'\n[audit]\norigin = '{}'\nkey = 'log.key'\nstore = 'segments'\n\
         [audit.archive]\nbucket = '{}'\nendpoint = 'http://127.0.0.1:{}'\ninterval_s = 0\n",
        origin(),
        crate::servers::BUCKET,
        server.port
    );
    std::fs::write(folder.path().join("vak.toml"), config).unwrap();
    let run = |arguments: &[&str], input: &str| {
        let mut command = Command::new(&vak);
        command.args(arguments).current_dir(folder.path());
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "secret");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    };
    run(&["key", "new", "log.key"], "");
    let key: VerifierKey = run(&["audit", "key"], "").trim().parse().unwrap();
    let action = r#"{"agent":"ada","session":"s1","operation":"shell/run","resource":"shell"}"#;
    for _ in 0..3 {
        assert!(run(&["decide"], action).contains("deny"));
    }
    // The configuration and three decisions; the last upload may go on for a while.
    let bucket = bucket_named(server.port, crate::servers::BUCKET, options());
    wait_for("the entries of all three", || uploaded(&bucket) == 4);
    let report = vak_audit::verify_all(&S3Source::open(bucket).unwrap(), &vak_audit::Expected::of(&key), |_, _| ());
    assert_eq!(report.unwrap().decisions, 3);
}
